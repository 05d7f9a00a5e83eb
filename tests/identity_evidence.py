"""Evidence of identity in any size, as Parquet: for the benchmark of the resolver.

People have a customer number, addresses, a telephone and devices, which often are seen before
anybody logs in; a few records carry somebody else's address, and all of it lands in many loads.
"""

from pathlib import Path

import duckdb


def write(folder: Path, edges: int, loads: int = 50, first_load: int = 0, seed: int = 1) -> None:
    """Write `identifiers`, `edges` and `sightings`; about so many edges.

    Args:
        folder: where to.
        edges: how many.
        loads: how many loads the edges are spread over.
        first_load: the number of the first.
        seed: of the random numbers; another seed makes other devices of the same people.
    """
    connection = duckdb.connect(config={"threads": 2})
    connection.execute(f"select setseed({seed / 1000})")
    connection.execute(
        f"""create table records as
        with drawn as (
            select i as n, i // 4 as person, i % 4 as what, random() as chance, random() as load
            from range({edges}) r(i)
        )
        select
            case when what < 2 then 'customer_id:c' || person
                else case when chance < 0.02 then 'email:e' || (person + 1)
                    else 'customer_id:c' || person end
            end as strong,
            case what
                when 0 then 'email:e' || person
                when 1 then 'phone:' || person
                when 2 then 'anonymous_id:a' || person || '-{seed}'
                else 'anonymous_id:a' || person || '-x{seed}'
            end as weak,
            chance,
            timestamptz '2026-01-01' + to_hours(cast({first_load} + floor(load * {loads}) as int))
                as landed_at,
            timestamptz '2025-12-01' + to_seconds(cast(n % 1000003 as int)) as occurred_at
        from drawn"""
    )
    connection.execute(
        """create table edges as
        select md5_number_lower(strong) as key_a, md5_number_lower(weak) as key_b,
            case when weak like 'anon%' then 'web_events' else 'crm_contacts' end as source,
            min(landed_at) as first_landed_at,
            arg_min(occurred_at, landed_at) as first_landed_occurred_at
        from records group by strong, weak"""
    )
    connection.execute(
        """create table identifiers as
        select md5_number_lower(identifier) as identifier_key,
            split_part(identifier, ':', 1) as identifier_type, identifier,
            min(landed_at) as first_landed_at,
            arg_min(occurred_at, landed_at) as first_landed_occurred_at
        from (
            select strong as identifier, landed_at, occurred_at from records
            union all select weak, landed_at, occurred_at from records
            -- Three devices in ten were seen before anybody logged in on them.
            union all select weak, landed_at - to_hours(10), occurred_at - to_hours(10)
            from records where weak like 'anonymous_id%' and chance > 0.7
        )
        group by identifier"""
    )
    connection.execute(
        """create table sightings as
        select md5_number_lower(weak) as device_key, md5_number_lower(strong) as person_key,
            cast(occurred_at as date) as day, min(landed_at) as first_landed_at
        from records
        where weak like 'anonymous_id%' and weak in (
            select weak from records group by weak having count(distinct strong) > 1
        )
        group by all"""
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("identifiers", "edges", "sightings"):
        connection.execute(f"copy {name} to '{folder / name}.parquet'")
