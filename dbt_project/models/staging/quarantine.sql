-- Grain: one row per record or line that staging does not accept, with the reason; nothing is lost.
with rejected_records as (
    select
        'crm_contacts' as entity,
        _source_file,
        _row_number,
        _rejection_reason as reason,
        true as is_record,
        _record as record,
        _landed_at,
        _load_id
    from {{ ref('base_crm__contacts') }}
    where _rejection_reason is not null
    union all
    select
        'crm_consents' as entity,
        _source_file,
        _row_number,
        _rejection_reason as reason,
        true as is_record,
        _record as record,
        _landed_at,
        _load_id
    from {{ ref('base_crm__consents') }}
    where _rejection_reason is not null
    union all
    select
        'crm_interactions' as entity,
        _source_file,
        _row_number,
        _rejection_reason as reason,
        true as is_record,
        _record as record,
        _landed_at,
        _load_id
    from {{ ref('base_crm__interactions') }}
    where _rejection_reason is not null
    union all
    select
        'crm_tickets' as entity,
        _source_file,
        _row_number,
        _rejection_reason as reason,
        true as is_record,
        _record as record,
        _landed_at,
        _load_id
    from {{ ref('base_crm__tickets') }}
    where _rejection_reason is not null
    union all
    select
        'shop_products' as entity,
        _source_file,
        _row_number,
        _rejection_reason as reason,
        true as is_record,
        _record as record,
        _landed_at,
        _load_id
    from {{ ref('base_shop__products') }}
    where _rejection_reason is not null
    union all
    select
        'shop_orders' as entity,
        _source_file,
        _row_number,
        _rejection_reason as reason,
        true as is_record,
        _record as record,
        _landed_at,
        _load_id
    from {{ ref('base_shop__orders') }}
    where _rejection_reason is not null
    union all
    select
        'shop_order_items' as entity,
        _source_file,
        _row_number,
        _rejection_reason as reason,
        true as is_record,
        _record as record,
        _landed_at,
        _load_id
    from {{ ref('base_shop__order_items') }}
    where _rejection_reason is not null
    union all
    select
        'shop_refunds' as entity,
        _source_file,
        _row_number,
        _rejection_reason as reason,
        true as is_record,
        _record as record,
        _landed_at,
        _load_id
    from {{ ref('base_shop__refunds') }}
    where _rejection_reason is not null
    union all
    select
        'web_events' as entity,
        _source_file,
        _row_number,
        _rejection_reason as reason,
        true as is_record,
        _record as record,
        _landed_at,
        _load_id
    from {{ ref('base_web__events') }}
    where _rejection_reason is not null
),

unreadable_lines as (
    select
        replace(folder, '/', '_') as entity,
        _source_file,
        _row_number,
        reason,
        false as is_record,
        content as record,
        _landed_at,
        _load_id
    from {{ source('landing', '_rejected_lines') }}
)

select * from rejected_records
union all
select * from unreadable_lines
