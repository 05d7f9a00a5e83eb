"""Jinja as dbt's macros need it: `return`, query results, and one namespace of all macros.

Knows nothing of models; `renderer.py` says what `ref` and the others mean.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import jinja2
from jinja2.runtime import Context, Macro

from orchestration.rendering.places import FileError

# What an expression in Jinja may raise, as in Python.
_FAILS = (ArithmeticError, AttributeError, LookupError, TypeError, jinja2.TemplateError)


class RenderError(FileError):
    """A model or macro cannot be rendered; the message names the file, where known the line."""

    is_certain = False


class TemplateError(RenderError):
    """It is no Jinja at all, whatever its macros and variables may be."""

    is_certain = True


class _Return(Exception):  # noqa: N818  # no error: how a macro's value leaves it
    def __init__(self, value: object) -> None:
        self.value = value


def give_back(value: object = None) -> NoReturn:
    """dbt's `return`: ends the macro that calls it with a value, not with text."""
    raise _Return(value)


class _Context(Context):
    """Calls as dbt makes them: what a macro returns is its value."""

    def call(self, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().call(__obj, *args, **kwargs)
        except _Return as returned:
            if isinstance(__obj, Macro):
                return returned.value
            raise


class Row:
    """A row of a query: by number, by name, or as an attribute, as dbt's are."""

    def __init__(self, names: Sequence[str], values: Sequence[Any]) -> None:
        self._names, self._values = names, values

    def __getitem__(self, key: int | str) -> Any:
        return self._values[key if isinstance(key, int) else self._names.index(key)]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._names:
            raise AttributeError(name)
        return self[name]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def values(self) -> tuple[Any, ...]:
        """The values in the order of the columns."""
        return tuple(self._values)


class Result:
    """What `run_query` gives."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        self.column_names = tuple(names)
        self.rows = [Row(self.column_names, row) for row in rows]

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)


# What is rendered is SQL, where HTML's escapes would be wrong.
_ENVIRONMENT = jinja2.Environment(  # noqa: S701
    extensions=["jinja2.ext.do", "jinja2.ext.loopcontrols"], undefined=jinja2.StrictUndefined
)
_ENVIRONMENT.context_class = _Context


@lru_cache(maxsize=2048)
def _template(text: str) -> jinja2.Template:
    """Compiled once for all namespaces: it is told which one when it is rendered."""
    return _ENVIRONMENT.from_string(text)


class Macros:
    """All macros of a folder in one namespace, and templates that see them.

    `namespace` may be added to at any time: names are looked up when they are used.
    """

    def __init__(self, folder: Path) -> None:
        self.namespace: dict[str, Any] = {**_ENVIRONMENT.globals, "return": give_back}
        self.names: set[str] = set()
        for path in sorted(folder.rglob("*.sql")):
            template = self._compiled(path.read_text(encoding="utf-8"), path)
            module = template.make_module(self.namespace, shared=True)
            found = {
                name: value for name, value in vars(module).items() if isinstance(value, Macro)
            }
            self.namespace.update(found)
            self.names.update(found)

    def _compiled(self, text: str, path: Path) -> jinja2.Template:
        try:
            return _template(text)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(str(error.message), path, error.lineno) from None

    def chunks(self, text: str, path: Path) -> list[str]:
        """A template rendered, in the pieces that it consists of.

        Raises:
            RenderError: it cannot be rendered.
        """
        template = self._compiled(text, path)
        context = template.new_context(self.namespace, shared=True)
        try:
            return list(template.root_render_func(context))
        except jinja2.UndefinedError as error:
            raise RenderError(str(error.message), path, _line_of(template, error)) from None
        except RenderError as error:
            raise RenderError(str(error), path, _line_of(template, error)) from None
        except (*_FAILS, _Return) as error:
            words = str(error) or "return() stands outside of a macro"
            raise RenderError(words, path, _line_of(template, error)) from None

    def call(self, name: str, *arguments: object, **named: object) -> Any:
        """What a macro gives: the text it makes, or what it returns.

        Raises:
            RenderError: it cannot be rendered.
        """
        try:
            return self.namespace[name](*arguments, **named)
        except _Return as returned:
            return returned.value
        except jinja2.UndefinedError as error:
            raise RenderError(f"{name}: {error.message}") from None


def _line_of(template: jinja2.Template, error: BaseException) -> int:
    """The line of the template, of which the first frame in the trace is."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename != "<template>":
        trace = trace.tb_next
    return template.get_corresponding_lineno(trace.tb_lineno) if trace else 1
