"""The engineer's room: how data is pulled, when things run, what is published and fed.

What a profile, a segment or a trigger *means* stands in `dbt_project/`, not here.
"""
