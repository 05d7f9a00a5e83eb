"""A person as a picture: an SVG, or an HTML page with it, that needs nothing from elsewhere."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from math import log10

from orchestration.identity.explain.reader import OVERRIDE, Edge, Rejected
from orchestration.identity.explain.scene import LEFT, PILL, Card, Layout, Scene, layout
from orchestration.identity.graph import PROBABILISTIC_SOURCE
from orchestration.identity.rules import KNOWN_SOURCES, KNOWN_TYPES

INK, GREY, FAINT, REFUSED, ASKED = "#212529", "#6c757d", "#dee2e6", "#e03131", "#fff3bf"
_TYPE_COLOURS = ("#364fc7", "#9c36b5", "#795548", "#1098ad", "#2f9e44", "#e67700")
COLOURS = dict(zip(KNOWN_TYPES, _TYPE_COLOURS, strict=True))
_SOURCE_COLOURS = (
    "#748ffc",
    "#2b8a3e",
    "#a9e34b",
    "#66d9e8",
    "#b197fc",
    "#f59f00",
    "#212529",
    "#adb5bd",
)
SOURCES = dict(zip([*KNOWN_SOURCES, OVERRIDE, PROBABILISTIC_SOURCE], _SOURCE_COLOURS, strict=True))
_DASHES = {PROBABILISTIC_SOURCE: "2 4"}
FONT = "Inter, 'Segoe UI', Helvetica, Arial, sans-serif"
LETTER, BESIDE, LONGEST = 6.7, 40, 34
TITLE = 62
_EACH = 4  # rejections of one identifier that are told each by itself
_ALONG = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)

Point = tuple[float, float]
Curve = tuple[Point, Point, Point, Point]
Route = list[Curve]


def svg(shown: Scene, title: str, path: Iterable[str] = ()) -> str:
    """The picture.

    Args:
        shown: what to show.
        title: one line.
        path: identifiers of a chain that stands out, in its order.
    """
    widths = {one.identifier: _wide(_value(one.identifier)) for one in shown.identifiers}
    places = layout(shown, widths, TITLE)
    chain = list(path)
    steps = {frozenset(pair) for pair in itertools.pairwise(chain)}
    legend = list(_legend(shown, places))
    drawn = [
        _text(24, 30, title, 16, font_weight="600"),
        _text(24, 48, shown.note, 12, fill=GREY) if shown.note else "",
        *(_card(card, shown) for card in places.cards),
        *_edges(shown.edges, places, steps),
        *_refused(shown, places, steps),
        *(_pill(one.identifier, shown.asked, places) for one in shown.identifiers),
        *_labels(shown.rejected, places),
        *legend,
    ]
    width = max(places.width, 24 + len(title) * 8.6, 640)
    height = places.height + 34 + 24 * _legend_rows(shown)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="{FONT}" fill="{INK}">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(drawn)}</svg>\n'
    )


def html(picture: str, title: str) -> str:
    """A page that shows the picture as large as it is, or as wide as the window."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>body{{margin:24px;background:#f1f3f5}}"
        "svg{display:block;margin:auto;max-width:100%;height:auto;border-radius:8px;"
        "box-shadow:0 1px 4px #0003}path.edge:hover{stroke-width:5}</style></head>"
        f"<body>{picture}</body></html>\n"
    )


def _value(identifier: str) -> str:
    value = identifier.partition(":")[2]
    return value if len(value) <= LONGEST else f"{value[:20]}…{value[-12:]}"


def _wide(text: str) -> float:
    return BESIDE + LETTER * len(text)


def _text(x: float, y: float, text: str, size: int = 12, **style: str) -> str:
    styled = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in style.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{styled}>{escape(text)}</text>'


def _card(card: Card, shown: Scene) -> str:
    is_own = card.profile_id == shown.profile_id and card.profile_id is not None
    fill, line = ("#f3f6ff", "#bac8ff") if is_own else ("#f8f9fa", FAINT)
    head = card.profile_id or "nobody's"
    total = shown.totals.get(card.profile_id or "", len(card.members))
    if len(card.columns) > 1:
        count = f"{total:,} identifier{'s' if total != 1 else ''}"
        head += f"  ·  {count}"
        if len(card.members) < total:
            head += f", {len(card.members):,} shown"
    return (
        f'<rect x="{card.x:.1f}" y="{card.y:.1f}" width="{card.width:.1f}" '
        f'height="{card.height:.1f}" rx="10" fill="{fill}" stroke="{line}"/>'
        + _text(card.x + 12, card.y + 19, head, 11, font_weight="600", fill=INK if is_own else GREY)
    )


