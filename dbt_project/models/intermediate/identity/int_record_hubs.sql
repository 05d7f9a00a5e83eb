-- Grain: one row per record_key that carries an identifier: the strongest of its identifiers, which
-- stands for the person that the record is about.
select
    record_key,
    {{ of_least('identifier', weakness_of('identifier_type')) }} as identifier
from {{ ref('int_identifiers_observed') }}
group by record_key
