"""The shapes that campaign files are made of, one class for each block; what each may say.

Belongs here: what can be judged from one file alone. What a name refers to is looked up in
definitions.py.
"""

import re
from datetime import date, timedelta
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
CALENDAR = ("day", "week", "month")
CHANNELS = ("email", "sms", "push", "onsite")

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Text = Annotated[str, Field(min_length=1)]
Percent = Annotated[float, Field(ge=0, le=100)]


def seconds_of(text: str) -> int:
    """Seconds of a duration such as `15m`, `24h`, `7d` or `2w`.

    Raises:
        ValueError: it is none.
    """
    found = re.fullmatch(r"(\d+)([mhdw])", text)
    if not found:
        raise ValueError(f"'{text}' is no duration; write 15m, 24h, 7d or 2w")
    return int(timedelta(**{_UNITS[found[2]]: int(found[1])}).total_seconds())


def _duration(text: str) -> str:
    seconds_of(text)
    return text


def _window(text: str) -> str:
    if text not in CALENDAR and not (re.fullmatch(r"\d+[mhdw]", text) and seconds_of(text)):
        raise ValueError(
            f"'{text}' is no window; write 24h or 7d (rolling), or day, week or month (calendar)"
        )
    return text


def _clock(value: object) -> object:
    # YAML 1.1 reads 21:00 without quotes as 1260, minutes of base 60.
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"{value // 60:02}:{value % 60:02}"
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f"'{value}' is no time of day; write \"08:00\"")
    return value


def _zone(text: str) -> str:
    # Some machines call their own zone `localtime`; to the warehouse it is none.
    if text == "localtime" or text not in available_timezones():
        raise ValueError(f"'{text}' is no time zone; write one such as Europe/Berlin")
    return text


def _counted(text: str) -> str:
    kinds = "all, campaign, channel:NAME or tag:NAME"
    kind, _, name = text.partition(":")
    if kind in ("all", "campaign") and not name:
        return text
    if kind == "channel" and name in CHANNELS:
        return text
    if kind == "tag" and re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return text
    raise ValueError(f"'{text}' is nothing that is counted; write {kinds}")


Duration = Annotated[str, AfterValidator(_duration)]
Window = Annotated[str, AfterValidator(_window)]
Clock = Annotated[str, BeforeValidator(_clock)]
Zone = Annotated[str, AfterValidator(_zone)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Audience(_Block):
    """Who comes into question: the candidates of a trigger, or the members of a segment.

    Of a segment, `every` says when a member comes into question again.
    """

    trigger: Name | None = None
    segment: Name | None = None
    every: Literal["entry", "once", "day", "week", "month"] | None = Field(
        default=None,
        description="Of a segment: at each entry, once ever, or once in each local day, ...",
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "Audience":
        if (self.trigger is None) == (self.segment is None):
            raise ValueError("name a trigger or a segment, one of both")
        if self.segment and self.every is None:
            raise ValueError("say `every:` of a segment: entry, once, day, week or month")
        if self.trigger and self.every:
            raise ValueError("'every' is for segments; a trigger has its own occurrences")
        return self


class Step(_Block):
    """One message of a journey, so long after the occurrence."""

    name: Name
    after: Duration = Field(description="Since occurred_at, such as 0m, 15m or 24h")
    template: Name | None = None


class Variant(_Block):
    """One of several contents that are tried against each other."""

    weight: Percent = Field(description="Percent of profiles; all together are 100")
    template: Name | None = None


class Cap(_Block):
    """At most so many messages that are counted in a window."""

    counts: Annotated[str, AfterValidator(_counted)] = Field(
        description="all, campaign, channel:email, tag:promotional"
    )
    limit: Annotated[int, Field(ge=0, strict=True)]
    within: Window = Field(
        description="24h or 7d: rolling; day, week or month: calendar, in the profile's time"
    )


class QuietHours(_Block):
    """No messages between two local times; over midnight if `from` is the later."""

    begin: Clock = Field(alias="from")
    end: Clock = Field(alias="to")

    @model_validator(mode="after")
    def _some_time(self) -> "QuietHours":
        if self.begin == self.end:
            raise ValueError("'from' and 'to' are the same; write `quiet_hours: none` for none")
        return self


class Conversion(_Block):
    """What the message is for: once it happened, there is nothing more to send."""

    event: Text = Field(description="order, or an event name of the tracking plan")
    within: Duration


class At(_Block):
    """A local time of day."""

    at: Clock


class Campaign(_Block):
    """One file: who gets which message when, and what keeps it back."""

    description: Text
    owner: Text
    audience: Audience
    channel: Literal["email", "sms", "push", "onsite"]
    template: Name
    priority: Annotated[int, Field(ge=1, le=100, strict=True)] = 50
    group: Name | None = Field(
        default=None, description="Of one group a person gets the first that holds, by priority"
    )
    tags: list[Name] = []
    steps: Annotated[list[Step], Field(min_length=1)] | None = None
    variants: Annotated[dict[Name, Variant], Field(min_length=1)] | None = None
    holdout: Percent = Field(default=0, description="Percent of profiles that get nothing")
    caps: list[Cap] = []
    quiet_hours: QuietHours | Literal["none"] | None = Field(
        default=None, description="Left out: those of policy.yml"
    )
    cooldown: Duration | Literal["forever"] | None = Field(
        default=None, description="Pause after a message of another occurrence of this campaign"
    )
    exclude: list[Name] = Field(default=[], description="Segments that get nothing")
    conversion: Conversion | None = None
    schedule: Literal["immediately", "preferred_hour"] | At = "immediately"
    timezone: Zone | None = Field(default=None, description="Left out: the profile's own")
    fallbacks: dict[Name, str] = {}
    start: date | None = None
    end: date | None = Field(default=None, description="First day without it")

    @model_validator(mode="after")
    def _fits_together(self) -> "Campaign":
        if self.variants:
            total = round(sum(one.weight for one in self.variants.values()), 6)
            if total != 100:
                raise ValueError(f"'variants' have weights of {total:g} together; make it 100")
        names = [step.name for step in self.steps or []]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"'steps' has two of the name {name}; rename one")
        if self.start and self.end and self.end <= self.start:
            raise ValueError(f"'end' is {self.end}, not after the start; set a later day")
        both = any(one.template for one in (self.variants or {}).values()) and any(
            step.template for step in self.steps or []
        )
        if both:
            raise ValueError("'variants' and steps both name templates; leave one to the campaign")
        return self


class Policy(_Block):
    """policy.yml: what holds for all campaigns together."""

    caps: list[Cap] = []
    quiet_hours: QuietHours | None = None
    exclude: list[Name] = []

    @model_validator(mode="after")
    def _no_campaign(self) -> "Policy":
        if any(cap.counts == "campaign" for cap in self.caps):
            raise ValueError("'caps' of all campaigns cannot count one campaign; say it there")
        return self
