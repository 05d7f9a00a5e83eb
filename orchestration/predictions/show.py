"""Models in a terminal: a list, a version, two side by side."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from orchestration.predictions.card import family_words, figure_words
from orchestration.predictions.definitions import Predictions
from orchestration.predictions.registry import Registry, Version
from orchestration.predictions.scoring import last_outcomes
from orchestration.predictions.training import deciding
from orchestration.segments.show import table as plain_table

_MOST_FEATURES = 10
_ORIGIN = {
    "trained at": "trained_at",
    "data up to": "as_of",
    "judged at": "test_cutoff",
    "rows": "rows",
    "code": "code",
}


def print_outcome(console: Console, made: Version) -> None:
    """One line on what a training made."""
    state = f"refused: {made.refused}" if made.refused else "current"
    console.print(f"{made.name} v{made.number}: {_headline(made.entry)}; {state}")


def _headline(entry: Mapping[str, Any]) -> str:
    if entry["kind"] == "clusters":
        return f"{len(entry['clusters'])} clusters by {entry['algorithm']}"
    name = deciding(entry["kind"] == "probability")
    reached = entry["figures"][name]
    others = ", ".join(
        f"{family_words(other)} {figures[name]:.3f}"
        for other, figures in entry["baselines"].items()
    )
    return f"{family_words(entry['family'])}, {figure_words(name)} {reached:.3f} ({others})"


def print_list(console: Console, definitions: Predictions, registry: Registry) -> None:
    """A line for each entry."""
    scored_at, outcomes = last_outcomes(registry)
    table = plain_table(
        "model", "in use", "how good", "drift", right=("drift",), folds=("how good",)
    )
    for name in (*definitions.predictions, *definitions.clusters):
        version = registry.current(name)
        made = registry.versions(name)
        if version is None:
            table.add_row(
                name, "-", "every version was refused" if made else "not trained yet", "-"
            )
            continue
        one = outcomes.get(name)
        is_scored = one is not None and one.version == version.number
        drift = max(one.drift.values(), default=0.0) if one and is_scored else None
        table.add_row(
            name,
            f"v{version.number}",
            _headline(version.entry),
            "-" if drift is None else f"{drift:.2f}",
        )
    console.print(table)
    limit = definitions.training.drift_limit
    console.print(
        f"drift: the largest population stability index when last scored ({scored_at or 'never'}); "
        f"above {limit:g} train again",
        style="dim",
    )


def print_version(console: Console, version: Version, registry: Registry) -> None:
    """What is known of a version."""
    entry = version.entry
    current = registry.current(version.name)
    state = "current" if current and current.number == version.number else "not in use"
    console.print(f"{version.name} v{version.number}, {state}", style="bold")
    console.print(entry["description"], style="dim")
    if version.refused:
        console.print(f"refused: {version.refused}", style="red")
    console.print()
    if entry["kind"] == "clusters":
        _print_clusters(console, entry)
    else:
        _print_figures(console, entry)
    console.print(f"of {entry['of']}; data {entry['first_day']} to {entry['as_of']}")
    console.print(f"card and pictures: {version.folder}")
    for line in registry.history(version.name)[-5:]:
        what = f"v{line['version']}" if line["version"] else "none"
        console.print(f"{line['at']}  {what} current: {line['why']}", style="dim")


def _print_figures(console: Console, entry: Mapping[str, Any]) -> None:
    names = list(entry["figures"])
    words = [figure_words(one) for one in names]
    table = plain_table("judged", *words, right=words, folds=("judged", *words))
    for one in entry["families"]:
        mark = "* " if one["family"] == entry["family"] else "  "
        table.add_row(mark + family_words(one["family"]), *_cells(one["figures"], names))
    for name, figures in entry["baselines"].items():
        table.add_row("  " + family_words(name), *_cells(figures, names))
    console.print(table)
    console.print(
        f"* in use; judged at {entry['test_cutoff']} on {entry['test_rows']:,} profiles",
        style="dim",
    )
    console.print()
    looked = plain_table("it looks at", "mean contribution", right=("mean contribution",))
    for name, value in list(entry["features"].items())[:_MOST_FEATURES]:
        looked.add_row(name, f"{value:.3f}")
    console.print(looked)
    console.print()


def _print_clusters(console: Console, entry: Mapping[str, Any]) -> None:
    table = plain_table(
        "cluster", "share", "what sets it apart", right=("share",), folds=("what sets it apart",)
    )
    for one in entry["clusters"]:
        table.add_row(one["name"], f"{one['share']:.1%}", one["description"])
    console.print(table)
    console.print()


def _cells(figures: Mapping[str, float], names: list[str]) -> list[str]:
    return [f"{figures[name]:.3f}" for name in names]


def print_comparison(console: Console, first: Version, second: Version) -> None:
    """Two versions side by side."""
    console.print(f"{first.name}: v{first.number} and v{second.number}", style="bold")
    versions = [f"v{first.number}", f"v{second.number}"]
    table = plain_table("", *versions, right=versions)
    for label, key in _ORIGIN.items():
        table.add_row(label, str(first.entry[key]), str(second.entry[key]))
    if "figures" in first.entry and "figures" in second.entry:
        table.add_row("model", *(family_words(one.entry["family"]) for one in (first, second)))
        for name, value in first.entry["figures"].items():
            table.add_row(
                figure_words(name), f"{value:.3f}", f"{second.entry['figures'][name]:.3f}"
            )
    else:
        table.add_row("clusters", *(str(len(one.entry["clusters"])) for one in (first, second)))
        for one in (first, second):
            names = ", ".join(each["name"] for each in one.entry["clusters"])
            console.print(f"v{one.number}: {names}", style="dim")
    table.add_row("refused", *("yes" if one.refused else "no" for one in (first, second)))
    console.print(table)
