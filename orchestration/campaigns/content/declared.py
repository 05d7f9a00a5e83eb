"""The shapes of `template.yml` and `brand.yml`: what a template may say, and who is speaking.

Belongs here: what can be judged from one file alone. Whether the words keep to it is checks.py.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orchestration.campaigns.content.sizes import LIMITS
from orchestration.campaigns.fields import Name, Text

PRODUCT_FIELDS = ("product_id", "name", "category", "brand", "price", "currency", "url")
NOT_SAID = ("locales", "words")  # of brand.yml, what no template can name
Locale = Annotated[str, Field(pattern=r"^[a-z]{2}(_[A-Z]{2})?$")]
_Source = r"^(profile\.[a-z][a-z0-9_]*|payload(\.[a-z][a-z0-9_]*)+|products)$"


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Input(_Block):
    """A value that the words may use: where it comes from, and what stands there without it."""

    source: Annotated[str, Field(pattern=_Source)] = Field(
        alias="from",
        description="profile.TRAIT, payload.FIELD of the candidate, or products: those of its "
        "payload's product_ids",
    )
    required: bool = Field(
        default=False, description="Without it the message cannot be made, and is not sent"
    )
    fallback: str | dict[Locale, str] | None = Field(
        default=None, description="What stands there without it; one text, or one for each locale"
    )
    most: Annotated[int, Field(ge=1, strict=True)] | None = Field(
        default=None, description="Of a list, at most so many of the first"
    )

    @model_validator(mode="after")
    def _says_what_without_it(self) -> "Input":
        if self.required == (self.fallback is not None):
            raise ValueError('say `required: true`, or a `fallback` (may be ""), one of both')
        if self.source == "products" and self.fallback:
            raise ValueError('the fallback of products is none: `fallback: ""`')
        if isinstance(self.fallback, dict) and "en" not in self.fallback:
            raise ValueError("the fallback has no `en`, which stands in for all other locales")
        return self

    def fallback_of(self, locale: str) -> str:
        """What stands there without it, in a locale."""
        if isinstance(self.fallback, dict):
            return self.fallback.get(locale, self.fallback["en"])
        return self.fallback or ""


class TemplateFile(_Block):
    """template.yml: what the words beside it are for, and all that they may use."""

    description: Text
    channel: Literal["email", "sms", "push", "onsite"]
    inputs: dict[Name, Input] = {}
    max_size: Annotated[int, Field(ge=1, strict=True)] | None = Field(
        default=None, description="Of sms in parts, else in bytes; left out: that of the channel"
    )

    @property
    def limit(self) -> int:
        """Of its size: parts of an sms, else bytes."""
        return self.max_size or LIMITS[self.channel]

    @model_validator(mode="after")
    def _keeps_to_the_channel(self) -> "TemplateFile":
        if self.max_size and self.channel != "sms" and self.max_size > LIMITS[self.channel]:
            raise ValueError(
                f"'max_size' of {self.channel} is {LIMITS[self.channel]:,} bytes at most"
            )
        return self


class Brand(_Block):
    """brand.yml: who is speaking, the same in all templates as `brand.name` and so on.

    In links, `{product_id}` and `{profile_id}` are filled in.
    """

    name: Text
    address: Text = Field(description="As the law of commercial e-mail wants it in each footer")
    url: Text
    product_url: Text = Field(description="Of products that bring no url of their own")
    unsubscribe_url: Text
    locales: dict[Annotated[str, Field(pattern="^[A-Z]{2}$")], Locale] = Field(
        default={}, description="Language by country (ISO 3166-1); of all others it is en"
    )
    words: dict[Locale, dict[str, str]] = Field(
        default={},
        description="What the filter `translate` says by language for values such as categories",
    )
