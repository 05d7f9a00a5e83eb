-- Grain: one row per decision of this run and gate that hangs on it alone.
{{ collect('marts/campaigns/gates', 'gate_', 'gate', ['decision_id', 'fails', 'detail']) }}
