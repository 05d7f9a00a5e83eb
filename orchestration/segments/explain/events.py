"""The events behind rows: of a session, a cart or an order, as far as tables carry them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from orchestration.rendering.renderer import Renderer
from orchestration.segments.explain.facts import Row

if TYPE_CHECKING:
    import duckdb

_MOST = 10_000
_OF_SESSIONS, _OF_EVENTS, _ORDERS = (
    "int_events_sessionized", "int_events_resolved", "int_orders_valued",
)  # fmt: skip


@dataclass(frozen=True)
class Event:
    """Something that happened: `of` names the row it is behind, as `session_id ev_12`."""

    of: str
    event_id: str
    name: str
    at: datetime | None


def events(
    connection: "duckdb.DuckDBPyConnection", renderer: Renderer, rows: Sequence[Row]
) -> tuple[list[Event], int]:
    """The newest events behind rows, in order of time, and how many there are."""
    parts = []
    for key, column in (("session_id", "session_id"), ("cart_id", "cart_id")):
        wanted = _values(rows, key)
        model = _OF_SESSIONS if key == "session_id" else _OF_EVENTS
        if wanted and model in renderer.project.models:
            parts.append(
                f"""select '{key} ' || {column} as behind, event_id, name, occurred_at as moment
                from {renderer.relation(model)} where {column} in ({wanted})"""
            )
    wanted = _values(rows, "order_id")
    if wanted and _ORDERS in renderer.project.models:
        parts.append(
            f"""select 'order_id ' || order_id, order_id, 'order', ordered_at
            from {renderer.relation(_ORDERS)} where order_id in ({wanted})"""
        )
    wanted = _values(rows, "event_id")
    if wanted and _OF_EVENTS in renderer.project.models:
        parts.append(
            f"""select 'event_id ' || event_id, event_id, name, occurred_at
            from {renderer.relation(_OF_EVENTS)} where event_id in ({wanted})"""
        )
    if not parts:
        return [], 0
    together = " union ".join(parts)
    found = connection.execute(
        f"""select *, count(*) over () from ({together})
        order by moment desc, event_id limit {_MOST}"""
    ).fetchall()
    told = sorted((Event(*row[:4]) for row in found), key=lambda one: (str(one.at), one.event_id))
    return told, found[0][4] if found else 0


def _values(rows: Sequence[Row], key: str) -> str:
    """The keys as SQL literals."""
    found: dict[Any, None] = {}
    for row in rows:
        value = row.named.get(key)
        if isinstance(value, str):
            found[value] = None
    return ", ".join("'" + str(value).replace("'", "''") + "'" for value in found)
