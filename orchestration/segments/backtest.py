"""A segment at past moments: its size, who came and went, also of a definition that is new.

By default with what is known today; as it was known then, with what had landed by each moment. The
log of identity is a history, so a prefix of it is who was who then. Other programs' tables (models
of machine learning) are read as they are today, which a note tells.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from orchestration.rendering.context import DATABASE
from orchestration.rendering.renderer import Renderer
from orchestration.resources.dbt_project import PREFIX
from orchestration.segments.errors import SegmentError
from orchestration.segments.members import collect, model_of, require_tag, take_out
from orchestration.segments.versions import Version
from orchestration.segments.world import Moment, World

MOST_MOMENTS = 1000
_IDENTITY, _RECORDS = "int_identity_log", "int_identity_records"


@dataclass(frozen=True)
class Counts:
    """One version at one moment; entries and exits since the moment before."""

    size: int
    entered: int | None
    exited: int | None


@dataclass(frozen=True)
class Point:
    """One moment. `only_here` and `only_there` are members of one version alone."""

    at: datetime
    here: Counts
    there: Counts | None = None
    only_here: int = 0
    only_there: int = 0


@dataclass(frozen=True)
class Backtest:
    """The points in order; `against` names the other version."""

    segment: str
    is_as_known: bool
    against: str | None
    points: tuple[Point, ...]
    notes: tuple[str, ...]

    def as_json(self) -> str:
        """All of it; times in ISO 8601, UTC."""
        return json.dumps(asdict(self), default=lambda moment: moment.isoformat(), indent=2)


def moments(first: datetime, last: datetime, every: timedelta, newest: datetime) -> list[datetime]:
    """From the first on, at most to the last.

    Raises:
        SegmentError: there is none, or too many, or one is after the newest build's moment: what
            happened by then is not in the warehouse.
    """
    for option, moment in (("--to", last), ("--from", first)):
        if moment > newest:
            raise SegmentError(
                f"{option} {moment:%Y-%m-%d %H:%M} is after the newest build, which is as of "
                f"{newest:%Y-%m-%d %H:%M} UTC and knows nothing later; take an earlier moment, or "
                "`muster run` first"
            )
    if first > last:
        raise SegmentError(f"--from {first} is after --to {last}")
    count = (last - first) // every + 1
    if count > MOST_MOMENTS:
        raise SegmentError(f"these are {count:,} moments; {MOST_MOMENTS:,} at most")
    return [first + every * step for step in range(count)]


def backtest(
    world: World,
    name: str,
    at: Iterable[datetime],
    other: Version | None = None,
    is_as_known: bool = False,
) -> Backtest:
    """Evaluate a segment at each moment; the members stay in the temporary table `history`.

    Args:
        world: of the newest build.
        name: of the segment.
        at: the moments, in order; taken one by one.
        other: a version to compare with.
        is_as_known: with what had landed by each moment.

    Raises:
        SegmentError: DuckDB refuses a model.
    """
    model = model_of(world, name)
    versions = [_Evaluated(world, model, is_as_known)]
    if other:
        renderer = Renderer(world.project, world.connection)
        beside = World(
            world.connection, renderer, world.built_as_of, other.parameters, other.texts,
            world.standing,
        )  # fmt: skip
        beside.at(Moment(world.built_as_of))
        versions.append(_Evaluated(beside, model, is_as_known))
    world.connection.execute(
        """create or replace temp table history
        (step int, version int, segment varchar, profile_id varchar)"""
    )
    seen = []
    for step, moment in enumerate(at):
        seen.append(moment)
        for number, version in enumerate(versions):
            version.evaluate(moment)
            world.connection.execute(
                f"insert into history select {step}, {number}, segment, profile_id from members"
            )
    bare = name.removeprefix(PREFIX)
    require_tag(world, name, model, "history")
    if f"{PREFIX}{bare}" != model:
        # Not by name alone: a tag's segment.
        world.connection.execute(f"delete from history where segment <> '{bare}'")
    points = _points(world, seen, bool(other))
    notes = versions[0].notes + (_before_all(world, seen) if is_as_known else ())
    return Backtest(bare, is_as_known, other.name if other else None, points, notes)


def _before_all(world: World, at: Sequence[datetime]) -> tuple[str, ...]:
    """A note if there are moments at which nothing had landed, so that nobody was known."""
    if not world.has(_RECORDS):
        return ()
    schema = world.project.models[_RECORDS].schema
    ((first,),) = world.connection.execute(
        f"select timezone('UTC', min(first_landed_at)) from {DATABASE}.{schema}.{_RECORDS}"
    ).fetchall()
    count = sum(first is None or moment < first for moment in at)
    if not count:
        return ()
    which = f"the first {count:,} of these moments" if count < len(at) else "any of these moments"
    begin = f": the first record landed at {first:%Y-%m-%d %H:%M:%S}" if first else ""
    return (f"nothing had landed by {which}, so nobody was known{begin}",)


class _Evaluated:
    """One version: which models have to be made for each moment."""

    def __init__(self, world: World, model: str, is_as_known: bool) -> None:
        self._world, self._model, self._is_as_known = world, model, is_as_known
        self._refs = world.closure(model)
        changed = set(world.changed(model, self._refs))
        first = datetime(2001, 1, 1)  # noqa: DTZ001  # UTC without a zone, as all times of models
        apart = (Moment(first), Moment(first + timedelta(days=400, hours=7)))
        self._anew = changed | world.of_moment(self._refs, apart)
        if is_as_known:
            self._anew |= {one for one in self._refs if world.rendered(one).sources}
            self._anew |= {_IDENTITY} & set(self._refs)
        programs = {one for one in self._refs if world.project.models[one].is_python}
        self.notes: tuple[str, ...] = tuple(
            f"{one} is a program: its table is read as it is today, for every moment"
            for one in sorted(programs - {_IDENTITY})
        )
        if world.project.models[model].meta.get("exclusive_set"):
            self.notes += ("whom other segments of its exclusive set outranked then counts here",)

    def evaluate(self, moment: datetime) -> None:
        """Put its members at a moment into the table `members`."""
        self._world.at(Moment(moment, moment if self._is_as_known else None))
        self._world.make(self._model, self._anew, self._refs)
        collect(self._world, self._model, "members")
        take_out(self._world, self._model, "members", None)


def _points(world: World, at: Sequence[datetime], is_compared: bool) -> tuple[Point, ...]:
    rows = world.connection.execute(
        """with moved as (
            select coalesce(now.step, was.step + 1) as step,
                coalesce(now.version, was.version) as version,
                count(now.profile_id) as size,
                count(*) filter (where was.profile_id is null) as entered,
                count(*) filter (where now.profile_id is null) as exited
            from history as now
            full join history as was
                on now.step = was.step + 1 and now.version = was.version
                and now.segment = was.segment and now.profile_id = was.profile_id
            group by all
        )
        select step, version, size, entered, exited from moved"""
    ).fetchall()
    counted = {(step, version): Counts(*counts) for step, version, *counts in rows}
    only = {}
    if is_compared:
        found = world.connection.execute(
            """select step, count(*) filter (where here and not there),
                count(*) filter (where there and not here)
            from (
                select step, bool_or(version = 0) as here, bool_or(version = 1) as there
                from history group by step, segment, profile_id
            ) group by step"""
        ).fetchall()
        only = {step: (here, there) for step, here, there in found}

    def counts(step: int, version: int) -> Counts:
        one = counted.get((step, version), Counts(0, 0, 0))
        return one if step else Counts(one.size, None, None)

    return tuple(
        Point(
            moment,
            counts(step, 0),
            counts(step, 1) if is_compared else None,
            *only.get(step, (0, 0)),
        )
        for step, moment in enumerate(at)
    )
