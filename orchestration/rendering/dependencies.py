"""Who reads whom: the refs of Python models, and the order in which tables can be made."""

import ast
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from orchestration.rendering.places import FileError
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
    """The names, each after those it reads.

    Raises:
        FileError: some read each other in a circle.
    """
    known = {name: [one for one in read if one in refs] for name, read in refs.items()}
    try:
        return list(TopologicalSorter(known).static_order())
    except CycleError as error:
        raise FileError(circle_words(error.args[1][::-1])) from None


def circle(reads: Callable[[str], Sequence[str]], name: str) -> tuple[str, ...]:
    """The shortest way from a name to itself, as `("a", "b", "a")`; empty if there is none."""
    came = {name: ""}
    waiting = deque([name])
    while waiting:
        one = waiting.popleft()
        for read in reads(one):
            if read == name:
                way = [one, name]
                while came[way[0]]:
                    way.insert(0, came[way[0]])
                return tuple(way)
            if read not in came:
                came[read] = one
                waiting.append(read)
    return ()


def circle_words(way: Sequence[str]) -> str:
    """A circle, for people."""
    words = "reads itself" if len(way) == 2 else "reads itself, in a circle"
    return f"{words}: {' -> '.join(way)}"


def downstream(refs: Mapping[str, Sequence[str]], of: Iterable[str]) -> set[str]:
    """Names that read one of these, directly or through others; with these themselves."""
    found = set(of)
    for name in in_order(refs):
        if any(one in found for one in refs[name]):
            found.add(name)
    return found
