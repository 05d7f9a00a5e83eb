"""How a database is reached: its address with secrets, the driver, and what a session is set to.

A session writes values in one form, whatever the server, the role or the database are set to.
"""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from orchestration.connectors.sources.base import SourceError

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

CONNECT_SECONDS = 10
# The driver that reads the catalogue, by the dialect in the address. Deliberately not more: other
# databases cut or refuse a cast to text without a length.
_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "sqlite": "sqlite",
}
# What PostgreSQL's text of a value depends on; and no waiting for a lock without end.
POSTGRES_SETTINGS = {
    "datestyle": "ISO, YMD",
    "timezone": "UTC",
    "intervalstyle": "postgres",
    "bytea_output": "hex",
    "extra_float_digits": "1",
    "lock_timeout": "60s",
}


def _address(url: str, secret: Callable[[str], str]) -> "URL":
    """The address with its secrets; those of user and password may hold any character."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    scheme, mark, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    login = re.sub(r"\$\{\w+\}", lambda found: quote(secret(found[0]), safe=""), login)
    text = secret(f"{scheme}{mark}") + login + at + secret(place)
    try:
        return make_url(text.replace("postgres://", "postgresql://", 1))
    except (ArgumentError, ValueError):
        raise SourceError(
            "url is no address of a database, such as postgresql://user@db.example.com:5432/name",
            is_of_source=True,
        ) from None


def engine(url: str, secret: Callable[[str], str]) -> "Engine":
    """An engine that keeps no connections.

    Args:
        url: such as `postgresql://me:${PASSWORD}@host/db`.
        secret: gives a text with its `${NAME}` resolved.

    Raises:
        SourceError: the address cannot be read, or is of another kind of database.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    address = _address(url, secret)
    dialect = address.get_backend_name()
    if dialect not in _DRIVERS:
        raise SourceError(
            f"databases of type {dialect} cannot be read; {', '.join(_DRIVERS)} can",
            is_of_source=True,
        )
    arguments: dict[str, object] = {}
    if dialect != "sqlite":
        arguments["connect_timeout"] = CONNECT_SECONDS
    if dialect in ("mysql", "mariadb"):
        arguments["init_command"] = "set time_zone = '+00:00'"  # TIMESTAMP is written in it
    address = address.set(drivername=_DRIVERS[dialect])
    return create_engine(address, connect_args=arguments, poolclass=NullPool)
