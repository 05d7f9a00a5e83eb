"""Writes docs/published.md from the models' YAML: `python -m orchestration.published_page`.

Tables, columns, versions and readers have their one home there; a test says so when the page is
not written anew. How to read, and what may be relied on, is `published_page.md` beside this module.
"""

from collections.abc import Mapping

import yaml

from orchestration.publication.changelog import Entry, read_changelog
from orchestration.publication.contract import Contract, read_contracts
from orchestration.resources.settings import DBT_PROJECT, PROJECT_ROOT, PUBLISHED_MODELS

PAGE = PROJECT_ROOT / "docs" / "published.md"
CHANGELOG = DBT_PROJECT / "published_changelog.yml"
_ABOUT = PROJECT_ROOT / "orchestration" / "published_page.md"
_ALL = "published_snapshot"  # the exposure of those who read snapshots, which is all tables


def readers() -> dict[str, list[str]]:
    """The exposures that name each model, by their labels; that of whole snapshots left out."""
    raw = yaml.safe_load((DBT_PROJECT / "models" / "exposures.yml").read_text())
    found: dict[str, list[str]] = {}
    for exposure in raw["exposures"]:
        if exposure["name"] != _ALL:
            for read in exposure["depends_on"]:
                found.setdefault(read.split("'")[1], []).append(exposure["label"])
    return found


def page() -> str:
    """The page as it should be."""
    contracts = read_contracts(PUBLISHED_MODELS)
    entries, reading = read_changelog(CHANGELOG), readers()
    rows = [f"| [{one.name}](#{one.name}) | {one.description} |" for one in contracts.values()]
    parts = [
        _ABOUT.read_text(),
        "\n".join(["## Tables", "", "| table | what it is |", "| --- | --- |", *rows, ""]),
        *(_table(one, entries, reading) for one in contracts.values()),
    ]
    return "\n".join(parts)


def _table(one: Contract, entries: list[Entry], reading: Mapping[str, list[str]]) -> str:
    key = ", ".join(f"`{name}`" for name in one.key) or "none but the whole row"
    lines = [f"### {one.name}", "", one.description, "", f"- Grain: {one.grain}", f"- Key: {key}"]
    lines.append(f"- Version: {_version(one)}")
    if one.model in reading and one.deprecation_date is None:
        lines.append(f"- Read by: {', '.join(reading[one.model])}, and readers of snapshots")
    if one.is_private:
        lines.append("- **Contact data**: only the owner of the snapshots can read its file")
    for entry in entries:
        if (entry.model, entry.version) == (one.model, one.version):
            lines.append(f"- {entry.changed_on}: {entry.words}")
    lines += ["", "| column | type | meaning |", "| --- | --- | --- |"]
    for column in one.columns:
        meaning = column["description"].replace("|", "\\|")
        lines.append(f"| `{column['name']}` | {column['data_type']} | {meaning} |")
    return "\n".join([*lines, ""])


def _version(one: Contract) -> str:
    if one.deprecation_date:
        return f"{one.version}, which stays until {one.deprecation_date}; `{one.model}` is newer"
    return str(one.version)


if __name__ == "__main__":
    PAGE.write_text(page())
