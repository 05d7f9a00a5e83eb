"""The card of a version: what it is, what it was made of, how well it does, in Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from orchestration.predictions.metrics import WORDS


def figure_words(name: str) -> str:
    """A figure's name for people."""
    return WORDS.get(name, name.replace("_", " "))


def family_words(name: str) -> str:
    """A family's or baseline's name for people."""
    return name.replace("_", " ")


def card(entry: Mapping[str, Any], pictures: Sequence[Path]) -> str:
    """The card, from a version's entry (model.json) and the pictures beside it."""
    state = f"**Refused**: {entry['refused']}." if entry["refused"] else "Accepted."
    what = _prediction_lines(entry) if entry["kind"] != "clusters" else _cluster_lines(entry)
    shown = [f"![{one.stem}]({one.name})" for one in pictures]
    return "\n".join(
        [f"# {entry['name']} v{entry['version']}", "", entry["description"], "", state, "",
         *what, *_made_of(entry), "", *shown, ""]
    )  # fmt: skip


def metrics_table(entry: Mapping[str, Any]) -> list[str]:
    """All families and baselines at the test cutoff, as a Markdown table."""
    rows: list[tuple[str, Mapping[str, float]]] = [
        (family_words(one["family"]), one["figures"]) for one in entry["families"]
    ]
    rows += [(family_words(name), figures) for name, figures in entry["baselines"].items()]
    names = list(entry["figures"])
    winner = family_words(entry["family"])
    lines = [
        f"| model | {' | '.join(figure_words(name) for name in names)} |",
        f"|---|{'---:|' * len(names)}",
    ]
    for model, figures in rows:
        said = f"**{model}**" if model == winner else model
        lines.append(f"| {said} | {' | '.join(f'{figures[name]:.3f}' for name in names)} |")
    return lines


def _prediction_lines(entry: Mapping[str, Any]) -> list[str]:
    return [
        f"The winner is {family_words(entry['family'])} ({_said(entry['setting'])}), chosen "
        f"{entry['chosen_by']}. All were then judged at {entry['test_cutoff']}, on "
        f"{entry['test_rows']:,} profiles that nothing was chosen by"
        + (
            f", of whom {entry['test_share']:.1%} had the outcome:"
            if "test_share" in entry
            else ":"
        ),
        "",
        *metrics_table(entry),
        "",
    ]


def _cluster_lines(entry: Mapping[str, Any]) -> list[str]:
    lines = [
        f"{len(entry['clusters'])} clusters by {entry['algorithm']}, of {entry['rows']:,} profiles "
        f"at {entry['test_cutoff']}.",
        "",
        "| cluster | share | what sets it apart |",
        "|---|---:|---|",
    ]
    lines += [
        f"| {one['name']} (no. {one['number']}) | {one['share']:.1%} | {one['description']} |"
        for one in entry["clusters"]
    ]
    lines += ["", "| candidate | clusters | silhouette | stability | noise | not chosen because |",
              "|---|---:|---:|---:|---:|---|"]  # fmt: skip
    lines += [
        f"| {one['algorithm']} | {one['clusters']} | {one['silhouette']:.3f} | "
        f"{one['stability']:.3f} | {one['noise']:.1%} | {one['why_not']} |"
        for one in entry["candidates"]
    ]
    return [*lines, ""]


def _made_of(entry: Mapping[str, Any]) -> list[str]:
    told = {
        "about": f"`{entry['of']}`",
        "outcome": f"`{entry['outcome']}` within {entry['horizon_days']} days"
        if "outcome" in entry
        else "",
        "data": f"{entry['first_day']} to {entry['as_of']}, {entry['rows']:,} rows"
        + (f" of cutoffs {', '.join(entry['fit_cutoffs'])}" if "fit_cutoffs" in entry else ""),
        "features": ", ".join(f"`{name}`" for name in entry["features"]),
        "seed": str(entry["seed"]),
        "code": entry["code"],
        "trained at": f"{entry['trained_at']} with scikit-learn {entry['scikit_learn']}",
    }
    return [f"- {name}: {value}" for name, value in told.items() if value]


def _said(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in setting.items())
