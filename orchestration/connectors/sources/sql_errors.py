"""What a database driver says, as one line that names the cause and the cure."""

from orchestration.connectors.secrets import MissingSecretError
from orchestration.connectors.sources.base import SourceError

# SQLSTATE by its beginning: what it means, and whether another attempt may succeed.
_STATES: tuple[tuple[str, str, bool], ...] = (
    (
        "28",
        "the server refuses user or password; check both in sources.yml and the environment",
        False,
    ),
    ("3D000", "the server has no such database; check the end of the address", False),
    ("42501", "this user may not read it; grant it `select`", False),
    ("42P01", "the table is gone", False),
    ("42703", "a column is gone while it was read; pull again", True),
    ("53", "the server has no room for another connection", True),
    ("55P03", "another statement holds the table for more than a minute", True),
    ("57014", "the statement was cancelled, perhaps by statement_timeout of this user", True),
    ("57", "the server is stopping or starting", True),
    ("08", "the connection broke", True),
    ("40", "the server gave up on the statement because of another one", True),
)
# For errors that carry no state: a piece of the driver's own words.
_WORDS: tuple[tuple[str, str, bool], ...] = (
    (
        "could not parse sqlalchemy url",
        "url is no address such as postgresql://user:${PASSWORD}@host:5432/database",
        False,
    ),
    ("could not translate host name", "there is no host of that name; check the address", True),
    ("failed to resolve host", "there is no host of that name; check the address", True),
    ("name or service not known", "there is no host of that name; check the address", True),
    ("connection refused", "nothing listens at that host and port", True),
    ("timed out", "the host does not answer in time; check address and firewall", True),
    ("timeout", "the host does not answer in time; check address and firewall", True),
    ("password authentication failed", _STATES[0][1], False),
    ("to database '", "this user may not use the database; grant it `select` on its tables", False),
    ("access denied", _STATES[0][1], False),
    ('database "', _STATES[1][1], False),
    ("unknown database", _STATES[1][1], False),
    ("permission denied", _STATES[2][1], False),
    ("command denied", _STATES[2][1], False),
    (
        "cast_as_char",
        "a column, such as a point, cannot be written as text; list the others in `columns`",
        False,
    ),
    ("no such file or directory", "nothing listens at that socket", True),
    ("server closed the connection", "the connection broke", True),
    ("terminating connection", "the server broke the connection off", True),
    ("conflict with recovery", "the replica gave up on the statement; pull again", True),
    ("lost connection", "the connection broke", True),
    ("no connection to the server", "the connection broke", True),
    ("ssl error", "the connection broke", True),
    ("connection to server", "the server cannot be reached", True),
    ("could not open", "the server cannot be reached", True),
)
# What every table of the source would say.
_OF_SOURCE = {_STATES[0][1], _STATES[1][1]} | {
    words
    for piece, words, _ in _WORDS
    if piece
    in (
        "failed to resolve host",
        "connection refused",
        "timed out",
        "no such file or directory",
        "connection to server",
    )
}


def _causes(error: BaseException) -> list[BaseException]:
    found = [error]
    while (cause := found[-1].__cause__ or found[-1].__context__) is not None:
        found.append(cause)
    # SQLAlchemy wraps the driver's error without being caused by it.
    return [getattr(one, "orig", None) or one for one in found]


def plainly(error: BaseException) -> SourceError:
    """The error as a `SourceError` of one line; who shows it adds source and table."""
    causes = _causes(error)
    if isinstance(causes[-1], MissingSecretError):
        return SourceError(str(causes[-1]), is_of_source=True)
    for cause in causes:
        state = str(getattr(cause, "sqlstate", None) or "")
        for beginning, words, is_transient in _STATES:
            if state and state.startswith(beginning):
                return _told(words, is_transient)
    text = " ".join(str(cause) for cause in causes).lower()
    for piece, words, is_transient in _WORDS:
        if piece in text:
            return _told(words, is_transient)
    first = str(causes[-1]).strip().splitlines()
    return SourceError(f"{type(causes[-1]).__name__}: {first[0] if first else ''}")


def _told(words: str, is_transient: bool) -> SourceError:
    return SourceError(words, is_transient=is_transient, is_of_source=words in _OF_SOURCE)
