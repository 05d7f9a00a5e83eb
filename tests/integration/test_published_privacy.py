"""What is published of the sample: contact data in one table only, which its owner alone reads."""

import stat

import duckdb
import pytest

from orchestration.publication.manifest import Manifest, newest, table_file
from orchestration.publication.verify import verify
from orchestration.resources.settings import Settings

PRIVATE = "profile_contact_points"


@pytest.fixture(scope="module")
def manifest(sample_home: Settings) -> Manifest:
    found = newest(sample_home.published)
    assert found is not None
    return found


def test_contact_points_are_in_one_table_only(sample_home: Settings, manifest: Manifest) -> None:
    assert manifest.tables[PRIVATE].is_private
    file = table_file(sample_home.published, manifest, PRIVATE)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with duckdb.connect() as connection:
        connection.execute(
            f"""create table raw as
            select distinct contact_point as value from read_parquet('{file}')
            where channel = 'email'
            union
            select distinct regexp_replace(contact_point, '[^0-9]', '', 'g')
            from read_parquet('{file}') where channel = 'sms'"""
        )
        assert connection.sql("select count(*) > 1000 from raw").fetchall() == [(True,)]
        for name in manifest.open_tables():
            other = table_file(sample_home.published, manifest, name)
            found = connection.execute(
                f"""with words as (
                    select unnest(regexp_extract_all(
                        cast(other as varchar), '[^ "'',]+@[^ "'',]+|[0-9]{{7,}}'
                    )) as word
                    from read_parquet('{other}') as other
                )
                select count(*) from words where word in (select value from raw)"""
            ).fetchall()
            assert found == [(0,)], name


def test_a_published_snapshot_is_whole(sample_home: Settings) -> None:
    file = sample_home.published
    assert [fault for fault in verify(file) if "current.duckdb" not in fault.file.name] == []


def test_quality_and_freshness_tell_of_the_build(sample_home: Settings, manifest: Manifest) -> None:
    quality, freshness, counts = (
        duckdb.sql(query).fetchall()
        for query in (
            f"""select stage_name, count(*), min(checked_as_of) = max(as_of), sum(test_count) > 0
            from '{table_file(sample_home.published, manifest, "quality_status")}'
            group by stage_name order by stage_name""",
            f"""select entity, row_count from
            '{table_file(sample_home.published, manifest, "freshness")}' order by entity""",
            f"""select substr(table_name, 9), row_count, coalesce(quarantined_count, 0)
            from '{table_file(sample_home.published, manifest, "quality_status")}'
            where stage_name = 'landing' and table_name not in (
                'landing._rejected_lines', 'landing.identity_overrides', 'landing.plan_releases'
            ) order by 1""",
        )
    )
    assert [(row[0], *row[2:]) for row in quality] == [
        ("landing", True, False),
        ("profiles", True, True),
        ("segments", True, True),
        ("staging", True, True),
    ]
    stages = sorted(manifest.stages.items())
    assert freshness == [(entity, stage["staged"]) for entity, stage in stages]
    assert counts == [(entity, stage["landed"], stage["quarantined"]) for entity, stage in stages]
