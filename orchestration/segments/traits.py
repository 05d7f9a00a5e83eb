"""Which traits tell the members of a segment from everybody; of whatever columns there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_MOST = 6
_VALUES = 40  # a text column with more values tells nobody anything
_NUMBERS = ("TINY", "SMALL", "INTEGER", "BIGINT", "U", "DECIMAL", "DOUBLE", "FLOAT", "HUGEINT")


@dataclass(frozen=True)
class Trait:
    """A column: a number's average, or the share of a value, among members and everybody.

    `value` is empty for a number; `difference` is in standard deviations of everybody.
    """

    name: str
    value: str
    members: float
    everybody: float
    difference: float


def telling_traits(
    connection: "duckdb.DuckDBPyConnection", everybody: str, most: int = _MOST
) -> tuple[Trait, ...]:
    """The traits that differ most, the greatest difference first.

    Args:
        connection: with the temporary table `members`.
        everybody: a relation with one row for each profile.
        most: how many are wanted.
    """
    types = connection.execute(f"describe select * from {everybody}").fetchall()
    numbers = [row[0] for row in types if row[1].startswith(_NUMBERS)]
    flags = [row[0] for row in types if row[1] == "BOOLEAN"]
    texts = [row[0] for row in types if row[1] == "VARCHAR" and not row[0].endswith("_id")]
    found = [*_of_numbers(connection, everybody, numbers, flags)]
    found += _of_texts(connection, everybody, texts)
    best: dict[str, Trait] = {}
    for trait in sorted(found, key=lambda one: (-abs(one.difference), one.name, one.value)):
        best.setdefault(trait.name, trait)
    return tuple(best.values())[:most]


def _both(everybody: str, columns: str) -> str:
    return f"""(
        select {columns}, is_member is not null as is_member
        from {everybody} as traits
        left join (select distinct profile_id, true as is_member from members)
            using (profile_id)
    )"""


def _of_numbers(
    connection: "duckdb.DuckDBPyConnection",
    everybody: str,
    numbers: Sequence[str],
    flags: Sequence[str],
) -> list[Trait]:
    columns = [*numbers, *flags]
    if not columns:
        return []
    kept = ", ".join([f'"{name}"::double as "{name}"' for name in numbers]
                     + [f'"{name}"::int::double as "{name}"' for name in flags])  # fmt: skip
    measures = ", ".join(
        f'avg("{name}") filter (where is_member), avg("{name}"), stddev_pop("{name}")'
        for name in columns
    )
    row = connection.execute(f"select {measures} from {_both(everybody, kept)}").fetchall()[0]
    found = []
    for place, name in enumerate(columns):
        inside, all_of_them, spread = row[place * 3 : place * 3 + 3]
        if inside is not None and spread:
            value = "true" if name in flags else ""
            found.append(Trait(name, value, inside, all_of_them, (inside - all_of_them) / spread))
    return found


def _of_texts(
    connection: "duckdb.DuckDBPyConnection", everybody: str, columns: Sequence[str]
) -> list[Trait]:
    if not columns:
        return []
    counted = ", ".join(f'approx_count_distinct("{name}")' for name in columns)
    counts = connection.execute(f"select {counted} from {everybody}").fetchall()[0]
    columns = [name for name, count in zip(columns, counts, strict=True) if 0 < count <= _VALUES]
    if not columns:
        return []
    quoted = ", ".join(f'"{name}"' for name in columns)
    sets = ", ".join(f'("{name}")' for name in columns)
    rows = connection.execute(
        f"""select {quoted}, count(*) filter (where is_member), count(*)
        from {_both(everybody, quoted)} group by grouping sets ({sets}, ())"""
    ).fetchall()
    # Rows of nulls look like the total; the greatest of them is it.
    inside, total = max(((row[-2], row[-1]) for row in rows if not any(row[:-2])), key=max)
    found = []
    for row in rows:
        for name, value in zip(columns, row, strict=False):
            share = row[-1] / total
            if value is not None and inside and share < 1:
                spread = (share * (1 - share)) ** 0.5
                member_share = row[-2] / inside
                difference = (member_share - share) / spread
                found.append(Trait(name, str(value), member_share, share, difference))
    return found
