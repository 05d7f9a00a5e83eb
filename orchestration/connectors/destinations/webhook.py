"""A webhook: batches as JSON, signed, under a key that is the same on every retry.

The receiver may see a batch twice, when its answer was lost, and knows it by `Idempotency-Key`.
What answers mean is in `webhook_answers.py`.
"""

import hashlib
import hmac
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field

from orchestration.connectors.destinations.base import (
    Batch,
    DeliveryError,
    Destination,
    RowError,
    address,
)
from orchestration.connectors.destinations.rows import as_json, dicts
from orchestration.connectors.destinations.webhook_answers import judge, row_errors
from orchestration.connectors.secrets import resolved

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

_MOST_ANSWER_BYTES = 10_000_000
_CHUNK_BYTES = 65_536


class WebhookDestination(Destination):
    """POST to `url`; `secret` signs each request, and `headers` are sent with it.

    `errors` is the path of a list in the answer's JSON (`errors`, `result.failed`) whose entries
    name a row by `index`, counted from 0, or by `key`, its idempotency key, and say why it was
    refused in `message`. Without it a 2xx means that every row was taken.
    """

    type: Literal["webhook"]
    url: Annotated[str, address("https://example.com/members (or http://)")]
    headers: dict[str, str] = Field(default_factory=dict)
    secret: str = ""
    errors: str = ""
    timeout_seconds: float = 30.0
    batch_rows: int = 100

    def open(self, feed: str, columns: Sequence[str], key: Sequence[str]) -> "WebhookSession":
        """Prepares a connection; whether anybody listens, the first batch tells."""
        from requests import Session

        where = f"destination of {feed}"
        session = Session()
        # A .netrc would take the place of an Authorization header of ours.
        session.auth = _unchanged
        session.headers.update(
            {name: resolved(value, where) for name, value in self.headers.items()}
        )
        session.headers.update({"Content-Type": "application/json", "User-Agent": "muster"})
        return WebhookSession(
            session, resolved(self.url, where), resolved(self.secret, where).encode(), self
        )


def _unchanged(request: "PreparedRequest") -> "PreparedRequest":
    return request


def signature(secret: bytes, timestamp: int, body: bytes) -> str:
    """The header `Muster-Signature`: `t=<seconds>,v1=<hex HMAC-SHA256 of "<seconds>.<body>">`."""
    digest = hmac.new(secret, f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


class WebhookSession:
    """One connection that is kept between batches."""

    def __init__(
        self, session: "Session", url: str, secret: bytes, settings: WebhookDestination
    ) -> None:
        self._session, self._url, self._secret, self._settings = session, url, secret, settings
        # Addresses of webhooks often hold a token, so messages name no more than the host.
        self._host = urlsplit(url).hostname or "url"

    def deliver(self, batch: Batch) -> Sequence[RowError]:
        """Post a batch once."""
        rows = list(dicts(batch.rows))
        body = as_json(
            {
                "feed": batch.feed,
                "emission_id": batch.emission_id,
                "as_of": rows[-1].get("as_of"),
                "snapshot_id": rows[-1].get("snapshot_id"),
                "rows": rows,
            }
        )
        headers = {"Idempotency-Key": batch.idempotency_key}
        if self._secret:
            headers["Muster-Signature"] = signature(self._secret, int(time.time()), body)
        answer, content = self._post(body, headers)
        judge(answer, self._host)
        if not self._settings.errors or answer.status_code == 204:
            return ()
        return row_errors(answer, content, self._settings.errors, rows, self._host)

    def _post(self, body: bytes, headers: dict[str, str]) -> "tuple[Response, bytes]":
        from requests import exceptions as of

        seconds = self._settings.timeout_seconds
        try:
            with self._session.post(
                self._url, body, headers=headers, timeout=seconds, stream=True,
                allow_redirects=False,  # would become a GET without the rows
            ) as answer:  # fmt: skip
                return answer, self._content(answer, time.monotonic() + seconds)
        except of.SSLError:
            words, is_temporary = "has no valid certificate; check it and the host of url", False
        except of.Timeout:
            words, is_temporary = f"did not answer within {seconds:g} seconds", True
        except (of.InvalidURL, of.MissingSchema, of.InvalidSchema, of.InvalidHeader, UnicodeError):
            words, is_temporary = "cannot be asked; check url (https://...) and headers", False
        except (of.RequestException, OSError):
            words, is_temporary = "cannot be reached, or broke the connection off", True
        raise DeliveryError(f"webhook: {self._host} {words}", is_temporary=is_temporary)

    @staticmethod
    def _content(answer: "Response", end: float) -> bytes:
        """The answer's body, unless it is endless in bytes or time."""
        from requests.exceptions import ReadTimeout

        content = b""
        for chunk in answer.iter_content(_CHUNK_BYTES):
            content += chunk
            if time.monotonic() > end:
                raise ReadTimeout
            if len(content) > _MOST_ANSWER_BYTES:
                break
        return content

    def close(self) -> None:
        """Let go of the connection."""
        self._session.close()
