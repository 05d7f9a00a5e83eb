-- Grain: one row per build, of the newest: the rules by which it weighed contacts, with which
-- `muster identity diff` compares those on disk.
select
    cast(
        '{{ tojson(identity_rules().get("probabilistic") or {}) | replace("'", "''") }}' as varchar
    ) as rules
