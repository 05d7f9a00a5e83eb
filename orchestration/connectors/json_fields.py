"""Fields of JSON records, followed from pull to pull as the columns of a table are.

A record may lack a field by chance, so nothing is stopped by it: a field that is new is told, and
one that every record had and none has now.
"""

from typing import TYPE_CHECKING

from orchestration.connectors.definitions import Mapping, quoted, tried
from orchestration.connectors.extra import JSON_FIELD, STEP
from orchestration.connectors.sources.readers import identifier

if TYPE_CHECKING:
    import pyarrow as pa

LOOKED_AT = 10_000  # records of a pull; to look at each would cost as much as to map it
MOST_KEYS = 300  # an object with more is a map, whose keys are values
_ALL, _SOME = "in all", "in some"
Place = tuple[str, tuple[str, ...]]  # a column, and the keys that lead to an object in it


class JsonFields:
    """The fields of the objects that a mapping reaches into, and how many records have them.

    A field is called `record->properties.email`, whatever its type.
    """

    def __init__(self, mapping: Mapping) -> None:
        self.counts: dict[str, int] = {}
        self.named: set[str] = set()
        self.places: set[Place] = set()
        self.records = 0
        for sql in [*mapping.columns.values(), mapping.deleted]:
            for column, path in JSON_FIELD.findall(sql):
                keys = tuple(bare or in_quotes for bare, in_quotes in STEP.findall(path))
                if "[" not in path:
                    self.named.add(_name(column, keys))
                    self.places |= {(column, keys[:length]) for length in range(len(keys))}

    def look(self, rows: "pa.Table") -> None:
        """Count the fields of some more records."""
        import duckdb

        part = rows.slice(0, max(0, LOOKED_AT - self.records))
        if not part.num_rows or not self.places:
            return
        self.records += part.num_rows
        with duckdb.connect(config={"threads": 1}) as connection:
            for column, keys in sorted(self.places):
                path = "$" + "".join(f'."{key}"' for key in keys)
                found = tried(f"json_keys({identifier(column)}, {quoted(path)})")
                counted = connection.execute(
                    f"""select key, count(*) from (
                        select unnest(list_distinct({found})) as key from part
                    ) group by key order by key limit {MOST_KEYS + 1}"""
                ).fetchall()
                if len(counted) > MOST_KEYS:
                    self.places.discard((column, keys))
                    continue
                for key, count in counted:
                    name = _name(column, (*keys, key))
                    self.counts[name] = self.counts.get(name, 0) + count

    def kinds(self, before: dict[str, str]) -> dict[str, str]:
        """All fields known so far: whether each record had them, in every pull."""
        if not self.records:
            return before
        unknown = _SOME if before else _ALL
        now = {
            name: _ALL if count == self.records and before.get(name, unknown) == _ALL else _SOME
            for name, count in self.counts.items()
        }
        return {**dict.fromkeys(before, _SOME), **now}

    def notes(self, before: dict[str, str]) -> list[str]:
        """What changed since the pulls that knew the fields `before`, in words."""
        if not before or not self.records:
            return []
        found = []
        new = sorted(self.counts.keys() - before.keys())
        gone = sorted(name for name in before.keys() - self.counts.keys() if before[name] == _ALL)
        if new:
            found.append(f"new fields, kept in _extra until they are mapped: {', '.join(new)}")
        if gone:
            found.append(f"no record has any more, and each had: {', '.join(gone)}")
        if needed := [name for name in gone if name in self.named]:
            found.append(f"the mapping names {', '.join(needed)}: change it if they were renamed")
        return found


def is_field(name: str) -> bool:
    """Whether the name is one of a field, and not of a column."""
    return "->" in name


def _name(column: str, keys: tuple[str, ...]) -> str:
    return f"{column}->{'.'.join(keys)}"
