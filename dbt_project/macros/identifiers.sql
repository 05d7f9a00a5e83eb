{#- Identifiers as they are compared, and which of them identify nobody. -#}

{#-
    E-mail as an identifier: `ann.lee+shop@GoogleMail.com` is `annlee@gmail.com`, by the rules of
    seeds/mappings/email_providers.csv. Null if it is not of the form x@y.z: it identifies nobody.
-#}
{% macro normal_email(column) -%}
    {{ adapter.dispatch('normal_email', 'muster')(column) }}
{%- endmacro %}

{#-
    Telephone as an identifier: E.164 by the record's country (a code or a name), else by
    `default_country` of identity_rules.yml; `raw:` and digits where neither is known; null if it
    cannot be dialled. orchestration/identity/normalization.py says how.
-#}
{% macro normal_phone(column, country="''") -%}
    {{ adapter.dispatch('normal_phone', 'muster')(column, country) }}
{%- endmacro %}

{#- Identifiers longer than this are no identifiers; reports show only their beginning. -#}
{% macro longest_identifier() -%}256{%- endmacro %}

{#-
    The entry of seeds/mappings/blocked_identifiers.csv that says why an identifier identifies
    nobody, as it is written there; `too long` where its length says it; else null.
-#}
{% macro blocked_by(type, value) -%}
    {{ adapter.dispatch('blocked_by', 'muster')(type, value) }}
{%- endmacro %}

{#-
    Names the combination of identifiers that a record carries, the same in
    int_identity_records and wherever a record is given its profile.
-#}
{% macro record_key(source, identifiers) -%}
    {{ key_of(["'" ~ source ~ "'"] + identifiers) }}
{%- endmacro %}
