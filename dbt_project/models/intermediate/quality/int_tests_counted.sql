-- Grain: one row per table with data tests of dbt: what they said when they ran last.
with noted as (
    select
        *,
        max(as_of) over (partition by table_name) as last_as_of
    from ({{ noted_tests() }}) as tests
)

select
    table_name,
    count(*) as test_count,
    count(*) filter (where status in ('fail', 'error')) as failed_count,
    count(*) filter (where status = 'warn') as warned_count,
    last_as_of as as_of
from noted
-- A test that was removed since says nothing any more.
where as_of = last_as_of
group by table_name, last_as_of
