"""Who reads whom: the refs of Python models, and the order in which tables can be made."""

import ast
from collections.abc import Iterable, Mapping, Sequence
from graphlib import TopologicalSorter

from orchestration.rendering.project import Model


def python_refs(model: Model) -> tuple[str, ...]:
    """The models that a program asks for: its calls of `dbt.ref("name")`."""
    found = [
        node.args[0].value
        for node in ast.walk(ast.parse(model.text))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "ref"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]
    return tuple(dict.fromkeys(found))


def in_order(refs: Mapping[str, Sequence[str]]) -> list[str]:
    """The names, each after those it reads."""
    known = {name: [one for one in read if one in refs] for name, read in refs.items()}
    return list(TopologicalSorter(known).static_order())


def downstream(refs: Mapping[str, Sequence[str]], of: Iterable[str]) -> set[str]:
    """Names that read one of these, directly or through others; with these themselves."""
    found = set(of)
    for name in in_order(refs):
        if any(one in found for one in refs[name]):
            found.add(name)
    return found
