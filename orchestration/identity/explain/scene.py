"""What a picture of a person shows, and where: cards of profiles with their identifiers in columns.

Devices stand left, what a company gave a person in the middle, addresses right: most edges go from
one column to the next, so that labels stay legible where a free layout would tangle. The same
input gives the same picture.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from orchestration.identity.explain.reader import Edge, Identifier, Person, Reader, Rejected

MOST = 60  # identifiers in one picture
ROW, PILL, GAP, HEAD, PAD, LEFT = 36, 26, 34, 34, 14, 92
GUTTER, NARROWEST = 130, 168
COLUMN = {"anonymous_id": 0, "user_id": 1, "customer_id": 1, "contact_id": 1}
LAST = 2  # the column of all other types
_SWEEPS = 6


@dataclass(frozen=True)
class Scene:
    """What is shown. `note` says what is left out."""

    asked: str | None
    profile_id: str | None
    identifiers: tuple[Identifier, ...]
    edges: tuple[Edge, ...]
    rejected: tuple[Rejected, ...]
    totals: dict[str, int]  # how many identifiers each profile has
    note: str = ""


def scene(
    reader: Reader,
    person: Person,
    asked: str | None,
    chain: Sequence[str] = (),
    most: int = MOST,
) -> Scene:
    """The person and whom rejected edges lead to; the nearest `most` identifiers of it.

    Identifiers of `chain` are shown in any case.
    """
    shown = _nearest(person, asked, most)
    here = {one.identifier for one in shown}
    missing = [name for name in chain if name not in here]
    shown += reader.named(missing)
    left_out = 0
    totals = {person.profile_id or "": len(person.identifiers)}
    for _ in range(2):  # the person, shared devices, and who else uses them
        around = reader.group(shown)
        here = {one.identifier for one in shown}
        ends = [one for one in around.rejected if one.b not in here]
        left_out = 0
        for profile_id, whole in _profiles(reader, ends).items():
            totals[profile_id] = max(len(whole), totals.get(profile_id, 0))
            near = {one.b for one in ends}
            few = [one for one in whole if one.identifier in near]
            room = most - len(shown)
            added = whole if len(whole) <= room else few[:room]
            added = [one for one in added if one.identifier not in here]
            shown += added
            left_out += len(whole) - len(added)
    around = reader.group(shown)
    here = {one.identifier for one in shown}
    own = len([one for one in shown if one.profile_id == person.profile_id])
    return Scene(
        asked,
        person.profile_id,
        tuple(shown),
        around.edges,
        tuple(one for one in around.rejected if one.b in here),
        totals,
        _note(own, len(person.identifiers), left_out),
    )


def _note(own: int, all_own: int, left_out: int) -> str:
    said = []
    if own < all_own:
        said.append(f"the nearest {own:,} of {all_own:,} identifiers of the profile are shown")
    if left_out:
        said.append(f"{left_out:,} identifiers of other profiles are left out")
    return "; ".join(said)


def _nearest(person: Person, asked: str | None, most: int) -> list[Identifier]:
    """Members by their distance from the one asked for, and room for others if there are any."""
    own = [one.identifier for one in person.identifiers]
    others = len({one.b for one in person.rejected} - set(own))
    room = max(most - min(others, most // 3), 1)
    if len(own) <= room:
        return list(person.identifiers)
    beside: dict[str, set[str]] = defaultdict(set)
    for edge in person.edges:
        beside[edge.a].add(edge.b)
        beside[edge.b].add(edge.a)
    place = {name: number for number, name in enumerate(own)}  # the strongest types first
    waiting = deque([asked if asked in place else own[0]])
    found = dict.fromkeys(waiting)
    while waiting and len(found) < room:
        for other in sorted(beside[waiting.popleft()] - set(found), key=lambda name: place[name]):
            found[other] = None
            waiting.append(other)
    near = set(list(found)[:room])
    return [one for one in person.identifiers if one.identifier in near]


def _profiles(reader: Reader, ends: Iterable[Rejected]) -> dict[str, list[Identifier]]:
    """Whole profiles of the other sides; nobody's identifiers stand each by itself."""
    wanted = list(dict.fromkeys(one.other_profile_id or one.b for one in ends))[:MOST]
    found: dict[str, list[Identifier]] = {name: [] for name in wanted}
    nobodys = [one for one in reader.named(wanted) if one.profile_id is None]
    for one in [*reader.of_profiles(wanted), *nobodys]:
        found[one.profile_id or one.identifier].append(one)
    return found


