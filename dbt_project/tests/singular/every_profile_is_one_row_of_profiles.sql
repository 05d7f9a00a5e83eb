{{ config(meta={'dagster': {'ref': {'name': 'profiles'}}}) }}
-- However many records, contacts, orders or values a person has, `profiles` has one row for them,
-- and every person that a record belongs to has one.
with expected as (
    select profile_id from {{ ref('int_profiles_found') }}
    union
    select profile_id from {{ ref('int_record_profiles') }}
),

counted as (
    select
        profile_id,
        count(*) as row_count
    from {{ ref('profiles') }}
    group by profile_id
)

select
    coalesce(expected.profile_id, counted.profile_id) as profile_id,
    coalesce(counted.row_count, 0) as row_count
from expected
full outer join counted
    on expected.profile_id = counted.profile_id
where expected.profile_id is null or counted.row_count is distinct from 1
