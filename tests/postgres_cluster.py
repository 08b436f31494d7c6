"""A private PostgreSQL for the tests: its own folder, its own socket, no network."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

_SETTINGS = {
    # No test survives a power cut, so none waits for the disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "''",
    "max_connections": "200",
    "shared_buffers": "32MB",
}
USER = "portal"
START_SECONDS = 30
# PostgreSQL refuses to run as root; Debian's package makes the first of these.
_UNPRIVILEGED = ("postgres", "nobody")


def find_program(name: str) -> str:
    """The newest installed PostgreSQL's program. Raises RuntimeError without one."""
    found = [str(path) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    found.sort(key=lambda path: int(Path(path).parts[4]))
    program = found[-1] if found else shutil.which(name)
    if program is None:
        raise RuntimeError(f"{name} is missing: `make test` or install postgresql")
    return program


def _identity() -> dict[str, Any]:
    """Whom to run as: ourselves, or somebody unprivileged when we are root."""
    if os.geteuid() != 0:
        return {}
    import pwd

    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = next(known[name] for name in _UNPRIVILEGED if name in known)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class Cluster:
    """One server, started by the constructor and gone after `stop`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="portal-pg-", dir="/tmp"))
        self.data = self.folder / "data"
        self.identity = _identity()
        self.count = 0
        if self.identity:
            os.chown(self.folder, self.identity["user"], self.identity["group"])
        try:
            self._create()
            self.server = self._start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    def _popen(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(
                [find_program(program), "-D", self.data, *arguments],
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                **self.identity,
            )

    def _failure(self, what: str) -> RuntimeError:
        return RuntimeError(f"{what}\n{(self.folder / 'log').read_text()}")

    def _create(self) -> None:
        options = ("-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        if self._popen("initdb", *options).wait():
            raise self._failure("initdb failed")
        lines = [f"{name} = {value}" for name, value in _SETTINGS.items()]
        lines.append(f"unix_socket_directories = '{self.folder}'")
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("\n".join(("", *lines, "")))

    def _start(self) -> subprocess.Popen[bytes]:
        server = self._popen("postgres")
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if server.poll() is not None or time.monotonic() > deadline:
                server.kill()
                server.wait()
                raise self._failure("PostgreSQL did not start")
            time.sleep(0.02)
        return server

    def _answers(self) -> bool:
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: str) -> None:
        with psycopg.connect(
            host=str(self.folder), user=USER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)

    def url(self, name: str) -> str:
        """The DATABASE_URL of database `name`."""
        return f"postgresql://{USER}@/{name}?host={self.folder}"

    def create_database(self, template: str = "template0") -> str:
        """A new database, a copy of `template`; its name."""
        self.count += 1
        name = f"test_{self.count}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def stop(self) -> None:
        # SIGQUIT is PostgreSQL's immediate shutdown: nothing here is worth keeping.
        self.server.send_signal(signal.SIGQUIT)
        self.server.wait()
        shutil.rmtree(self.folder)