@dataclass
class Card:
    """A profile, or an identifier that is nobody's: its box and its identifiers."""

    profile_id: str | None
    members: list[Identifier]
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0

    @property
    def columns(self) -> list[int]:
        """From the first to the last column that it needs."""
        used = [column_of(one) for one in self.members]
        return list(range(min(used), max(used) + 1))


@dataclass
class Layout:
    """Where everything stands: the left upper corner and the width of each identifier."""

    cards: list[Card]
    x: dict[int, float] = field(default_factory=dict)
    widths: dict[int, float] = field(default_factory=dict)
    places: dict[str, tuple[float, float]] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)
    width: float = 0
    height: float = 0


def column_of(one: Identifier) -> int:
    """Where identifiers of a type stand."""
    return COLUMN.get(one.kind, LAST)


def layout(shown: Scene, widths: dict[str, float], top: float) -> Layout:
    """Places for everything.

    Args:
        shown: the scene.
        widths: how wide each identifier is drawn, by its name.
        top: where the first card begins.
    """
    by_profile: dict[str, list[Identifier]] = defaultdict(list)
    for one in shown.identifiers:
        by_profile[one.profile_id or one.identifier].append(one)
    first = shown.profile_id or shown.asked or ""
    names = sorted(by_profile, key=lambda name: name != first)  # else as they were found
    found = Layout([Card(by_profile[name][0].profile_id, by_profile[name]) for name in names])
    _columns(found, shown.identifiers, widths)
    free = dict.fromkeys(range(LAST + 1), top)
    for card in found.cards:
        _place(found, card, shown.edges, max(free[column] for column in card.columns))
        for column in card.columns:
            free[column] = card.y + card.height + GAP
    found.height = max(free.values()) - GAP
    return found


def _columns(found: Layout, shown: Iterable[Identifier], widths: dict[str, float]) -> None:
    x: float = LEFT
    for one in shown:
        column = found.columns[one.identifier] = column_of(one)
        wide = max(found.widths.get(column, NARROWEST), widths[one.identifier])
        found.widths[column] = wide
    for column in sorted(found.widths):
        found.x[column] = x
        x += found.widths[column] + GUTTER
    found.width = x - GUTTER + LEFT


def _place(found: Layout, card: Card, edges: Sequence[Edge], top: float) -> None:
    rows = _rows(card, edges)
    used = [column for column in card.columns if column in found.x]
    tallest = max(len(names) for names in rows.values())
    card.x, card.y = found.x[used[0]] - PAD, top
    card.width = found.x[used[-1]] + found.widths[used[-1]] + PAD - card.x
    card.height = HEAD + tallest * ROW - (ROW - PILL) + PAD
    for column, names in rows.items():
        begin = top + HEAD + (tallest - len(names)) * ROW / 2
        for place, name in enumerate(names):
            found.places[name] = (found.x[column], begin + place * ROW)


def _rows(card: Card, edges: Sequence[Edge]) -> dict[int, list[str]]:
    """Names by column, each near what it is joined to, so that few edges cross."""
    rows: dict[int, list[str]] = defaultdict(list)
    for one in card.members:
        rows[column_of(one)].append(one.identifier)
    beside: dict[str, set[str]] = defaultdict(set)
    for edge in edges:
        beside[edge.a].add(edge.b)
        beside[edge.b].add(edge.a)
    for sweep in range(_SWEEPS):
        for column in sorted(rows, reverse=bool(sweep % 2)):
            places = {
                name: place - (len(names) - 1) / 2
                for names in rows.values()
                for place, name in enumerate(names)
            }
            wanted = {}
            for name in rows[column]:
                near = [places[other] for other in sorted(beside[name]) if other in places]
                wanted[name] = sum(near) / len(near) if near else places[name]
            rows[column].sort(key=lambda name: wanted[name])
    return rows
