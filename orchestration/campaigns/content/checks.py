"""Whether words keep to what their template declares: names, fields, filters and blocks."""

from collections.abc import Collection, Iterator

from liquid import BoundTemplate
from liquid.exceptions import LiquidError, TemplateNotFoundError
from liquid.static_analysis import Variable

from orchestration.campaigns.content.declared import NOT_SAID, PRODUCT_FIELDS, Brand
from orchestration.campaigns.content.language import FILTERS, OWN_FILTERS
from orchestration.campaigns.content.words import TemplateError, Words
from orchestration.near import did_you_mean

ALWAYS = ("brand", "locale")
LAYOUT = (*ALWAYS, "subject", "preview", "content")
_LOOP = ("first", "index", "index0", "last", "length", "rindex", "rindex0")
_LIST = ("first", "last", "size")
_BRAND = tuple(name for name in Brand.model_fields if name not in NOT_SAID)


def check_words(words: Words, declared: Collection[str], template: str) -> None:
    """All parts of one locale.

    Args:
        words: of one locale.
        declared: names of the inputs.
        template: path of template.yml as it is to be told.

    Raises:
        TemplateError: something is used that is not declared, or not there.
    """
    used = set()
    for name, part in words.parts.items():
        known = LAYOUT if name == "layout" else (*ALWAYS, *declared)
        used |= _check_part(words, part, known, template)
    if unused := sorted(set(declared) - used):
        raise TemplateError(
            f"{words.path}: {unused[0]} is an input of {template} and stands nowhere here; use it "
            "or take it out"
        )


def _check_part(
    words: Words, part: BoundTemplate, known: Collection[str], template: str
) -> set[str]:
    try:
        found = part.analyze(include_partials=True)
    except TemplateNotFoundError as error:
        raise TemplateError(_no_block(words, part, error)) from None
    except LiquidError as error:
        index = error.token.start_index if error.token else 0
        block = error.template_name or part.name
        raise TemplateError(f"{words.place(str(block), index)}: {error.message}") from None
    for name, variables in found.globals.items():
        if name not in known:
            where = words.place(variables[0].span.template_name, variables[0].span.index)
            near = did_you_mean(name, known, f"; there are {', '.join(sorted(known))}")
            raise TemplateError(f"{where}: {name} is no input of {template}{near}")
    for variables in found.variables.values():
        for variable in variables:
            for field, there in _unknown_fields(variable):
                where = words.place(variable.span.template_name, variable.span.index)
                near = did_you_mean(field, there, f"; there are {', '.join(there)}")
                raise TemplateError(f"{where}: {variable} has no {field}{near}")
    there = (*FILTERS, *OWN_FILTERS)
    for name, spans in found.filters.items():
        if name not in there:
            where = words.place(spans[0].template_name, spans[0].index)
            near = did_you_mean(name, there, f"; there are {', '.join(sorted(there))}")
            raise TemplateError(f"{where}: there is no filter '{name}'{near}")
    return set(found.globals)


def _unknown_fields(variable: Variable) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Fields behind a name that nothing has; only brand, loops and products have any."""
    root, *fields = variable.segments
    there = {"brand": _BRAND, "forloop": _LOOP}.get(str(root), (*PRODUCT_FIELDS, *_LIST))
    for field in fields:
        if not isinstance(field, int) and field not in there:
            yield str(field), there


def _no_block(words: Words, part: BoundTemplate, error: TemplateNotFoundError) -> str:
    name = str(error.args[0]) if error.args else ""
    source = next(
        (
            one
            for one in words.sources.values()
            if f"'{name}'" in one.text or f'"{name}"' in one.text
        ),
        words.sources[part.name],
    )
    line = source.line(source.text.find(name))
    there = [one for one in words.sources if one not in words.parts]
    near = did_you_mean(name, there, f"; there are {', '.join(sorted(there)) or 'none'}")
    return (
        f"{source.path}, line {line}: there is no block '{name}' of {words.path.stem} in _blocks/"
        f"{near}"
    )
