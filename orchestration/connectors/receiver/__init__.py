"""The receiver of webhooks: events by POST into files of the inbox, which the file drop lands.

A request passes `app` (HTTP), `keys` (who), `events` (which lines), `gauge` (is there room),
`judge` (what staging will say of them) and `spool` (safe on disk); `server` runs it. What an event
means, and which is good, belongs to the mappings and to staging.
"""
