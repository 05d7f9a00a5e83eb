"""Expectations on how much there is, against history and against the rest of the warehouse."""

from typing import Any

from expectations.custom.base import RowRule


class LastLoadLikeEarlierOnes(RowRule):
    """Each source's last load has between a fifth and five times the rows it usually has.

    Usual is the median of its earlier loads; with fewer than `history` of them nothing is said.
    The source is the first folder of the file's path. Of a source that loads every few minutes
    whole days are compared, and the day that is not over does not count.
    """

    history: int = 3
    factor: float = 5.0

    @classmethod
    def query(cls, values: dict[str, Any]) -> str:
        """One row for all sources: how many are out of proportion, and the worst of them."""
        history, factor = values.get("history", 3), values.get("factor", 5.0)
        return f"""
with loads as (
    select
        split_part(_source_file, '/', 1) as source,
        _load_id,
        max(_landed_at) as landed_at,
        count(*) as row_count
    from {{batch}}
    group by 1, 2
),

paced as (
    select
        *,
        date_trunc('day', landed_at) as landed_day,
        date_trunc('day', max(landed_at) over (partition by source)) as newest_day,
        count(*) over (
            partition by source order by landed_at
            range between interval 1 day preceding and current row
        ) as loads_of_a_day
    from loads
),

periods as (
    select
        source,
        row_count,
        row_number() over (partition by source order by landed_at desc, _load_id desc) as age
    from (
        select
            source,
            max(_load_id) as _load_id,
            max(landed_at) as landed_at,
            sum(row_count) as row_count
        from (
            select *, max(loads_of_a_day) over (partition by source) > 4 as is_frequent
            from paced
        )
        where not is_frequent or landed_day < newest_day
        group by source, case when is_frequent then landed_day::varchar else _load_id end
    )
),

compared as (
    select
        source,
        max(row_count) filter (where age = 1) as last_count,
        cast(median(row_count) filter (where age > 1) as bigint) as usual_count
    from periods
    group by source
    having count(*) > {history}
),

odd as (
    select *
    from compared
    where last_count > usual_count * {factor} or last_count * {factor} < usual_count
)

select
    count(*) as found,
    count(*) as total,
    coalesce(
        arg_min(
            source || ': last load ' || last_count || ' rows, usually ' || usual_count,
            source
        ),
        'no source out of proportion'
    ) as observed
from odd"""


class QuarantineIsSmall(RowRule):
    """Of no entity is more than the share `most` of the landed records in quarantine.

    By entity, so that a small source that is all wrong does not hide behind a large one.
    """

    entities: list[str]
    most: float = 0.05

    @classmethod
    def query(cls, values: dict[str, Any]) -> str:
        """How many entities are over the share, and the worst of them."""
        landed = "\n    union all\n    ".join(
            f"select '{entity}' as entity, count(*) as landed_count from landing.{entity}"
            for entity in values["entities"]
        )
        return f"""
with landed as (
    {landed}
),

quarantined as (
    select entity, count(*) as bad_count
    from {{batch}}
    group by entity
),

shares as (
    select
        entity,
        bad_count,
        greatest(coalesce(landed_count, 0), bad_count) as all_count
    from quarantined
    left join landed using (entity)
)

select
    count(*) filter (where bad_count > {values.get("most", 0.05)} * all_count) as found,
    count(*) as total,
    coalesce(
        arg_max(
            entity || ': ' || bad_count || ' of ' || all_count || ' quarantined',
            bad_count / all_count
        ),
        'nothing quarantined'
    ) as observed
from shares"""


class HoldsNotEverybody(RowRule):
    """A segment that holds every profile selects nothing; most often a condition is missing."""

    everybody: str = "marts.profile_traits"

    @classmethod
    def query(cls, values: dict[str, Any]) -> str:
        """Members against all profiles; a warehouse of one person says nothing."""
        everybody = values.get("everybody", "marts.profile_traits")
        return f"""
with sizes as (
    select
        (select count(distinct profile_id) from {{batch}}) as members,
        (select count(*) from {everybody}) as everybody
)

select
    case when everybody > 1 and members >= everybody then 1 else 0 end as found,
    1 as total,
    members || ' of ' || everybody || ' profiles' as observed
from sizes"""


class FewAgainst(RowRule):
    """A table of what was set aside stays small against the table of what was kept."""

    others: str
    share: float = 0.01

    @classmethod
    def query(cls, values: dict[str, Any]) -> str:
        """Rows of both; an empty world says nothing."""
        return f"""
with sizes as (
    select
        (select count(*) from {{batch}}) as aside,
        (select count(*) from {values["others"]}) as kept
)

select
    case when aside > {values.get("share", 0.01)} * (aside + kept) then 1 else 0 end as found,
    1 as total,
    aside || ' against ' || kept || ' rows' as observed
from sizes"""
