"""How a REST API is reached: its address, credentials and patience, and its errors in one line.

No message holds a secret, an address's query, or more than a few of the API's own words.
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from dlt.sources.helpers.requests import Client
from dlt.sources.helpers.rest_client.auth import APIKeyAuth, BearerTokenAuth
from dlt.sources.rest_api.config_setup import create_auth
from requests import PreparedRequest, RequestException, Response
from requests.auth import AuthBase

from orchestration.connectors.sources.base import SourceError

EXPIRED = 401
_REFUSED, _LIMITED, _BROKEN = 400, 429, 500
_PREVIEW = 160  # characters of an API's own words; they may name a person
_CONNECT_SECONDS = 10.0


class NoAccessError(SourceError):
    """The API cannot be reached or does not know the token: no endpoint will answer."""


@dataclass
class Connection:
    """How to reach an API; all secrets are resolved. Seconds and counts as in `RestSource`."""

    url: str
    token: str = ""
    token_header: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    auth: dict[str, Any] = field(default_factory=dict)
    renewal: dict[str, str] = field(default_factory=dict)
    token_url: str = ""
    cure: str = "set a new token"
    attempts: int = 5
    backoff_seconds: float = 1.0
    longest_wait_seconds: float = 300.0
    timeout_seconds: float = 60.0

    def client(self) -> Client:
        """dlt's client with this connection's patience."""
        return Client(
            request_timeout=(_CONNECT_SECONDS, self.timeout_seconds),
            raise_for_status=False,
            request_max_attempts=self.attempts,
            request_backoff_factor=self.backoff_seconds,
            request_max_retry_delay=self.longest_wait_seconds,
        )

    def cleaned(self, text: str) -> str:
        """One short line without this connection's secrets."""
        for secret in [self.token, *self.headers.values(), *self.renewal.values()]:
            if len(secret) >= 4:
                text = text.replace(secret, "***")
        return " ".join(text.split())[:_PREVIEW]


class RenewedToken(AuthBase):
    """A bearer token of OAuth: renewed by the refresh token when there is none or a 401 comes."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Sign the request, and ask to see its answer."""
        if not self.connection.token:
            self._renew()
        request.headers["Authorization"] = f"Bearer {self.connection.token}"
        request.register_hook("response", self._answered)
        return request

    def _answered(self, response: Response, **options: Any) -> Response:
        """The same request once more with a new token, if the old one has expired."""
        if response.status_code != EXPIRED:
            return response
        response.close()
        self._renew()
        again = response.request.copy()
        again.headers["Authorization"] = f"Bearer {self.connection.token}"
        return response.connection.send(again, **options)

    def _renew(self) -> None:
        connection = self.connection
        where = urlsplit(connection.token_url)
        url = connection.token_url if where.scheme else connection.url + where.path
        form = {"grant_type": "refresh_token", **connection.renewal}
        response = connection.client().post(url, data=form, allow_redirects=False)
        token = str(_body(response).get("access_token") or "") if response.ok else ""
        if not token:
            raise NoAccessError(
                f"{where.path}: the token could not be renewed ({response.status_code}"
                f"{said(response, connection)}); {connection.cure}",
                is_transient=response.status_code == _LIMITED or response.status_code >= _BROKEN,
            )
        connection.token = token


def host_of(url: str) -> str:
    """Host and port, without a user and password that the address may hold."""
    return urlsplit(url).netloc.rpartition("@")[2]


def auth_of(connection: Connection) -> AuthBase | None:
    """How requests are signed."""
    if connection.renewal:
        return RenewedToken(connection)
    if connection.token_header:
        return APIKeyAuth(name=connection.token_header, api_key=connection.token)
    if connection.token:
        return BearerTokenAuth(token=connection.token)
    return create_auth(connection.auth) if connection.auth else None  # type: ignore[arg-type]


def _body(response: Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def said(response: Response, connection: Connection) -> str:
    """The API's own words about an error, short."""
    body = _body(response)
    for name in ("message", "errors", "error_description", "error", "detail"):
        if body.get(name):
            words = body[name] if isinstance(body[name], str) else json.dumps(body[name])
            return f", {connection.cleaned(words)!r}"
    return ""


def explained(error: RequestException, path: str, connection: Connection) -> SourceError:
    """The error in the user's words; what may pass by itself is transient."""
    response = error.response
    if response is None:
        return NoAccessError(
            f"{host_of(connection.url)} cannot be reached ({type(error).__name__}): check "
            "`url` and the network",
            is_transient=True,
        )
    status = response.status_code
    is_transient = status == _LIMITED or status >= _BROKEN
    if status >= _BROKEN:
        words = f"the API fails, after {connection.attempts} attempts"
    elif status < _REFUSED:
        there = host_of(response.headers.get("Location", "")) or "elsewhere"
        words = f"moved to {there}; set `url` to where the API is"
    else:
        words = {
            EXPIRED: f"the token is not valid or has expired; {connection.cure}",
            403: "the token may not read this; give it the scope, or leave this endpoint out",
            404: "not there; check `url`, `path` and the API's version",
            _LIMITED: f"too many requests, after {connection.attempts} attempts",
        }.get(status, "the request is refused; compare it with the API's documentation")
    kind = NoAccessError if status == EXPIRED else SourceError
    told = f"{path}: {status}{said(response, connection)}: {words}"
    return kind(told, is_transient=is_transient)
