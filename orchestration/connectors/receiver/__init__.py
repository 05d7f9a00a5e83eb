"""The receiver of webhooks: events by POST into files of the inbox, which the file drop lands.

A request passes `app` (HTTP), `keys` (who), `events` (which lines), `plan` (what is wrong with
them), `gauge` (is there room) and `spool` (safe on disk), in this order; `server` runs it. What
an event means, and which is good, belongs to the mappings and to staging.
"""
