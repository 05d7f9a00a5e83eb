"""Which traits tell the members of a segment from everybody; of whatever columns there are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_MOST = 6
_TRIED = 30  # of those that differ most
_FEW = 2_500  # people are enough to see that two traits are alike
_LEAST, _ERRORS = 0.1, 2  # standard deviations, and standard errors, that are a difference
_CORRELATED, _RELATED, _PAIRS = 0.95, 0.7, 10
SAMPLE = 50_000
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
    """The traits that differ most and from each other, the greatest difference first.

    One that differs less than by chance is none. Of traits that are strongly alike, only the first
    is told: those that correlate by more than 0.95, and numbers that correlate by more than 0.7 and
    are the same for most members that have any (as sums over 30 and 90 days may be).

    Args:
        connection: with the temporary table `members`.
        everybody: a relation with one row for each profile.
        most: how many are wanted.

    Of more than SAMPLE people, and of more than SAMPLE members, so many are looked at; always the
    same ones.
    """
    types = connection.execute(f"describe select * from {everybody}").fetchall()
    numbers = [row[0] for row in types if row[1].startswith(_NUMBERS)]
    flags = [row[0] for row in types if row[1] == "BOOLEAN"]
    texts = [row[0] for row in types if row[1] == "VARCHAR" and not row[0].endswith("_id")]
    _compare(connection, everybody, [*numbers, *flags, *texts])
    found = [*_of_numbers(connection, numbers, flags), *_of_texts(connection, texts)]
    best: dict[str, Trait] = {}
    for trait in sorted(found, key=lambda one: (-abs(one.difference), one.name, one.value)):
        best.setdefault(trait.name, trait)
    sizes = connection.execute(
        "select count(*) filter (where is_member), count(*) filter (where is_usual) from compared"
    ).fetchall()[0]
    least = max(_LEAST, _ERRORS / max(sizes[0], 1) ** 0.5)
    differing = [trait for trait in best.values() if abs(trait.difference) > least][:_TRIED]
    _few(connection, differing, set(numbers), *sizes)
    return _unlike(connection, differing, set(numbers), most)


def _few(
    connection: "duckdb.DuckDBPyConnection",
    traits: Sequence[Trait],
    numbers: set[str],
    members: int,
    usual: int,
) -> None:
    """The temporary table `few`: of those compared a few, always the same, each trait a number."""

    def value(trait: Trait) -> str:
        if trait.name in numbers:
            return f'"{trait.name}"::double'
        return f"""("{trait.name}"::varchar = '{trait.value.replace("'", "''")}')::int"""

    values = "".join(f', {value(trait)} as "{trait.name}"' for trait in traits)
    of_members, of_usual = max(1, members // _FEW), max(1, usual // _FEW)
    connection.execute(
        f"""create or replace temp table few as
        select * from (
            select is_member and hash(place) % {of_members} = 0 as is_member,
                is_usual and hash(place) % {of_usual} = 0 as is_usual{values}
            from compared
        ) where is_member or is_usual"""
    )


def _unlike(
    connection: "duckdb.DuckDBPyConnection", ranked: Sequence[Trait], numbers: set[str], most: int
) -> tuple[Trait, ...]:
    found: list[Trait] = []
    while ranked and len(found) < most:
        first, *others = ranked
        found.append(first)
        alike = _alike(connection, first, others, numbers) if others else []
        ranked = [other for other, is_alike in zip(others, alike, strict=True) if not is_alike]
    return tuple(found)


def _alike(
    connection: "duckdb.DuckDBPyConnection", one: Trait, others: list[Trait], numbers: set[str]
) -> list[bool]:
    measures = ", ".join(
        f"""corr("{one.name}", "{other.name}") filter (where is_usual),
        regr_count("{one.name}", "{other.name}") filter (where is_usual),
        count(*) filter (where is_member and "{one.name}" = "{other.name}" and "{one.name}" <> 0),
        count(*) filter (where is_member and ("{one.name}" <> 0 or "{other.name}" <> 0))"""
        for other in others
    )
    row = connection.execute(f"select {measures} from few").fetchall()[0]
    found = []
    for place, other in enumerate(others):
        correlation, pairs, same, either = row[place * 4 : place * 4 + 4]
        related = abs(correlation) if correlation is not None and pairs >= _PAIRS else 0.0
        is_same = {one.name, other.name} <= numbers and same * 2 > either
        found.append(related > _CORRELATED or (is_same and related > _RELATED))
    return found


def _compare(
    connection: "duckdb.DuckDBPyConnection", everybody: str, columns: Sequence[str]
) -> None:
    """The temporary table `compared`: members, and who stands for all (`is_usual`)."""
    kept = "".join(f', "{name}"' for name in columns)
    ((size, total),) = connection.execute(
        f"""select (select count(distinct profile_id) from members),
            (select count(*) from {everybody})"""
    ).fetchall()
    every, of_members = max(1, total // SAMPLE), max(1, size // SAMPLE)
    connection.execute(
        f"""create or replace temp table compared as
        select * from (
            select is_member is not null and hash(profile_id) % {of_members} = 0 as is_member,
                hash(profile_id) % {every} = 0 as is_usual,
                hash(profile_id) as place{kept}
            from {everybody} as traits
            left join (select distinct profile_id, true as is_member from members)
                using (profile_id)
        ) where is_member or is_usual"""
    )


def _of_numbers(
    connection: "duckdb.DuckDBPyConnection", numbers: Sequence[str], flags: Sequence[str]
) -> list[Trait]:
    columns = [*numbers, *flags]
    if not columns:
        return []
    values = [f'"{name}"::double' for name in numbers] + [f'"{name}"::int' for name in flags]
    measures = ", ".join(
        f"avg({value}) filter (where is_member), avg({value}) filter (where is_usual), "
        f"stddev_pop({value}) filter (where is_usual)"
        for value in values
    )
    row = connection.execute(f"select {measures} from compared").fetchall()[0]
    found = []
    for place, name in enumerate(columns):
        inside, all_of_them, spread = row[place * 3 : place * 3 + 3]
        if inside is not None and spread:
            value = "true" if name in flags else ""
            found.append(Trait(name, value, inside, all_of_them, (inside - all_of_them) / spread))
    return found


def _of_texts(connection: "duckdb.DuckDBPyConnection", columns: Sequence[str]) -> list[Trait]:
    if not columns:
        return []
    counted = ", ".join(f'approx_count_distinct("{name}")' for name in columns)
    counts = connection.execute(f"select {counted} from compared where is_usual").fetchall()[0]
    columns = [name for name, count in zip(columns, counts, strict=True) if 0 < count <= _VALUES]
    if not columns:
        return []
    quoted = ", ".join(f'"{name}"' for name in columns)
    sets = ", ".join(f'("{name}")' for name in columns)
    rows = connection.execute(
        f"""select {quoted}, count(*) filter (where is_member), count(*) filter (where is_usual)
        from compared group by grouping sets ({sets}, ())"""
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
