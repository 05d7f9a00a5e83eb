"""What the YAML of segments must be, judged before dbt reads it.

dbt's own words often name no file, and what it lets pass (`priority: high`) would become SQL. Not
here: columns, tests and whatever else dbt refuses with the name of the file.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestration.rendering.places import FileError
from orchestration.rendering.project import Project, read_yaml

_Fault = tuple[tuple[str, ...], str]  # the keys that lead there, and what is wrong


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return all(isinstance(one, str) for one in (value if isinstance(value, list) else [value]))


_BLOCK = ("must be a block of `name: value` lines", lambda value: isinstance(value, Mapping))
_LIST = ("must be a list", lambda value: isinstance(value, list))
_TEXT = ("must be text", lambda value: isinstance(value, str))
_NAME = ("must be a name", lambda value: isinstance(value, str) and bool(value.strip()))
_TRUTH = ("must be true or false", lambda value: isinstance(value, bool))
_WHOLE = ("must be a whole number, such as 1", _is_whole)
_NEVER = ("is not for segments: leave it out", lambda value: False)

_Kind = tuple[str, Callable[[Any], bool]]
_UNIT_TEST: Mapping[str, _Kind] = {
    "name": _NAME, "model": _NAME, "given": _LIST, "expect": _BLOCK,
}  # fmt: skip
_FILE: Mapping[str, _Kind] = {"models": _LIST, "unit_tests": _LIST, "sources": _NEVER}
_MODEL: Mapping[str, _Kind] = {
    "description": _TEXT, "columns": _LIST, "config": _BLOCK, "meta": _BLOCK,
}  # fmt: skip
_CONFIG: Mapping[str, _Kind] = {
    "meta": _BLOCK,
    "tags": ("must be text, or a list of texts", _is_texts),
    "enabled": ("must be true: to do without a segment, take its files away", lambda on: on is True)
}  # fmt: skip
_META: Mapping[str, _Kind] = {
    "owner": _NAME, "exclusive_set": _NAME, "priority": _WHOLE, "may_be_empty": _TRUTH,
    "may_hold_everybody": _TRUTH, "dagster": _NEVER,
}  # fmt: skip


def check_yaml(project: Project, file: Path) -> None:
    """Refuse a YAML file in the folder of segments that is not what it should be.

    Raises:
        FileError: with the place.
    """
    said = read_yaml(file)
    for keys, words in _faults(said, project, file):
        from orchestration.yaml_files import line_of  # only now: its import takes a while

        raise FileError(words, file, line_of(file, *keys))


def check_config(config: Mapping[str, Any], file: Path) -> None:
    """Refuse what `config(...)` in a segment's SQL says, if its YAML might not say it either.

    Raises:
        FileError: it is wrong.
    """
    for _, words in _of_config(config, ()):
        raise FileError(f"in config(): {words}", file)


def _faults(said: Any, project: Project, file: Path) -> Iterator[_Fault]:
    if said is None:
        return
    if _turns_back(said):
        yield (), "an alias (*) stands within what it stands for"
        return
    if not isinstance(said, Mapping):
        yield (), "must be a block that begins with `models:`"
        return
    yield from _typed(said, (), _FILE)
    entries = said.get("models", [])
    names: list[str] = []
    for place, entry in enumerate(entries):
        keys = ("models", str(place))
        if not isinstance(entry, Mapping) or not isinstance(entry.get("name"), str):
            yield keys, "a model must be a block with a `name:`"
            return
        name = entry["name"]
        if told := _told_elsewhere(project, file, name, names):
            yield (*keys, "name"), told
        names.append(name)
        yield from _typed(entry, keys, _MODEL)
        yield from _typed(entry.get("meta", {}), (*keys, "meta"), _META)
        yield from _of_config(entry.get("config", {}), (*keys, "config"))
    for place, test in enumerate(said.get("unit_tests", [])):
        yield from _of_unit_test(test, ("unit_tests", str(place)))


def _of_unit_test(test: Any, keys: tuple[str, ...]) -> Iterator[_Fault]:
    if not isinstance(test, Mapping):
        yield keys, "a unit test must be a block"
        return
    for name in _UNIT_TEST:
        if name not in test:
            yield keys, f"a unit test must have `{name}:`"
    yield from _typed(test, keys, _UNIT_TEST)


def _of_config(config: Mapping[str, Any], keys: tuple[str, ...]) -> Iterator[_Fault]:
    yield from _typed(config, keys, _CONFIG)
    yield from _typed(config.get("meta", {}), (*keys, "meta"), _META)


def _typed(
    block: Mapping[str, Any], keys: tuple[str, ...], kinds: Mapping[str, _Kind]
) -> Iterator[_Fault]:
    """What of a block is of another kind; its reader stops at the first, so others rely on it."""
    for name, (words, fits) in kinds.items():
        if name in block and not fits(block[name]):
            yield (*keys, name), f"{name} {words}"


def _told_elsewhere(project: Project, file: Path, name: str, before: list[str]) -> str:
    """Whether a model is described twice, of which dbt would not say in which file it is wrong."""
    if name in before:
        return f"{name} is described twice; keep one"
    model = project.models.get(name)
    own = model.yaml if model and file.stem != name else None
    return f"{name} has a YAML of its own, {own.name}; describe it there" if own else ""


def _turns_back(value: Any, above: tuple[Any, ...] = ()) -> bool:
    if any(value is one for one in above):
        return True
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_turns_back(one, (*above, value)) for one in inner)
