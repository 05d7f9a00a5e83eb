"""What goes to `_extra`: all of a source's row that did not land as it is, so that nothing is lost.

A value landed as it is where an expression is the bare column, or one bare field of a JSON object
(`"record"->>'$.a.b'`). What an expression calculates with is kept, since `lower(...)` is not the
value, `coalesce(...)` drops all but one, and an expression that fails on a row gives null.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from orchestration.connectors.definitions import Mapping, quoted, tried
from orchestration.connectors.sources.readers import identifier

# `"record"->>'$.a."b c"[0]'`: a path without wildcards, which is what DuckDB takes in a list.
JSON_FIELD = re.compile(r""""(\w+)"\s*->>\s*'(\$(?:\.\w+|\."[^"']+"|\[\d+\])+)'""")
STEP = re.compile(r'\.(\w+)|\."([^"]+)"')


def extra_sql(names: list[str], mapping: Mapping) -> str:
    """The SQL of `_extra`: a JSON object of what is kept of these columns; null if that is nothing.

    Of an object whose fields land, the others are kept as an object; any other text as it is.
    """
    whole = {sql.strip().strip('"') for sql in mapping.columns.values()}
    fields = _landed_fields(mapping)
    kept = {
        name: _rest_sql(name, fields[name]) if name in fields else identifier(name)
        for name in names
        if name not in whole
    }
    if not kept:
        return "cast(null as varchar)"
    members = ", ".join(f"{quoted(name)}: {sql}" for name, sql in kept.items())
    nothing = json.dumps(dict.fromkeys(kept), ensure_ascii=False, separators=(",", ":"))
    return f"nullif(cast(to_json({{{members}}}) as varchar), {quoted(nothing)})"


def _landed_fields(mapping: Mapping) -> dict[str, dict[str, tuple[str, ...]]]:
    """By column the paths in its JSON whose fields land as they are, with the keys of each.

    An element of a list cannot be taken out without moving the others, so it counts as kept.
    """
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for sql in mapping.columns.values():
        field = JSON_FIELD.fullmatch(sql.strip())
        if field and "[" not in field[2]:
            keys = tuple(bare or in_quotes for bare, in_quotes in STEP.findall(field[2]))
            found.setdefault(field[1], {})[field[2]] = keys
    return found


def _rest_sql(column: str, fields: dict[str, tuple[str, ...]]) -> str:
    """A JSON column without those fields; the whole text if it is no object.

    A merge patch takes a field out where it says null. Inside of what is no object it would lose
    that, so fields of inner objects are only taken out where all these objects are there.
    """
    name = identifier(column)
    outer = {path: keys for path, keys in fields.items() if len(keys) == 1}
    inner = {keys[:length] for keys in fields.values() for length in range(1, len(keys))}
    if inner:
        paths = [quoted("$" + "".join(f'."{key}"' for key in keys)) for keys in sorted(inner)]
        are_objects = f"json_type({name}, [{', '.join(paths)}]) = {['OBJECT'] * len(paths)}"
        patch = f"if({are_objects}, {_patch(fields.values())}, {_patch(outer.values())})"
        nothing_left = "false"
    else:
        patch = _patch(outer.values())
        # A quarter of the patch's work, and often enough.
        landed = " + ".join(f"(({name}->>{quoted(path)}) is not null)::int" for path in outer)
        nothing_left = f"len(json_keys({name})) = {landed}"
    is_object = rf"starts_with(ltrim({name}, e' \t\r\n'), '{{')"
    rest = f"case when {nothing_left} then '{{}}' else json_merge_patch({name}, {patch}) end"
    return (
        f"nullif(coalesce(case when {is_object} then {tried(rest)} end, to_json({name})), "
        "cast('{}' as json))"
    )


def _patch(fields: Iterable[tuple[str, ...]]) -> str:
    """The merge patch that takes the fields out, as a SQL text."""
    root: dict[str, Any] = {}
    for keys in sorted(fields, key=len, reverse=True):  # one that lands whole wins over its parts
        inside = root
        for key in keys[:-1]:
            inside = inside.setdefault(key, {})
        inside[keys[-1]] = None
    return quoted(json.dumps(root))
