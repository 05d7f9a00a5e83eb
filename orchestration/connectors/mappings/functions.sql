-- Functions that mapping files may use beside DuckDB's own.

-- 'Product Viewed', 'productViewed' and 'product-viewed' as product_viewed.
create or replace temp macro snake_case(name) as lower(trim(
    regexp_replace(
        regexp_replace(name, '([\p{Ll}\p{N}])(\p{Lu})', '\1_\2', 'g'),
        '[^\p{L}\p{N}]+', '_', 'g'
    ),
    '_'
));

-- The members of a JSON array, none for anything else. BigQuery writes a repeated field into
-- Parquet as {"list": [{"element": ...}]}; that counts as an array, too.
create or replace temp macro json_list(value) as case json_type(value)
    when 'ARRAY' then json_extract(value, '$[*]')
    when 'OBJECT' then coalesce(json_extract(value, '$.list[*].element'), cast([] as json[]))
    else cast([] as json[])
end;

-- Null for what GA4 writes where it knows nothing.
create or replace temp macro known(value) as
    case when value not in ('', '(not set)', '(data deleted)') then value end;

-- A moment in microseconds since 1970 as UTC text.
create or replace temp macro micros_to_utc(micros) as
    strftime(make_timestamp(cast(micros as bigint)), '%Y-%m-%dT%H:%M:%S.%fZ');
