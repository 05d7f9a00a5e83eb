"""Tools of vendors (advertising, CRM, messaging), by drt's destinations: no API is spoken here.

drt makes one attempt and tells which records failed; rates of a vendor are kept by it. It is the
optional extra `vendors`, and is imported only when a definition names one.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import Field, TypeAdapter, ValidationError, model_validator

from orchestration.connectors.definitions import faults
from orchestration.connectors.destinations.base import (
    REMOVING,
    Batch,
    DeliveryError,
    Destination,
    RowError,
)
from orchestration.connectors.destinations.rows import as_json, dicts
from orchestration.connectors.destinations.webhook_answers import masked
from orchestration.connectors.secrets import resolved

_REFUSED = {
    401: "refuses the credential; check config and the environment",
    403: "refuses the credential, or lets it not write; check config and the vendor's permissions",
    404: "has nothing at that address; check config",
}


# drt gives words, not exceptions, where there was no answer.
_NETWORK = re.compile(
    r"errno|connect|timed? ?out|name or service|name resolution|ssl|certificate", re.IGNORECASE
)


class VendorDestination(Destination):
    """`config` is drt's own, with its `type` (`hubspot`, `slack`, `rest_api`, ...).

    `removing` is another one for rows that take something away (exit, erase), such as a DELETE;
    without it they go the way of the others, and `action` tells. `skip` names actions that are not
    sent at all. `fields` names the record's fields and the columns they come from; without it a
    record has all columns.
    """

    type: Literal["vendor"]
    config: dict[str, Any]
    removing: dict[str, Any] | None = None
    skip: tuple[str, ...] = ()
    fields: dict[str, str] = Field(default_factory=dict)
    batch_rows: int = 500

    @model_validator(mode="after")
    def _checked(self) -> Self:
        for config in (self.config, self.removing):
            if config is not None:
                _validated(config)
        return self

    def open(self, feed: str, columns: Sequence[str], key: Sequence[str]) -> "VendorSession":
        """Prepares drt's destinations; whether a vendor answers, the first batch tells."""
        missing = sorted(set(self.fields.values()) - set(columns))
        if missing:
            raise DeliveryError(
                f"fields: this feed has no column {', '.join(missing)}", is_temporary=False
            )
        where = f"destination of {feed}"
        main = _Way(_secret(self.config, where))
        removing = _Way(_secret(self.removing, where)) if self.removing else main
        return VendorSession(main, removing, self)


def _secret(value: Any, where: str) -> Any:
    if isinstance(value, dict):
        return {name: _secret(one, where) for name, one in value.items()}
    if isinstance(value, list):
        return [_secret(one, where) for one in value]
    return resolved(value, where) if isinstance(value, str) else value


def _validated(config: Mapping[str, Any]) -> Any:
    """drt's model of a config.

    Raises:
        ValueError: it is not valid, or drt is not installed.
    """
    try:
        from drt.config.models import DestinationConfig
        from drt.destinations.base import StagedDestination
    except ImportError:
        raise ValueError(
            "vendors need a package that is not installed: pip install 'muster[vendors]'"
        ) from None
    from drt.connectors.registry import get_destination

    if "type" not in config:
        raise ValueError("config: type is needed, such as hubspot")
    try:
        model = TypeAdapter(DestinationConfig).validate_python(dict(config))
        vendor = get_destination(model)
    except ValidationError as error:
        raise ValueError(f"config: {faults(error)}") from None
    unknown = sorted(set(config) - set(type(model).model_fields))
    if unknown:  # drt takes no notice of them
        raise ValueError(f"config: there is no such setting: {', '.join(unknown)}")
    if isinstance(vendor, StagedDestination):
        raise ValueError(
            f"config: {config.get('type')} works in jobs, which tell of no row; use another type"
        )
    return model


class _Way:
    """One of drt's destinations with its configuration."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        from drt.config.models import SyncOptions
        from drt.connectors.registry import get_destination
        from drt.destinations.base import Destination as Vendor

        self.name = str(config["type"])
        try:
            self._config = _validated(config)
        except ValueError as error:
            raise DeliveryError(f"{self.name}: {error}", is_temporary=False) from None
        vendor = get_destination(self._config)
        assert isinstance(vendor, Vendor)
        self._vendor = vendor
        # Retries belong to feeds.
        once: dict[str, Any] = {"max_attempts": 1}
        if getattr(self._config, "retry", None) is not None:
            self._config = self._config.model_copy(
                update={"retry": self._config.retry.model_copy(update=once)}
            )
        self._options = SyncOptions.model_validate({"on_error": "skip", "retry": once})

    def load(
        self, records: list[dict[str, Any]], rows: Sequence[Mapping[str, Any]]
    ) -> list[RowError]:
        """Send records, which are of these rows.

        Raises:
            DeliveryError: all of them failed, and for a reason that is none of theirs.
        """
        try:
            result = self._vendor.load(records, self._config, self._options)
        except Exception as error:
            said = masked(str(error), {})
            raise DeliveryError(
                f"{self.name}: {type(error).__name__}: {said}", is_temporary=_is_of_network(error)
            ) from None
        failed = result.row_errors
        if len(failed) < result.failed:
            raise DeliveryError(
                f"{self.name}: {result.failed} records failed, and drt does not tell which",
                is_temporary=True,
            )
        if failed and result.success == 0 and len(failed) == len(records):
            self._judge({one.http_status for one in failed}, failed[0].error_message)
        return [
            RowError(
                int(rows[one.batch_index]["sequence"]),
                f"{self.name}{f' {one.http_status}' if one.http_status else ''}: "
                + masked(one.error_message, rows[one.batch_index]),
            )
            for one in failed
        ]

    def _judge(self, statuses: set[int | None], said: str) -> None:
        """Raises DeliveryError where every record met the same closed door."""
        if len(statuses) > 1:
            return
        (status,) = statuses
        if status in _REFUSED:
            raise DeliveryError(
                f"{self.name} answered {status}; it {_REFUSED[status]}", is_temporary=False
            )
        if status is None and _NETWORK.search(said):
            raise DeliveryError(f"{self.name} cannot be reached", is_temporary=True)
        if status is not None and (status == 429 or status >= 500):
            raise DeliveryError(f"{self.name} answered {status} to every record", is_temporary=True)


def _is_of_network(error: Exception) -> bool:
    import httpx

    return isinstance(error, httpx.TransportError | OSError)


class VendorSession:
    """Sends records the way of their action."""

    def __init__(self, main: _Way, removing: _Way, settings: VendorDestination) -> None:
        self._main, self._removing, self._settings = main, removing, settings

    def deliver(self, batch: Batch) -> Sequence[RowError]:
        """Consecutive rows of one way go together, so that their order stays."""
        errors: list[RowError] = []
        together: list[dict[str, Any]] = []
        before: _Way | None = None
        for row in dicts(batch.rows):
            if row["action"] in self._settings.skip:
                continue
            way = self._removing if row["action"] in REMOVING else self._main
            if before is not None and way is not before:
                errors += before.load(self._records(together), together)
                together = []
            before = way
            together.append(row)
        if before is not None:
            errors += before.load(self._records(together), together)
        return errors

    def _records(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        fields = self._settings.fields or {name: name for name in rows[0]}
        records = [{theirs: row[ours] for theirs, ours in fields.items()} for row in rows]
        # drt's JSON knows no times and amounts.
        plain: list[dict[str, Any]] = json.loads(as_json(records))
        return plain

    def close(self) -> None:
        """drt keeps nothing open."""
