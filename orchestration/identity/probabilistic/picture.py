"""What the weight of one pair of contacts is made of: a table, and a waterfall as an SVG file.

The SVG needs nothing from elsewhere. It shows the values of both contacts, so it is personal data.
"""

from collections.abc import Iterator
from html import escape
from math import ceil, floor, log2
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from orchestration.identity.probabilistic.model import Model, Trained, train
from orchestration.identity.probabilistic.rules import Comparison, ProbabilisticRules

PRIOR, TOTAL = "before any comparison", "weight of the pair"
ROW, TOP, LEFT, WIDTH, RIGHT = 36, 66, 420, 420, 70
FOR, AGAINST, SUM, INK = "#2f8f5b", "#c4483d", "#3f5f8f", "#222222"
GREY, FAINT = "#666666", "#b8b8b8"
LEGEND = "Base-2 logarithm of the odds that both are one person: +1 doubles them."

# Splink's columns depend on the rules: weights are float, values are text.
Scores = dict[str, Any]
Row = dict[str, Any]


def contributions(
    contacts: pa.Table, rules: ProbabilisticRules, identifier_a: str, identifier_b: str
) -> pa.Table:
    """How much each comparison adds to the weight of a pair, whether it was proposed or not.

    Returns:
        `step`, `level` (what held), `value_a`, `value_b`, `weight`, `running` (the sum so far):
        first the prior, last the weight of the pair. How rare an agreed value is, is a step.

    Raises:
        LookupError: no contact has that identifier.
        ProbabilisticRulesError, NotEnoughContactsError: as `train`.
    """
    for identifier in (identifier_a, identifier_b):
        if not pc.any(pc.equal(contacts["identifier"], identifier)).as_py():
            raise LookupError(f"no contact has the identifier {identifier}")
    trained = train(contacts, rules)
    pair = _scored(trained, identifier_a, identifier_b)
    running, rows = 0.0, []
    for step, level, value_a, value_b, weight in _steps(trained.model, rules, pair):
        running += weight
        rows.append((step, level, value_a, value_b, round(weight, 6), round(running, 6)))
    rows.append((TOTAL, "", "", "", rows[-1][-1], rows[-1][-1]))
    names = ("step", "level", "value_a", "value_b", "weight", "running")
    return pa.table(dict(zip(names, zip(*rows, strict=True), strict=True)))


def _scored(trained: Trained, identifier_a: str, identifier_b: str) -> Scores:
    """Splink's row of the pair; of several contacts with these identifiers, the best pair's."""
    left, right = (
        trained.api.register(
            trained.connection.execute(
                "select * from contacts where identifier = ? order by contact", [identifier]
            ).to_arrow_table()
        )
        for identifier in (identifier_a, identifier_b)
    )
    scores: list[Scores] = trained.linker.inference.score_pairs(left, right).as_record_list()
    return min(scores, key=lambda row: (-row["match_weight"], row["contact_l"], row["contact_r"]))


def _steps(
    model: Model, rules: ProbabilisticRules, pair: Scores
) -> Iterator[tuple[str, str, str, str, float]]:
    prior = model["probability_two_random_records_match"]
    yield PRIOR, "how rare pairs are among all", "", "", log2(prior / (1 - prior))
    for rule, comparison in zip(rules.comparisons, model["comparisons"], strict=True):
        name = comparison["output_column_name"]
        levels = [x for x in comparison["comparison_levels"] if not x.get("is_null_level")]
        # Splink numbers the levels from the worst, which is 0; -1 is a missing value.
        number = int(pair[f"gamma_{name}"])
        level = levels[-1 - number]["label_for_charts"] if number >= 0 else "a value is missing"
        step = " and ".join(rule.names)
        yield step, level, _value(rule, pair, "l"), _value(rule, pair, "r"), pair[f"mw_{name}"]
        if rarity := pair.get(f"mw_tf_adj_{name}", 0.0):
            yield step, "how rare the value is", "", "", rarity


def _value(rule: Comparison, pair: Scores, side: str) -> str:
    return " ".join(str(pair[f"{name}_{side}"] or "-") for name in rule.names)


def waterfall(steps: pa.Table, title: str, accept_weight: float) -> str:
    """The contributions of a pair as an SVG: a bar from sum to sum, and the accept threshold."""
    rows = steps.to_pylist()
    sums = [0.0, accept_weight, *(row["running"] for row in rows)]
    low, high = floor(min(sums)) - 1, ceil(max(sums)) + 1
    height = TOP + ROW * len(rows) + 44

    def across(weight: float) -> float:
        return float(LEFT + (weight - low) / (high - low) * WIDTH)

    drawn = [
        _text(16, 26, title, 15, font_weight="bold"),
        _text(16, 46, LEGEND, fill=GREY),
    ]
    bottom = height - 38
    every = max(1, round((high - low) / 10))
    for tick in range(ceil(low / every) * every, high + 1, every):
        drawn.append(_line(across(tick), bottom, "#ececec"))
        drawn.append(_text(across(tick), height - 22, str(tick), fill=GREY, text_anchor="middle"))
    before = 0.0
    for number, row in enumerate(rows):
        start = 0.0 if row["step"] in (PRIOR, TOTAL) else before
        drawn += _bar(row, TOP + ROW * number, across(start), across(row["running"]))
        before = row["running"]
    accepted = across(accept_weight)
    drawn += [
        _line(across(0), bottom, FAINT),
        _line(accepted, bottom, INK, "4 3"),
        _text(accepted, height - 6, f"accepted from {accept_weight:g}", text_anchor="middle"),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LEFT + WIDTH + RIGHT}" '
        f'height="{height}" font-family="sans-serif" fill="{INK}">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(drawn)}</svg>\n'
    )


def _bar(row: Row, top: float, start: float, end: float) -> Iterator[str]:
    """One step: what was compared, what held, the bar and its weight."""
    weight = row["weight"]
    colour = FOR if weight > 0 else AGAINST if weight < 0 else FAINT
    colour = SUM if row["step"] in (PRIOR, TOTAL) else colour
    yield _text(16, top + 10, row["step"], 12, font_weight="bold")
    yield _text(16, top + 24, _short(row["level"], 64), fill=GREY)
    if row["value_a"]:
        values = _short(f"{row['value_a']} | {row['value_b']}", 36)
        yield _text(LEFT - 12, top + 10, values, text_anchor="end")
    left, wide = min(start, end), max(abs(end - start), 1)
    yield f'<rect x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{ROW - 14}" fill="{colour}"/>'
    yield _text(max(start, end) + 5, top + 14, f"{weight:+.1f}")


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _text(x: float, y: float, text: str, size: int = 11, **style: str) -> str:
    styled = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in style.items())
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}"{styled}>{escape(text)}</text>'


def _line(x: float, bottom: float, colour: str, dashes: str = "none") -> str:
    return (
        f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 6}" y2="{bottom}" stroke="{colour}" '
        f'stroke-dasharray="{dashes}"/>'
    )
