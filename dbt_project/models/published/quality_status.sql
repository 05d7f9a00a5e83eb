-- Grain: one row per table that was validated before this build's published tables were made: what
-- Great Expectations and dbt's tests said last, in counts.
with tests as (
    select
        table_name,
        test_count,
        failed_count,
        warned_count,
        as_of
    from {{ ref('int_tests_counted') }}
    -- Tables of the last step are tested after this one is made.
    where split_part(table_name, '.', 1) in (
        'mappings', 'staging', 'intermediate', 'marts', 'segments', 'triggers'
    )
),

quarantined as (
    select
        'landing.' || entity as table_name,
        count(*) as quarantined_count
    from {{ ref('quarantine') }}
    group by entity
),

expectations as (
    select
        table_name,
        stage,
        row_count,
        expectation_count,
        failed_count,
        warned_count,
        as_of
    from {{ source('quality', 'expectations') }}
    where stage <> 'published'
),

counted as (
    select
        coalesce(expectations.table_name, tests.table_name) as table_name,
        expectations.stage,
        expectations.row_count,
        coalesce(expectations.expectation_count, 0) as expectation_count,
        coalesce(expectations.failed_count, 0) + coalesce(tests.failed_count, 0) as failed_count,
        coalesce(expectations.warned_count, 0) + coalesce(tests.warned_count, 0) as warned_count,
        coalesce(tests.test_count, 0) as test_count,
        -- Of the two the older: the newer alone would hide that the other has not been asked since.
        least(
            coalesce(expectations.as_of, tests.as_of), coalesce(tests.as_of, expectations.as_of)
        ) as checked_as_of
    from expectations
    full outer join tests
        on expectations.table_name = tests.table_name
)

select
    counted.table_name,
    coalesce(counted.stage, case split_part(counted.table_name, '.', 1)
        when 'mappings' then 'staging'
        when 'staging' then 'staging'
        when 'segments' then 'segments'
        when 'triggers' then 'segments'
        else 'profiles'
    end) as stage_name,
    case
        when counted.failed_count > 0 then 'failed'
        when counted.warned_count > 0 then 'warned'
        else 'passed'
    end as status,
    cast(counted.row_count as bigint) as row_count,
    cast(quarantined.quarantined_count as bigint) as quarantined_count,
    cast(counted.expectation_count as bigint) as expectation_count,
    cast(counted.test_count as bigint) as test_count,
    cast(counted.failed_count as bigint) as failed_count,
    cast(counted.warned_count as bigint) as warned_count,
    counted.checked_as_of,
    {{ as_of() }} as as_of
from counted
left join quarantined
    on counted.table_name = quarantined.table_name
