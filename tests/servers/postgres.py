"""A private PostgreSQL."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import weakref
from contextlib import closing
from itertools import count
from pathlib import Path

import psycopg

from servers.process import ServerMissingError, ServerProcess, find_program, free_port

_DEBIAN = "/usr/lib/postgresql/*/bin"


class Postgres:
    """Keeps its log in `folder`, and its data in one of its own: whenever a pytest starts, it closes the folders of all
    others to PostgreSQL's user. Databases are copied from a template that the caller may fill first.

    One that is not `durable` commits to the kernel only: a test kills the server, never the machine.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="scenescore-postgres-"))
        weakref.finalize(self, shutil.rmtree, self._home, ignore_errors=True)
        self._port = free_port()
        self._user = _unprivileged_user()
        self._names = count(1)
        self._make_reachable()
        data = self._home / "data"
        initdb = find_program("initdb", f"{_DEBIAN}/initdb")
        if self._user:
            shutil.chown(self._home, self._user)
        subprocess.run(
            [initdb, "-D", str(data), "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8"],
            check=True,
            capture_output=True,
            cwd=self._home,
            user=self._user,
            extra_groups=[] if self._user else None,
        )
        settings = {"port": self._port, "listen_addresses": "127.0.0.1", "unix_socket_directories": ""}
        settings |= {"fsync": "on" if durable else "off", "max_connections": 200}
        self._server = ServerProcess(
            [
                find_program("postgres", f"{_DEBIAN}/postgres"),
                *("-D", str(data)),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            log=folder / "postgres.log",
            user=self._user,
        )

    def start(self) -> None:
        self._server.start()
        self._server.wait_until(self._answers)

    def stop(self) -> None:
        self._server.stop(signal.SIGINT)

    def kill(self) -> None:
        self._server.stop(signal.SIGKILL)

    @property
    def running(self) -> bool:
        return self._server.running

    def create_database(self, *, template: str = "template1") -> str:
        """A new database's name."""
        name = f"scenescore_{next(self._names)}"
        with closing(self._connect()) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://tester@127.0.0.1:{self._port}/{database}"

    def _make_reachable(self) -> None:
        """PostgreSQL runs as another user than root and must reach its folder, also in a temporary one of root's."""
        for parent in self._home.parents:
            if parent.stat().st_uid == os.getuid() and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)

    def _connect(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(
            f"host=127.0.0.1 port={self._port} user=tester dbname=postgres",
            autocommit=True,
            connect_timeout=2,
        )

    def _answers(self) -> bool:
        try:
            self._connect().close()
        except psycopg.OperationalError:
            return False
        return True


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise ServerMissingError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody`")
