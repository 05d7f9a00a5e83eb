"""A private MariaDB for tests, where one is installed: Muster itself needs none."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
from pymysql.constants import CLIENT

START_SECONDS = 60


def mariadb_programs() -> tuple[str, str] | None:
    """The server and what makes its folder; often outside of a user's own path."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    server = shutil.which("mariadbd", path=path) or shutil.which("mysqld", path=path)
    install = shutil.which("mariadb-install-db", path=path)
    return (server, install) if server and install else None


class Server:
    """A server on a port of 127.0.0.1, whose `root` has no password, with a database `shop`."""

    def __init__(self, port: int) -> None:
        self.port = port

    def run(self, *statements: str, database: str | None = "shop") -> None:
        """Run and commit statements; each may be several."""
        with self._connection(database) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
                while cursor.nextset():
                    pass

    def value(self, query: str) -> object:
        """The first value of the first row."""
        with self._connection("shop") as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchone()[0]

    def _connection(self, database: str | None) -> "pymysql.Connection":
        return pymysql.connect(
            host="127.0.0.1",
            port=self.port,
            user="root",
            database=database,
            autocommit=True,
            client_flag=CLIENT.MULTI_STATEMENTS,
        )


@contextmanager
def mariadb() -> Iterator[Server]:
    """Start one, in a folder of its own; it reads no settings of the machine."""
    programs = mariadb_programs()
    assert programs
    folder = Path(tempfile.mkdtemp(prefix="mariadb-"))
    common = ["--no-defaults", f"--datadir={folder / 'data'}", "--innodb-log-file-size=4M"]
    if os.geteuid() == 0:
        common.append("--user=root")  # else it does not start as root
    install = [programs[1], *common, "--auth-root-authentication-method=normal", "--skip-test-db"]
    with socket.socket() as taken, (folder / "log").open("wb") as log:
        subprocess.run(install, check=True, stdout=log, stderr=log)
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
        taken.close()
        own = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}"]
        process = subprocess.Popen([programs[0], *common, *own], stdout=log, stderr=log)
    try:
        server = Server(port)
        deadline = time.monotonic() + START_SECONDS
        while not _is_up(server):
            is_hopeless = process.poll() is not None or time.monotonic() > deadline
            assert not is_hopeless, (folder / "log").read_text()
            time.sleep(0.05)
        yield server
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _is_up(server: Server) -> bool:
    try:
        server.run("create database if not exists shop character set utf8mb4", database=None)
    except pymysql.OperationalError:
        return False
    return True
