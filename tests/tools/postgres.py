"""A PostgreSQL cluster of our own in a temporary folder, from Debian's server package."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
from pathlib import Path
from typing import Mapping

from tools.ports import free_port
from tools.processes import ManagedProcess, StartFailed
from tools.waiting import wait_for

SUPERUSER = "docmap"

# fsync stays on: what the tests show about crashes must hold for a real disk.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "on",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "log_min_messages": "warning",
    # Tells when each row was committed: what was recorded before an attempt began must not be sent again.
    "track_commit_timestamp": "on",
    "log_line_prefix": "%m [%p] ",
}


def server_programs() -> Path:
    """The newest server's bin folder."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise StartFailed("PostgreSQL's server is not installed (tests/tools/packages demo installs it)")
    return found[-1].parent


class PostgresCluster:
    """One cluster; keeps its port and data over stop, kill and start. `settings` override SETTINGS.

    PostgreSQL refuses to run as root, so root hands the cluster to the user `postgres`.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str] | None = None) -> None:
        self._settings = {**SETTINGS, **(settings or {})}
        self._programs = server_programs()
        self._user = "postgres" if os.geteuid() == 0 else None
        self.folder = folder
        self._data = folder / "data"
        self.port = free_port()
        self._process: ManagedProcess | None = None
        folder.mkdir(parents=True)
        if self._user is not None:
            owner = pwd.getpwnam(self._user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        self._initialise()

    @property
    def pid(self) -> int:
        """The id of the running server's first process, the parent of all others."""
        if self._process is None:
            raise RuntimeError("PostgreSQL is not running")
        return self._process.pid

    def url(self, database: str = "postgres") -> str:
        """A superuser's URL over TCP."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def start(self, timeout_s: float = 60.0) -> None:
        """Starts the server and waits until it accepts connections."""
        settings = {**self._settings, "port": str(self.port), "unix_socket_directories": str(self.folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [self._programs / "postgres", "-D", self._data, *options]
        process = ManagedProcess(
            "PostgreSQL", command, self.log(), user=self._user, cwd=self.folder, death_signal="QUIT"
        )
        self._process = process

        def ready() -> bool:
            process.check_alive()
            return self._accepts()

        wait_for(ready, lambda: f"PostgreSQL accepts connections; its log ends:\n{process.log_tail()}", timeout_s)

    def stop(self) -> None:
        """Ends the server in order (connections are closed)."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Ends the server at once, as `pg_ctl stop -m immediate`; the next start recovers from the log."""
        self._end(signal.SIGQUIT)

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Runs SQL through psql and returns its rows, columns separated by `|`."""
        command = [self._programs / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(database)]
        done = subprocess.run([*command, "-c", statement], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def create_database(self, name: str) -> str:
        """Creates an empty database and returns its URL."""
        self.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drops a database, and whoever is still connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _initialise(self) -> None:
        command = [str(self._programs / "initdb"), "-D", str(self._data), "-U", SUPERUSER]
        command += ["-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"]
        if self._user is not None:
            command = ["setpriv", "--reuid", self._user, "--regid", self._user, "--init-groups", "--", *command]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=self.folder, timeout=120
        )
        if done.returncode != 0:
            raise StartFailed(f"initdb failed: {done.stderr.strip()}")

    def log(self) -> Path:
        """Where the server writes what goes wrong."""
        return self.folder.parent / f"{self.folder.name}.log"

    def _accepts(self) -> bool:
        """True when the server answers a connection's first message (not only listens)."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2.0):
                pass
            self.execute("SELECT 1")
            return True
        except (OSError, RuntimeError):
            return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.stop(number, timeout_s=30.0)
            self._process = None
