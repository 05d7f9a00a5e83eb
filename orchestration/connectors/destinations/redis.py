"""Redis: a hash for each profile, to look segments up while a page is made.

A batch is one script, which Redis runs whole or not at all; it keeps how far the feed came beside
the rows. A server without persistence forgets both together.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from orchestration.connectors.destinations.base import (
    REMOVING,
    Batch,
    DeliveryError,
    Destination,
    RowError,
    address,
)
from orchestration.connectors.destinations.rows import (
    after,
    as_json,
    dicts,
    last_of_each_key,
    needs,
)
from orchestration.connectors.secrets import resolved, scrubbed

if TYPE_CHECKING:
    import pyarrow as pa
    from redis import Redis

_PROFILE = "profile_id"
_STATE = "muster:feeds:"
_SCANNED = 5_000

# KEYS: the feed's state, and of each row its hash. ARGV: last sequence, as_of, snapshot_id, seconds
# to live, whether replayed, first sequence; of each row its field, its value (empty: it goes) and
# its sequence.
# A hash that is none (pcall) is the row's error: what the script wrote before would stay written.
# Refused sequences are kept for one whose answer was lost.
_SCRIPT = """
local last = tonumber(redis.call('hget', KEYS[1], 'last_sequence') or '0')
local is_new = tonumber(ARGV[1]) > last
local refused = {}
if ARGV[5] == '0' then
  for number in string.gmatch(redis.call('hget', KEYS[1], 'refused') or '', '%d+') do
    if tonumber(number) >= tonumber(ARGV[6]) and tonumber(number) <= tonumber(ARGV[1]) then
      refused[#refused + 1] = number
    end
  end
  if not is_new then return table.concat(refused, ' ') end
end
local lives = tonumber(ARGV[4])
for row = 1, #KEYS - 1 do
  local at = 4 + 3 * row
  local key, field, value = KEYS[row + 1], ARGV[at], ARGV[at + 1]
  local answer
  if value == '' then answer = redis.pcall('hdel', key, field)
  else answer = redis.pcall('hset', key, field, value) end
  if type(answer) == 'table' and answer.err then
    if not string.find(answer.err, 'WRONGTYPE') then return answer end
    refused[#refused + 1] = ARGV[at + 2]
  elseif lives > 0 then redis.call('expire', key, lives) end
end
local said = table.concat(refused, ' ')
if is_new then
  redis.call('hset', KEYS[1], 'last_sequence', ARGV[1], 'as_of', ARGV[2], 'snapshot_id', ARGV[3],
    'updated_at', redis.call('time')[1], 'refused', said)
end
return said
"""


_LIKE = "redis://:${PASSWORD}@host:6379/0 (or rediss://, unix://)"


class RedisDestination(Destination):
    """`url` is `redis://:${PASSWORD}@host:6379/0`, or `rediss://` with TLS.

    Hashes are `<prefix>:<profile_id>`; all keys of that beginning belong to the feed. Their fields
    are segments, or what else the feed's key has beside the profile. With `ttl_seconds` a hash
    lives so long after its last change. A batch holds other commands up for as long as it runs, so
    it is small.
    """

    type: Literal["redis"]
    url: Annotated[str, address(_LIKE)]
    prefix: str = ""
    ttl_seconds: int = 0
    timeout_seconds: float = 10.0
    batch_rows: int = 5_000

    def place(self, feed: str) -> str:
        """The keys."""
        return f"{self.url} keys {self.prefix or feed}"

    def open(self, feed: str, columns: Sequence[str], key: Sequence[str]) -> "RedisSession":
        """Connects; the feed's rows must be about profiles."""
        needs(columns, _PROFILE, "Redis")
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.exceptions import RedisError
        from redis.retry import Retry

        url = resolved(self.url, f"destination of {feed}")
        try:
            client = Redis.from_url(
                url,
                socket_timeout=self.timeout_seconds,
                socket_connect_timeout=min(self.timeout_seconds, 10.0),
                retry=Retry(NoBackoff(), 0),
                client_name="muster",
            )
        except (ValueError, RedisError):
            raise DeliveryError(f"url is no address such as {_LIKE}", is_temporary=False) from None
        session = RedisSession(client, self.prefix or feed, self.ttl_seconds, columns, key)
        try:
            client.ping()
        except RedisError as error:
            session.close()
            raise _plainly(error) from None
        return session


class RedisSession:
    """One connection; it remembers (`Remembers`) and can forget (`Clears`)."""

    def __init__(
        self, client: "Redis", prefix: str, lives: int, columns: Sequence[str], key: Sequence[str]
    ) -> None:
        self._client, self._prefix, self._lives = client, prefix, lives
        self._script = client.register_script(_SCRIPT)
        self._key = tuple(key)
        self._fields = tuple(name for name in key if name != _PROFILE)
        taken = {*key, _PROFILE, "sequence", "idempotency_key", "snapshot_id"}
        self._values = [name for name in columns if name not in taken]

    def delivered(self, feed: str) -> int:
        """The last sequence of which the rows are there."""
        from redis.exceptions import RedisError

        try:
            found: Any = self._client.hget(_STATE + feed, "last_sequence")
        except RedisError as error:
            raise _plainly(error) from None
        return int(found or 0)

    def deliver(self, batch: Batch) -> Sequence[RowError]:
        """Run the script on the last row of each key; one without a profile is refused."""
        import pyarrow.compute as pc
        from redis.exceptions import RedisError

        nobodys = batch.rows.filter(pc.is_null(batch.rows[_PROFILE]))["sequence"].to_pylist()
        rows = batch.rows if batch.is_replayed else after(batch.rows, self.delivered(batch.feed))
        rows = last_of_each_key(rows.filter(pc.is_valid(rows[_PROFILE])), self._key)
        final = batch.rows.slice(batch.rows.num_rows - 1).to_pylist()[0]
        keys: list[str | bytes] = [_STATE + batch.feed]
        arguments: list[str | bytes | int] = [
            batch.last_sequence, final.get("as_of") or "", final.get("snapshot_id") or "",
            self._lives, int(batch.is_replayed), batch.first_sequence,
        ]  # fmt: skip
        for profile_id, field, value, sequence in self._entries(rows):
            keys.append(f"{self._prefix}:{profile_id}")
            arguments += [field, value, sequence]
        try:
            said: Any = self._script(keys=keys, args=arguments)
        except RedisError as error:
            raise _plainly(error) from None
        return [
            *(RowError(one, "the row has no profile_id", is_final=True) for one in nobodys),
            *(RowError(one, "the profile's key holds something else than a hash")
              for one in map(int, said.split())),
        ]  # fmt: skip

    def _entries(self, rows: "pa.Table") -> Iterator[tuple[object, str, bytes, int]]:
        """Of each row the profile, the field of its hash, the value, and the sequence."""
        places = dicts(rows, [_PROFILE, "action", "sequence", *self._fields])
        for place, value in zip(places, dicts(rows, self._values), strict=True):
            field = ":".join(str(place[name]) for name in self._fields) or _PROFILE
            gone = place["action"] in REMOVING
            yield place[_PROFILE], field, b"" if gone else as_json(value), place["sequence"]

    def clear(self, feed: str) -> None:
        """Remove every key below the prefix, and then the feed's state."""
        from redis.exceptions import RedisError

        pattern = "".join(f"\\{c}" if c in "*?[]\\^-" else c for c in self._prefix) + ":*"
        try:
            found: list[Any] = []
            for key in self._client.scan_iter(match=pattern, count=_SCANNED, _type="hash"):
                found.append(key)
                if len(found) == _SCANNED:
                    self._client.unlink(*found)
                    found = []
            self._client.unlink(*found, _STATE + feed)
        except RedisError as error:
            raise _plainly(error) from None

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()


def _plainly(error: Exception) -> DeliveryError:
    """The error to raise for what the client raised."""
    from redis import exceptions as of

    said = scrubbed(" ".join(str(error).split()))
    known = (
        (of.AuthenticationError, "refuses user or password; check url and the environment", False),
        (of.AuthorizationError, "refuses user or password; check url and the environment", False),
        (
            of.NoPermissionError,
            "does not let this user run scripts and write hashes; grant it",
            False,
        ),
        (of.BusyLoadingError, "is loading its data", True),
        (of.TimeoutError, "does not answer in time; check host and firewall", True),
        (of.ReadOnlyError, "is a replica, which takes no writes; check the host", True),
        (of.OutOfMemoryError, "is out of memory; raise maxmemory or set `ttl_seconds`", True),
        (of.ConnectionError, "cannot be reached; check host and port", True),
    )
    for kind, words, is_temporary in known:
        if isinstance(error, kind):
            return DeliveryError(f"Redis {words}", is_temporary=is_temporary)
    pieces = (
        ("NOAUTH", "asks for a password; put it into url", False),
        ("WRONGPASS", "refuses user or password; check url and the environment", False),
        ("OOM", known[6][1], True),
        ("READONLY", known[5][1], True),
        ("MISCONF", "cannot save to its disk, and takes no writes until it can", True),
        ("CROSSSLOT", "is a cluster; Muster needs a single server with replicas", False),
        ("MOVED", "is a cluster; Muster needs a single server with replicas", False),
    )
    for piece, words, is_temporary in pieces:
        if piece in said:
            return DeliveryError(f"Redis {words}", is_temporary=is_temporary)
    return DeliveryError(f"Redis: {said[:200]}", is_temporary=False)
