"""What PostgreSQL says, as one line that names the cause and the cure, never a value of a row."""

import psycopg

from orchestration.connectors.destinations.base import DeliveryError, RowError
from orchestration.connectors.secrets import scrubbed

# SQLSTATE by its beginning: what it means, and whether another attempt may succeed.
_STATES: tuple[tuple[str, str, bool], ...] = (
    ("28", "the server refuses user or password; check the address and the environment", False),
    ("3D000", "the server has no such database; check the end of the address", False),
    ("3F000", "the database has no schema of that name; create it", False),
    ("42501", "this user may not write it; grant it select, insert, update and delete on the table "
     "and on muster_feeds, or the right to create both", False),
    ("42P01", "the table is gone; deliver again to have it made anew", False),
    ("42703", "a column is gone; add it again", False),
    ("53100", "the server's disk is full", True),
    ("53", "the server has no room for another connection", True),
    ("25006", "the server is read-only, perhaps a replica; check the host", True),
    ("55P03", "another statement holds the table", True),
    ("57014", "the statement took longer than `timeout_seconds`", True),
    ("57", "the server is stopping or starting", True),
    ("08", "the connection broke", True),
    ("40", "the server gave up on the statement because of another one", True),
)  # fmt: skip
_NO_ADDRESS = "url is no address such as postgresql://user:${PASSWORD}@host:5432/database"
# Errors without a state are of the connection: a piece of the driver's own words.
_WORDS: tuple[tuple[str, str, bool], ...] = (
    ("password authentication failed", _STATES[0][1], False),
    ("no password supplied", _STATES[0][1], False),
    ("does not exist", "the server has no such database or user; check the address", False),
    ("missing \"=\"", _NO_ADDRESS, False),
    ("translate host name", "there is no host of that name; check the address", True),
    ("resolve host", "there is no host of that name; check the address", True),
    ("connection refused", "nothing listens at that host and port", True),
    ("timeout", "the host does not answer in time; check address and firewall", True),
    ("no such file", "nothing listens at that socket", True),
    ("invalid connection option", _NO_ADDRESS, False),
    ("invalid uri", _NO_ADDRESS, False),
    ("invalid percent", _NO_ADDRESS, False),
    ("ssl", "no TLS with the server; check sslmode in the address", False),
)  # fmt: skip
_NO_ZERO_BYTE = "22021"


def plainly(error: psycopg.Error, table: str) -> DeliveryError:
    """The error to raise for what the driver raised."""
    state = error.sqlstate or ""
    for beginning, words, is_temporary in _STATES:
        if state.startswith(beginning):
            return DeliveryError(f"PostgreSQL, {table}: {words}", is_temporary=is_temporary)
    said = scrubbed(" ".join(str(error).split()))
    if not state:
        for piece, words, is_temporary in _WORDS:
            if piece in said.lower():
                return DeliveryError(f"PostgreSQL, {table}: {words}", is_temporary=is_temporary)
        return DeliveryError(f"PostgreSQL, {table}: the connection broke", is_temporary=True)
    # The first line is the server's; what follows may quote a row.
    primary = error.diag.message_primary if state[:2] in ("42", "0A") else None
    name = type(error).__name__
    return DeliveryError(
        f"PostgreSQL, {table}: {name} ({state}){': ' + primary if primary else ''}",
        is_temporary=False,
    )


def row_error(sequence: int, error: psycopg.Error) -> RowError:
    """Why a row was refused: the name of the error, and what of the table it breaks."""
    diagnosis = error.diag
    broken = [
        f"{what} {name}"
        for what, name in (
            ("constraint", diagnosis.constraint_name),
            ("column", diagnosis.column_name or _copied_column(diagnosis.context)),
        )
        if name
    ]
    name = " ".join([type(error).__name__, f"({error.sqlstate})"])
    return RowError(
        sequence, ": ".join([name, ", ".join(broken)]) if broken else name,
        is_final=error.sqlstate == _NO_ZERO_BYTE,
    )  # fmt: skip


def _copied_column(context: str | None) -> str | None:
    """The column that COPY was at; its context goes on with the value, which stays out."""
    for line in (context or "").splitlines():
        head = line.split(": ")[0]  # COPY muster_staged, line 1, column age
        if head.startswith("COPY") and ", column " in head:
            return head.rpartition(", column ")[2]
    return None