def _marker(kind: str, x: float, y: float) -> str:
    """A shape and colour for each type, around a point."""
    fill = f'fill="{COLOURS.get(kind, GREY)}"'
    shapes: dict[str, list[Point]] = {
        "contact_id": [(0, -7), (7, 0), (0, 7), (-7, 0)],
        "email": [(-7, 0), (-3.5, -6), (3.5, -6), (7, 0), (3.5, 6), (-3.5, 6)],
        "phone": [(0, -7), (7, 5.5), (-7, 5.5)],
    }
    if kind in shapes:
        around = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in shapes[kind])
        return f'<polygon points="{around}" {fill}/>'
    if kind == "user_id":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6.5" {fill}/>'
    wide, round_ = (8, 2) if kind == "anonymous_id" else (12, 1)
    return (
        f'<rect x="{x - wide / 2:.1f}" y="{y - 6.5:.1f}" width="{wide}" height="13" '
        f'rx="{round_}" {fill}/>'
    )


def _pill(name: str, asked: str | None, places: Layout) -> str:
    x, y = places.places[name]
    kind = name.partition(":")[0]
    wide = places.widths[places.columns[name]]
    fill, line = (ASKED, 2.5) if name == asked else ("white", 1.3)
    return (
        f'<g><title>{escape(name)}</title><rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" '
        f'height="{PILL}" rx="{PILL / 2}" fill="{fill}" stroke="{COLOURS.get(kind, GREY)}" '
        f'stroke-width="{line}"/>{_marker(kind, x + 16, y + PILL / 2)}'
        f"{_text(x + 30, y + 17.5, _value(name))}</g>"
    )


def _route(a: str, b: str, places: Layout, shift: float = 0) -> Route:
    """From the side of one identifier to that of another; an arc within a column."""
    if places.columns[a] > places.columns[b]:
        a, b = b, a
    (ax, ay), (bx, by) = places.places[a], places.places[b]
    ay, by = ay + PILL / 2 + shift, by + PILL / 2 + shift
    first, last = places.columns[a], places.columns[b]
    if first == last:
        side = -1 if first == 0 else 1
        ax += places.widths[first] if side > 0 else 0
        out = ax + side * (min(22 + abs(by - ay) * 0.22, 78) + abs(shift))
        return [((ax, ay), (out, ay), (out, by), (ax, by))]
    ax += places.widths[first]
    if last - first == 1 or first + 1 not in places.x:
        return [_bend((ax, ay), (bx, by))]
    # Between two identifiers of the column that lies in between, so as not to seem to end there.
    left = places.x[first + 1]
    right = left + places.widths[first + 1]
    y = _gap(places, first + 1, (ay + by) / 2) + shift / 2
    return [
        _bend((ax, ay), (left, y)),
        ((left, y), (left, y), (right, y), (right, y)),
        _bend((right, y), (bx, by)),
    ]


def _bend(start: Point, end: Point) -> Curve:
    reach = (end[0] - start[0]) / 2
    return start, (start[0] + reach, start[1]), (end[0] - reach, end[1]), end


def _gap(places: Layout, column: int, y: float) -> float:
    """The height nearest to `y` at which no identifier stands in a column."""
    tops = [top for name, (_, top) in places.places.items() if places.columns[name] == column]
    free = [y, *(top - 5 for top in tops), *(top + PILL + 5 for top in tops)]
    return min(
        (one for one in free if not any(top - 3 < one < top + PILL + 3 for top in tops)),
        key=lambda one: abs(one - y),
    )


def _line(route: Route, colour: str, width: float, dashes: str = "", title: str = "") -> str:
    (x, y), *_ = route[0]
    drawn = f"M{x:.1f} {y:.1f}" + "".join(
        "C" + ", ".join(f"{x:.1f} {y:.1f}" for x, y in rest) for _, *rest in route
    )
    dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
    return (
        f'<path class="edge" d="{drawn}" fill="none" stroke="{colour}" '
        f'stroke-width="{width:.1f}"{dashed}><title>{escape(title)}</title></path>'
    )


