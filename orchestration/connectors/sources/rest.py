"""REST APIs as sources: `rest` by the user's own definition, `hubspot` and `shopify` by presets.

Each record lands as one JSON text, from which the mappings take their columns, so no change of an
API's records can break a read. Each part of an endpoint has a cursor of its own; parts that are
pulled together share one download, so that orders, their items and their refunds fit each other.
"""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, PrivateAttr, model_validator

from orchestration.connectors.sources.base import Batch, Cursor, Part, Source, SourceError
from orchestration.connectors.sources.overlap import Overlap
from orchestration.connectors.sources.rest_definition import (
    Endpoint,
    PartDefinition,
    at,
    merged,
    preset,
    rendered,
)
from orchestration.connectors.sources.rest_downloads import Downloads
from orchestration.connectors.sources.rest_records import (
    JSON_TEXT,
    Distinct,
    as_json,
    as_text,
    moment,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from orchestration.connectors.sources.rest_connection import Connection

_CHECK_ATTEMPTS = 2


class EndpointPart(Part):
    """Rows of an endpoint, which is asked for changes if its records tell when they changed."""

    changed: str = ""

    def is_compared(self, cursor: Cursor | None) -> bool:
        """Also where no record tells when it changed: all are downloaded each time."""
        return super().is_compared(cursor) or not self.changed


class RestSource(Source):
    """A REST API that answers with JSON.

    A `token` is sent as `Authorization: Bearer`, or alone in the header `token_header`; `auth` is
    an authentication of dlt's rest_api for others. With `refresh_token`, `client_id` and
    `client_secret` an expired token is renewed at `token_url`.

    A request is tried `attempts` times, with pauses that begin at `backoff_seconds` and double;
    Retry-After is obeyed up to `longest_wait_seconds`.
    """

    url: str
    token: str = ""
    token_header: str = ""
    headers: dict[str, str] = Field(default_factory=dict)
    auth: dict[str, Any] = Field(default_factory=dict)
    refresh_token: str = ""
    client_id: str = ""
    client_secret: str = ""
    token_url: str = "/oauth/token"  # noqa: S105  a path, no password
    attempts: int = Field(default=5, ge=1)
    backoff_seconds: float = Field(default=1.0, ge=0)
    longest_wait_seconds: float = Field(default=300.0, ge=1)
    timeout_seconds: float = Field(default=60.0, gt=0)
    endpoints: dict[str, Endpoint]
    _downloads: Downloads | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _parts_fit(self) -> "RestSource":
        names = [part.name for part in self.parts()]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two parts are called {', '.join(twice)}")
        renewal = (self.refresh_token, self.client_id, self.client_secret)
        if any(renewal) and not all(renewal):
            raise ValueError("refresh_token, client_id and client_secret go together")
        return self

    def parts(self) -> Sequence[EndpointPart]:
        """The parts of all endpoints, in the order of the definition."""
        return [
            EndpointPart(
                name=name, entity=part.entity, mapping=part.mapping, changed=endpoint.changed
            )
            for endpoint in self.endpoints.values()
            for name, part in endpoint.parts.items()
        ]

    @contextmanager
    def sharing(self, scratch: Path | None) -> Iterator[None]:
        """While it is open, each endpoint is downloaded once for all of its parts."""
        if self._downloads:  # opened around this one already
            yield
            return
        self._downloads = Downloads(scratch)
        try:
            yield
        finally:
            self._downloads.close()
            self._downloads = None

    def read(self, part: Part, cursor: Cursor | None) -> Iterator[Batch]:
        """Read what changed since the cursor; an overlap is asked again and dropped if known.

        Raises:
            SourceError: the API refused, was not there, or did not answer as defined.
        """
        from orchestration.connectors.sources.rest_http import pages

        name, endpoint, definition = self._definition(part)
        overlap = None
        if endpoint.changed:
            overlap = Overlap(endpoint.changed, "time", endpoint.overlap_minutes * 60, cursor)
        since = moment(overlap.begin) if overlap else None
        has_news = False
        with self.sharing(None):
            assert self._downloads
            asked = pages(self._connection(), endpoint, since)
            download = self._downloads.get(name, endpoint.changed, since, asked)
            if overlap and download.began:
                # What changes on a page that was read already is asked for again.
                overlap.not_after = as_text(download.began)
            for found in download.tables():
                records = found
                if overlap:
                    records = overlap.new_rows(_changed_since(found, endpoint.changed, since))
                has_news = has_news or records.num_rows > 0
                yield Batch(_rows(records, definition))
        # It moves too when none of the new records was of this part.
        if overlap and has_news:
            yield Batch(None, overlap.cursor, notes=overlap.notes)

    def problems(self) -> list[str]:
        """Ask every endpoint for its first page, and map it."""
        from orchestration.connectors.sources.rest_connection import NoAccessError

        found: list[str] = []
        for name, endpoint in self.endpoints.items():
            try:
                found += [f"{name}: {problem}" for problem in self._endpoint_problems(endpoint)]
            except NoAccessError as error:
                return [f"{name}: {error}"]
            except SourceError as error:
                found.append(f"{name}: {error}")
        return found

    def _endpoint_problems(self, endpoint: Endpoint) -> Iterator[str]:
        import duckdb

        from orchestration.connectors.mapped import Mapper
        from orchestration.connectors.sources.rest_http import pages

        connection = self._connection()
        connection.attempts = min(self.attempts, _CHECK_ATTEMPTS)
        page = next(pages(connection, endpoint, None, first_only=True))
        is_told = any(moment(at(record, endpoint.changed)) for record in page.records)
        if endpoint.changed and page.records and not is_told:
            yield f"no record has a time at {endpoint.changed!r}, its `changed`"
        for name, part in endpoint.parts.items():
            mapper = Mapper(part.entity, part.mapping, name)
            try:
                mapped = mapper(_rows(Distinct("")(page.records), part))
            except duckdb.Error as error:
                yield f"{name}: {str(error).splitlines()[0]}"
                continue
            for key in mapper.entity.key:
                if mapped.num_rows and mapped[key].null_count == mapped.num_rows:
                    yield f"{name}: no record has a {key}; compare its mapping"

    def _definition(self, part: Part) -> tuple[str, Endpoint, PartDefinition]:
        for name, endpoint in self.endpoints.items():
            if part.name in endpoint.parts:
                return name, endpoint, endpoint.parts[part.name]
        raise SourceError(f"{self.name} has no part {part.name}")

    def _connection(self) -> "Connection":
        from orchestration.connectors.sources.rest_connection import Connection

        renewal = {
            name: self.secret(getattr(self, name))
            for name in ("refresh_token", "client_id", "client_secret")
            if getattr(self, name)
        }
        named = re.findall(r"\$\{(\w+)\}", f"{self.refresh_token or self.token} {self.auth}")
        return Connection(
            url=self.secret(self.url).rstrip("/"),
            token=self.secret(self.token),
            token_header=self.token_header,
            headers={name: self.secret(value) for name, value in self.headers.items()},
            auth={name: self.secret(str(value)) for name, value in self.auth.items()},
            renewal=renewal,
            token_url=self.token_url,
            cure=f"set {', '.join(named)} anew" if named else "set a new token",
            attempts=self.attempts,
            backoff_seconds=self.backoff_seconds,
            longest_wait_seconds=self.longest_wait_seconds,
            timeout_seconds=self.timeout_seconds,
        )


def _changed_since(records: "pa.Table", changed: str, since: datetime | None) -> "pa.Table":
    """Without records that changed before `since`: not every API can be asked to leave them out."""
    import pyarrow.compute as pc

    if since is None:
        return records
    is_old = pc.less(records[changed], as_text(since))
    return records.filter(pc.invert(pc.fill_null(is_old, False)))


def _rows(records: "pa.Table", part: PartDefinition) -> "pa.Table":
    """The records, or the elements inside them, as a table of JSON text."""
    import duckdb
    import pyarrow as pa

    page = records.select([JSON_TEXT]).rename_columns(["record"])
    if part.each:
        columns: dict[str, list[str]] = {"record": [], "parent": []}
        for text in page["record"].to_pylist():
            record = json.loads(text)
            elements = at(record, part.each)
            parent = as_json({path: at(record, path) for path in part.parent})
            for element in elements if isinstance(elements, list) else []:
                columns["record"].append(as_json(element))
                columns["parent"].append(parent)
        page = pa.table({name: pa.array(texts, pa.string()) for name, texts in columns.items()})
    if not part.where:
        return page
    with duckdb.connect(config={"threads": 1}) as connection:
        found: pa.Table = connection.execute(
            f"select * from page where {part.where}"
        ).to_arrow_table()
    return found


class _PresetSource(RestSource):
    """An API whose definition comes with Muster; an entry of the user lies over it."""

    preset_name: ClassVar[str]

    @model_validator(mode="before")
    @classmethod
    def _laid_over_preset(cls, entry: Any) -> Any:
        if not isinstance(entry, dict):
            return entry
        over = merged(preset(cls.preset_name), entry)
        if not over.get("token") and not over.get("refresh_token"):
            raise ValueError(
                "needs a token, such as token: ${" + f"{cls.preset_name.upper()}_TOKEN}}"
            )
        return cls.filled(over)

    @classmethod
    def filled(cls, entry: dict[str, Any]) -> dict[str, Any]:
        """The definition with what it takes from the user's entry put in its places."""
        return entry


class HubspotSource(_PresetSource):
    """HubSpot: contacts, tickets with their contacts, marketing e-mail events, opt-outs."""

    preset_name = "hubspot"


class ShopifySource(_PresetSource):
    """Shopify's Admin REST API: orders, items, refunds, products, customers, their consents."""

    preset_name = "shopify"
    shop: str = ""
    version: str

    @classmethod
    def filled(cls, entry: dict[str, Any]) -> dict[str, Any]:
        """`{shop}` and `{version}` in addresses are those of the entry."""
        if not entry.get("shop") and "{shop}" in entry["url"]:
            raise ValueError("needs its shop, such as shop: example.myshopify.com")
        names = {name: str(entry.get(name, "")) for name in ("shop", "version")}
        entry["url"] = rendered(entry["url"], names)
        for endpoint in entry["endpoints"].values():
            endpoint["path"] = rendered(endpoint["path"], names)
        return entry
