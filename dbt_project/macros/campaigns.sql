{#-
    Campaigns: one decision for every candidate. The gates of marts/campaigns/gates are tried in
    this order, and the first that fails is the reason. `duplicate`, `cooldown`, `frequency_cap` and
    `outranked` also hang on what else is sent in the same run, which campaign_verdicts settles.
-#}
{% macro gates_in_order() -%}
    {{ return([
        'paused', 'duplicate', 'expired', 'converted', 'no_contact_point', 'no_consent',
        'unsubscribed_or_bounced', 'excluded', 'cooldown', 'holdout', 'frequency_cap', 'outranked',
        'scheduled', 'quiet_hours',
    ]) }}
{%- endmacro %}

{#- The place of a gate in that order, from 1. -#}
{% macro place_of_gate(gate) -%}
    case {{ gate }}
        {%- for name in gates_in_order() %}
        when '{{ name }}' then {{ loop.index }}
        {%- endfor %}
    end
{%- endmacro %}

{#- Whether one of a run's candidates has to be settled together with its recipient's others. -#}
{% macro is_contender(refused_by) -%}
    coalesce({{ place_of_gate(refused_by) }} >= {{ gates_in_order().index('cooldown') + 1 }}, true)
{%- endmacro %}

{#- What a refusal means: these wait, the others are final. -#}
{% macro decision_of(verdict) -%}
    case
        when {{ verdict }} is null then 'send'
        when {{ verdict }} in ('paused', 'scheduled', 'quiet_hours') then 'hold'
        else 'suppress'
    end
{%- endmacro %}
