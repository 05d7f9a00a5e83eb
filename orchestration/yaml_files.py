"""YAML files that people write, validated; what is wrong is told with file, line and cure.

Belongs here: reading a file into a pydantic model. What the models mean belongs to their rooms.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast, get_args

import yaml
from pydantic import BaseModel, ValidationError

from orchestration.near import did_you_mean

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)


def load_validated(path: Path, model: type[Model], fail: type[ValueError]) -> Model:
    """A file as a model.

    Args:
        path: of the file.
        model: what it must be.
        fail: the error to raise.

    Raises:
        fail: it cannot be read, is no YAML, or not what it must be; file, line and cure are named.
    """
    try:
        text = path.read_text(encoding="utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        raw = yaml.safe_load(text)
    except OSError as error:
        raise fail(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise fail(f"{path} is not UTF-8 text") from None
    except ValueError as error:  # a date such as 2026-13-01, which YAML would make one
        line = _unmade(root) if root else 1
        raise fail(
            f"{path}, line {line}: {error}; write a date as 2026-12-31, and text in quotes"
        ) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise fail(
            f"{path}, line {line}: no YAML: {error.problem}; look at indentation, quotes, brackets "
            "and colons there and just above"
        ) from None
    except yaml.YAMLError as error:
        raise fail(f"{path}, line 1: no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(raw, dict) or not isinstance(root, yaml.MappingNode):
        first = next(iter(model.model_fields))
        raise fail(f"{path}, line 1: not a block of rules, `{first}:` first of all")
    if twice := _said_twice(root):
        line = twice.start_mark.line + 1
        raise fail(f"{path}, line {line}: {twice.value} stands there twice; keep one")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise fail(_told(path, text, root, model, error)) from None


def line_of(path: Path, *keys: str) -> int:
    """The line of a file, from 1, on which a path of keys ends; 1 if it is not there."""
    text = path.read_text(encoding="utf-8")
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return _line_of(text, root, list(keys), "") if root else 1


def _unmade(root: yaml.Node) -> int:
    """The line of the first value that looks like a date and is none."""
    nodes: list[yaml.Node] = [root]
    for node in nodes:
        if isinstance(node, yaml.CollectionNode):
            parts = (one for part in node.value for one in _both(part))
            nodes += [one for one in parts if not any(one is other for other in nodes)]
            continue
        try:
            yaml.SafeLoader("").construct_object(node)
        except ValueError:
            return node.start_mark.line + 1
    return 1


def _both(part: yaml.Node | tuple[yaml.Node, yaml.Node]) -> tuple[yaml.Node, ...]:
    """A key and its value, or an item of a list."""
    return part if isinstance(part, tuple) else (part,)


def _said_twice(root: yaml.Node) -> yaml.Node | None:
    """The second of two equal keys, of which YAML would keep one without a word."""
    nodes: list[yaml.Node] = [root]
    for node in nodes:
        keys = set()
        for part in node.value if isinstance(node, yaml.CollectionNode) else []:
            key, value = part if isinstance(node, yaml.MappingNode) else (None, part)
            if key and key.value in keys:
                return cast(yaml.Node, key)
            if key:
                keys.add(key.value)
            if not any(value is other for other in nodes):  # an alias may lead back
                nodes.append(value)
    return None


# pydantic's words for what people get wrong, in ours.
_CURES = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must be a block of `name: value` lines, not a list or a single value",
    "float_parsing": "must be a number, without quotes",
    "float_type": "must be a number, without quotes",
    "int_parsing": "must be a whole number, without quotes",
    "extra_forbidden": "there is no such setting",
    "int_type": "must be a whole number, without quotes",
    "list_type": "must be a list",
    "missing": "is missing",
    "model_type": "must be a block, such as {limit: 5}; {} where nothing is to be said",
    "string_type": "must be text; put it in quotes",
}


def _told(
    path: Path, text: str, root: yaml.Node, model: type[BaseModel], error: ValidationError
) -> str:
    """The first fault, with the line that it is about."""
    faults = error.errors(include_url=False)
    # Where there are several kinds of a block, each has its fault; the one that goes furthest into
    # the file is of the kind that was meant.
    alike = [one for one in faults if one["loc"][:1] == faults[0]["loc"][:1]]
    fault = max(alike, key=lambda one: len(_steps(root, one)))
    steps = _steps(root, fault)
    message = _CURES.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
    message = message.replace("Input should be", "must be")
    if fault["type"] == "greater_than_equal":
        message = f"must be {fault['ctx']['ge']} or more"
    if fault["type"] == "extra_forbidden":
        known = _settings(model, steps[:-1])
        message += did_you_mean(steps[-1], known, f"; there are {', '.join(known)}")
    quoted = message.split("'")[1] if "'" in message else ""
    line = _line_of(text, root, steps, quoted)
    where = f" {'.'.join(steps)}:" if steps else ""
    return f"{path}, line {line}:{where} {message}"


def _settings(model: type[BaseModel], steps: Sequence[str]) -> list[str]:
    """What may be written in the block of a model to which the steps lead."""
    models = [model]
    for step in steps:
        fields = [one.model_fields[step] for one in models if step in one.model_fields]
        # Any other step is a key or a place, and leads to what the block or list is made of.
        if fields:
            models = [one for field in fields for one in _models(field.annotation)]
    return list(dict.fromkeys(name for one in models for name in one.model_fields))


def _models(annotation: object) -> list[type[BaseModel]]:
    """The models in a type such as `Mapping[str, Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [one for part in get_args(annotation) for one in _models(part)]


def _steps(root: yaml.Node, fault: "ErrorDetails") -> list[str]:
    """Where a fault is, in keys and places of the file; pydantic puts names of its own between."""
    node, steps = root, []
    for step in fault["loc"]:
        found = _below(node, str(step))
        if found:
            node = found[1]
        if found or (fault["type"] == "missing" and step is fault["loc"][-1]):
            steps.append(str(step))
    return steps


def _below(node: yaml.Node, step: str) -> tuple[yaml.Node, yaml.Node] | None:
    """What stands under a key or at a place of a list, with the node that its line is told by."""
    if isinstance(node, yaml.MappingNode):
        return next((pair for pair in node.value if pair[0].value == step), None)
    if isinstance(node, yaml.SequenceNode) and step.isdigit() and int(step) < len(node.value):
        return node.value[int(step)], node.value[int(step)]
    return None


def _line_of(text: str, root: yaml.Node, steps: list[str], quoted: str) -> int:
    """The line on which a path of keys ends, or on which a name stands."""
    node, line = root, 1
    for step in steps or [quoted]:
        if found := _below(node, step):
            line, node = found[0].start_mark.line + 1, found[1]
    if not steps and quoted and node is root:
        for number, content in enumerate(text.splitlines(), start=1):
            if quoted in content.split("#")[0]:
                return number
    return line