def _edges(edges: Iterable[Edge], places: Layout, steps: set[frozenset[str]]) -> Iterator[str]:
    by_pair: dict[frozenset[str], list[Edge]] = defaultdict(list)
    for edge in edges:
        by_pair[frozenset((edge.a, edge.b))].append(edge)
    for pair, several in by_pair.items():
        if pair in steps:
            yield _line(_route(several[0].a, several[0].b, places), "#ffd43b", 11)
    for several in by_pair.values():
        for place, edge in enumerate(several):
            shift = (place - (len(several) - 1) / 2) * 4.5
            width = 1.4 + min(log10(max(edge.record_count, 1)), 3) * 0.6
            title = f"{edge.source}, {edge.record_count:,} records, {edge.a} – {edge.b}"
            route = _route(edge.a, edge.b, places, shift)
            colour = SOURCES.get(edge.source, GREY)
            yield _line(route, colour, width, _DASHES.get(edge.source, ""), title)


def _refused(shown: Scene, places: Layout, steps: set[frozenset[str]]) -> Iterator[str]:
    for one in shown.rejected:
        route = _route(one.a, one.b, places)
        if frozenset((one.a, one.b)) in steps:
            yield _line(route, "#ffd43b", 11)
        yield _line(route, REFUSED, 1.6, "6 4", f"{one.rule}: {one.reason}")


def _labels(rejected: Sequence[Rejected], places: Layout) -> Iterator[str]:
    """The rule on each rejected edge, where it hides nothing; else the colour must do."""
    taken = [
        (x, y, x + places.widths[places.columns[name]], y + PILL)
        for name, (x, y) in places.places.items()
    ]
    taken += [(card.x, card.y, card.x + 260, card.y + 26) for card in places.cards]
    for one, told in _told_once(rejected):
        wide = 12 + 5.9 * len(told)
        route = _route(one.a, one.b, places)
        for x, y in (_at(curve, along) for along in _ALONG for curve in (route[0], route[-1])):
            box = (x - wide / 2, y - 9, x + wide / 2, y + 9)
            if box[0] < 4 or any(_overlap(box, other) for other in taken):
                continue
            taken.append(box)
            yield (
                f'<rect x="{box[0]:.1f}" y="{box[1]:.1f}" width="{wide:.1f}" height="18" rx="9" '
                f'fill="#fff5f5" stroke="{REFUSED}"/>'
                + _text(x, y + 4, told, 11, fill="#c92a2a", text_anchor="middle")
            )
            break


def _told_once(rejected: Sequence[Rejected]) -> Iterator[tuple[Rejected, str]]:
    """What stands on which edge: where one identifier is refused by many, once for all of them."""
    alike = Counter((end, one.rule) for one in rejected for end in (one.a, one.b))
    told = set()
    for one in rejected:
        rule = one.rule.replace("_", " ")
        most = max((one.a, one.rule), (one.b, one.rule), key=lambda end: (alike[end], end))
        if alike[most] <= _EACH:
            yield one, rule
        elif most not in told:
            told.add(most)
            yield one, f"{rule} ×{alike[most]}"


def _at(curve: Curve, t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3)
    x, y = (sum(w * p[axis] for w, p in zip(weights, curve, strict=True)) for axis in (0, 1))
    return x, y


Box = tuple[float, float, float, float]


def _overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _legend_rows(shown: Scene) -> int:
    return 2 + bool(shown.rejected or shown.asked)


def _legend(shown: Scene, places: Layout) -> Iterator[str]:
    y = places.height + 30
    x: float = LEFT - 68
    kinds = {one.kind for one in shown.identifiers}
    for kind in (kind for kind in KNOWN_TYPES if kind in kinds):
        yield _marker(kind, x + 7, y - 4) + _text(x + 20, y, kind, 11, fill=GREY)
        x += 40 + 6.2 * len(kind)
    x, y = LEFT - 68, y + 24
    used = {edge.source for edge in shown.edges}
    for source in (source for source in SOURCES if source in used):
        route = [_bend((x, y - 4), (x + 24, y - 4))]
        yield _line(route, SOURCES[source], 3, _DASHES.get(source, ""))
        yield _text(x + 30, y, source, 11, fill=GREY)
        x += 52 + 6.2 * len(source)
    x, y = LEFT - 68, y + 24
    if shown.rejected:
        route = [_bend((x, y - 4), (x + 24, y - 4))]
        yield _line(route, REFUSED, 1.6, "6 4")
        yield _text(x + 30, y, "rejected, with the rule that forbids it", 11, fill=GREY)
        x += 250
    if shown.asked:
        yield (
            f'<rect x="{x:.1f}" y="{y - 11}" width="24" height="14" rx="7" fill="{ASKED}" '
            f'stroke="{INK}"/>' + _text(x + 30, y, "asked for", 11, fill=GREY)
        )
