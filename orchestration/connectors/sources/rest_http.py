"""Pages of a REST API by dlt's client: what is asked, retries, and how paging ends.

dlt's client tries 429, 5xx and broken connections again (1, 2, 4, 8 seconds, or what Retry-After
says up to a limit). Redirects are not followed and a next page at another host is refused, since
both would hand the token to whom it was not given for.
"""

import json
import math
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from dlt.common import jsonpath
from dlt.sources.helpers.rest_client.client import RESTClient
from dlt.sources.helpers.rest_client.paginators import BasePaginator
from dlt.sources.rest_api.config_setup import create_paginator
from requests import HTTPError, Request, RequestException, Response

from orchestration.connectors.sources.base import SourceError
from orchestration.connectors.sources.rest_connection import (
    Connection,
    auth_of,
    explained,
    host_of,
)
from orchestration.connectors.sources.rest_definition import Endpoint, at, rendered

_REDIRECT = 300


class Page(NamedTuple):
    """The records of one answer, and the server's time when it answered."""

    records: list[Any]
    answered_at: datetime


class KeysetPaginator(BasePaginator):  # type: ignore[misc,unused-ignore]
    """Asks for the records after the last one's field, so no page shifts and no limit is met."""

    def __init__(self, field: str, body: dict[str, Any]) -> None:
        super().__init__()
        self.field, self.body, self.after = field, body, "0"

    def init_request(self, request: Request) -> None:
        """The first page begins after 0."""
        self.update_request(request)

    def update_state(self, response: Response, data: list[Any] | None = None) -> None:
        """The last record says where the next page begins; an empty page is the last."""
        last = at(data[-1], self.field) if data else None
        self._has_next_page = last is not None
        self.after = str(last)

    def update_request(self, request: Request) -> None:
        """Write it into the body."""
        request.json = rendered(self.body, {"after": self.after})


class _Client(RESTClient):
    """dlt's client, strict about what an answer holds."""

    records_of = ""

    def extract_response(self, response: Response, data_selector: Any) -> list[Any]:
        """The records at `data_selector`.

        Raises:
            SourceError: the answer is no JSON, or has nothing at that path.
        """
        try:
            body = response.json()
        except ValueError:
            kind = response.headers.get("Content-Type", "no type")
            raise SourceError(
                f"{_path(response)}: the answer is no JSON ({kind}): compare `url` and `path` with "
                "the API's documentation"
            ) from None
        found = jsonpath.find_values(data_selector, body)
        if not found:
            keys = ", ".join(body) if isinstance(body, dict) else type(body).__name__
            raise SourceError(
                f"{_path(response)}: the answer has no {data_selector!r}; there are {keys[:200]}"
            )
        records = found[0] if found[0] is not None else []
        return records if isinstance(records, list) else [records]


def pages(
    connection: Connection, endpoint: Endpoint, since: datetime | None, *, first_only: bool = False
) -> Iterator[Page]:
    """The pages of an endpoint in the API's order.

    Args:
        connection: the API.
        endpoint: what to ask it.
        since: ask only for changes from then on; None for all.
        first_only: stop after one page.

    Raises:
        SourceError: the API refused, was not there, or did not answer as defined.
    """
    moments = {"since": _written(since, endpoint.since_format)}
    # Many APIs have no word for "since ever" in a query; a filter in a body needs a value.
    asked_params = {
        name: value
        for name, value in endpoint.params.items()
        if since or "{since}" not in f"{value}"
    }
    body = rendered(endpoint.body, moments)
    try:
        paginator = _paginator(endpoint, body)
        client = _Client(
            connection.url,
            headers=connection.headers,
            auth=auth_of(connection),
            session=connection.client().session,
        )
        asked: set[str] = set()
        for page in client.paginate(
            endpoint.path,
            method=endpoint.method,
            params=rendered(asked_params, moments),
            json=deepcopy(body) or None,
            paginator=paginator,
            data_selector=endpoint.records,
            hooks={"response": [_checked]},
            allow_redirects=False,
        ):
            yield Page(list(page), _answered_at(page.response))
            if first_only:
                return
            if paginator.has_next_page:
                _check_next(page.request, connection, asked)
    except RequestException as error:
        raise explained(error, endpoint.path, connection) from None


def _written(since: datetime | None, form: str) -> str:
    since = since or datetime.fromtimestamp(0, UTC)
    if form == "iso":
        return since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    scale = 1000 if form == "milliseconds" else 1
    return str(math.floor(since.timestamp() * scale))


def _paginator(endpoint: Endpoint, body: dict[str, Any]) -> BasePaginator:
    paging = endpoint.paging
    if isinstance(paging, dict) and paging.get("type") == "keyset":
        return KeysetPaginator(str(paging.get("field", "id")), body)
    try:
        made: BasePaginator | None = create_paginator(paging)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise SourceError(f"paging {paging}: {error}") from None
    if made is None:
        raise SourceError(f"paging {paging}: say which, since a guess may lose pages")
    return made


def _checked(response: Response, *_: Any, **__: Any) -> None:
    """Let dlt's retries see every answer that is none."""
    wait = response.headers.get("Retry-After", "")
    # dlt reads whole seconds and dates only; Shopify sends "2.0".
    if re.fullmatch(r"\s*\d+\.\d+\s*", wait):
        response.headers["Retry-After"] = str(math.ceil(float(wait)))
    if response.status_code >= _REDIRECT:
        raise HTTPError(response=response)


def _check_next(request: Request, connection: Connection, asked: set[str]) -> None:
    """Compare the request for the next page with those before it.

    Raises:
        SourceError: it was asked before, so paging would never end, or goes to another host.
    """
    url = str(request.url)
    if urlsplit(url)[:2] != urlsplit(connection.url)[:2]:
        raise SourceError(
            f"the next page is said to be at {host_of(url)}, another host than "
            "`url`, which does not get the token"
        )
    key = json.dumps([url, request.params, request.json], default=str, sort_keys=True)
    if key in asked:
        raise SourceError("the API names a next page that was read before: paging never ends")
    asked.add(key)


def _answered_at(response: Response) -> datetime:
    """The server's clock, by which its records are stamped; ours if it does not tell."""
    try:
        return parsedate_to_datetime(response.headers.get("Date", "")).astimezone(UTC)
    except ValueError:
        return datetime.now(UTC)


def _path(response: Response) -> str:
    return urlsplit(response.url).path
