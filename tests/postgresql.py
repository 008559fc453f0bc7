"""A PostgreSQL server of its own, started for the tests that want one and thrown away after them."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from tests.journeys.campus import children_of
from tests.real_parts import free_port, program

# It is thrown away: nothing has to be on the disk.
_SETTINGS = ("fsync=off", "full_page_writes=off", "max_connections=60")
_PASSWORD = "a secret/with @ signs:"


class PostgresServer:
    """A server on a port of 127.0.0.1, and on a Unix socket without a password."""

    # The database with the tables of today and nothing in them, once it was asked for.
    migrated = "migrated"

    def __init__(self, folder: Path, bin_folder: Path) -> None:
        self.folder, self.port, self.password = folder, free_port(), _PASSWORD
        self._bin, self._numbers = bin_folder, count()
        # Nothing has to be on the disk here, and so a copy of the files takes half the time of one through the log.
        self._strategy = "STRATEGY FILE_COPY" if _version(bin_folder) >= 15 else ""
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Letters are sorted as people do, which is not as bytes are; who comes over TCP needs a password."""
        (self.folder / "password").write_text(_PASSWORD)
        self._run(
            "initdb", "--no-sync", "--username=jieneng", f"--pwfile={self.folder}/password", "--encoding=UTF8",
            "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=zh-Hans", "--auth-local=trust",
            "--auth-host=scram-sha-256", f"--pgdata={self.folder}/data",
        )  # fmt: skip

    def start(self, *settings: str) -> None:
        options = [part for setting in (*_SETTINGS, *settings) for part in ("-c", setting)]
        listening = ["-c", "listen_addresses=127.0.0.1", "-p", str(self.port), "-k", str(self.folder)]
        command, who = [str(self._bin / "postgres"), "-D", str(self.folder / "data"), *listening, *options], _user()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, user=who, group=who)
        for _ in range(6000):
            assert self._process.poll() is None, (self.folder / "log").read_text()
            ready = [str(self._bin / "pg_isready"), "-q", "-h", str(self.folder), "-p", str(self.port)]
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.02)
        raise AssertionError("PostgreSQL does not answer")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def give(self, file: Path) -> None:
        """Make a file the server's own, which nobody else may read."""
        file.chmod(0o600)
        if os.getuid() == 0:
            shutil.chown(file, "postgres", "postgres")

    def stop(self) -> None:
        """At once, as a failing machine would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(120)

    def kill(self) -> None:
        """All its processes at one blow."""
        assert self._process is not None
        for pid in (self._process.pid, *children_of(self._process.pid)):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(120)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What a statement answers, said beside the program."""
        return self.run("psql", "--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement).strip()

    def new_name(self) -> str:
        return f"records_{next(self._numbers)}"

    def copy(self, template: str) -> str:
        """The name of a new database with all that stands in another one."""
        name = self.new_name()
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template} {self._strategy}")
        return name

    def drop(self, database: str) -> None:
        """Throw a database away, whoever is in it."""
        self.sql(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def address(self, database: str) -> str:
        """A database, as the records are told it; by the socket, without a password."""
        return f"postgresql://jieneng@:{self.port}/{database}?host={self.folder}"

    def run(self, name: str, *arguments: str) -> str:
        """What one of the programs of PostgreSQL answers."""
        return self._run(name, "-h", str(self.folder), "-p", str(self.port), "-U", "jieneng", *arguments)

    def _run(self, name: str, *arguments: str) -> str:
        command, who = [str(self._bin / name), *arguments], _user()
        ran = subprocess.run(command, capture_output=True, text=True, cwd=self.folder, user=who, group=who)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


def _version(bin_folder: Path) -> int:
    """As Debian names the folder; 0 elsewhere."""
    return int(bin_folder.parent.name) if bin_folder.parent.name.isdigit() else 0


def _user() -> str | None:
    """PostgreSQL refuses to be run by root."""
    return "postgres" if os.getuid() == 0 else None


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server, skipped or failed where it is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    bin_folder = Path(program(*map(str, found), "initdb")).resolve().parent
    # A socket has a short name, and another user must reach it: not in pytest's own folder.
    folder = Path(tempfile.mkdtemp(prefix="jieneng-pg-"))
    if os.getuid() == 0:
        known = pwd.getpwnam("postgres")
        os.chown(folder, known.pw_uid, known.pw_gid)
    server = PostgresServer(folder, bin_folder)
    try:
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
