"""The Liquid that templates may use: a short list of tags and filters, with limits.

Deliberately not here: `include`, which shares all names; `date`, which reads the clock as 'now';
`safe`, which switches escaping off; and whatever else could reach beyond the declared inputs.
"""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from liquid import CachingDictLoader, Environment, StrictUndefined
from liquid.exceptions import FilterArgumentError

TAGS = ("if", "unless", "case", "for", "break", "continue", "cycle", "assign", "capture", "echo",
        "comment", "#", "liquid", "render")  # fmt: skip
FILTERS = (
    "append", "at_least", "at_most", "capitalize", "ceil", "concat", "default", "divided_by",
    "downcase", "escape", "first", "floor", "join", "last", "map", "minus", "modulo", "plus",
    "prepend", "remove", "replace", "reverse", "round", "size", "slice", "sort", "split", "strip",
    "times", "truncate", "truncatewords", "uniq", "upcase", "url_encode", "where",
)  # fmt: skip
OWN_FILTERS = ("money", "number", "day", "translate")
_INNER = ("content", "output", "illegal")  # plain text, {{ }}, and what is neither


class Language(Environment):
    """One locale's templates of one kind, and the blocks that they may render."""

    block_nesting_limit = 10
    context_depth_limit = 10
    loop_iteration_limit = 1_000
    local_namespace_limit = 200_000
    output_stream_limit = 400_000

    def __init__(
        self,
        locale: str,
        is_html: bool,
        blocks: Mapping[str, str],
        translations: Mapping[str, str],
    ) -> None:
        """Args:
        locale: such as de; of amounts and dates.
        is_html: whether values are escaped.
        blocks: sources of the shared blocks, by name.
        translations: of values such as categories, into this language.
        """
        loader = CachingDictLoader(dict(blocks), auto_reload=False)
        super().__init__(
            loader=loader, undefined=StrictUndefined, autoescape=is_html, strict_filters=True
        )
        self.locale, self.is_html = locale, is_html
        self.tags = {name: self.tags[name] for name in (*_INNER, *TAGS)}
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.add_filter("money", lambda value, currency="EUR": _money(value, currency, locale))
        self.add_filter("number", lambda value: _number(value, locale))
        self.add_filter("day", lambda value: _day(value, locale))
        self.add_filter("translate", lambda value: translations.get(str(value).lower(), value))


def _decimal(value: object, name: str) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise FilterArgumentError(f"{name}: '{value}' is no number", token=None) from None


def _money(value: object, currency: object, locale: str) -> str:
    return _money_of(_decimal(value, "money"), str(currency or "EUR"), locale)


@lru_cache(100_000)
def _money_of(value: Decimal, currency: str, locale: str) -> str:
    return str(format_currency(value, currency, locale=locale))


@lru_cache(100_000)
def _number_of(value: Decimal, locale: str) -> str:
    return str(format_decimal(value, locale=locale))


def _number(value: object, locale: str) -> str:
    return _number_of(_decimal(value, "number"), locale)


def _day(value: Any, locale: str) -> str:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise FilterArgumentError(f"day: '{value}' is no date", token=None) from None
    if not isinstance(value, date):
        raise FilterArgumentError(f"day: '{value}' is no date", token=None)
    return str(format_date(value, "long", locale=locale))
