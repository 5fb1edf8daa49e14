"""docmap-webhookd as a process: its configuration file, its commands, its log, its memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Any

import requests

from tools.ports import free_port
from tools.processes import ManagedProcess
from tools.settings import Settings
from tools.waiting import wait_for

COMMAND_TIMEOUT_S = 60
DRAIN_LIMIT_S = 15.0


class Daemon:
    """One instance. `start` may follow `stop` or `kill`; the log goes on in the same file."""

    def __init__(self, program: Path, folder: Path, settings: Settings) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._program = program
        self._folder = folder
        self.settings = settings
        self.port = free_port()
        self.log = folder / "daemon.log"
        self._process: ManagedProcess | None = None
        self._configuration = folder / "config.toml"
        self._write_master_key()
        settings.set("api", listen=f"127.0.0.1:{self.port}")

    @property
    def url(self) -> str:
        """Where the API listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process(self) -> ManagedProcess:
        """The running process."""
        assert self._process is not None, "the daemon is not running"
        return self._process

    def running(self) -> bool:
        """True from `start` until `stop`, `kill` or its own end."""
        return self._process is not None and self._process.alive()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs one of the program's commands to its end."""
        self._write_configuration()
        return subprocess.run(
            [str(self._program), *arguments, "--config", str(self._configuration)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
        )

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts one of the program's commands; the caller waits for its end."""
        self._write_configuration()
        return subprocess.Popen(
            [str(self._program), *arguments, "--config", str(self._configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def migrate(self) -> None:
        """Creates or updates the tables."""
        self._succeed("migrate")

    def create_key(self, user: str) -> str:
        """Makes an API key for a user."""
        return self._succeed("keys", "create", "--user", user, "--name", "test", "--expires", "90d").strip()

    def start(self) -> None:
        """Starts `serve` and returns at once."""
        self._write_configuration()
        command = [self._program, "serve", "--config", self._configuration]
        self._process = ManagedProcess("docmap-webhookd", command, self.log, death_signal="KILL")

    def start_ready(self, timeout_s: float = 30.0) -> None:
        """Starts `serve` and waits until it is ready."""
        self.start()
        self.wait_ready(timeout_s)

    def wait_ready(self, timeout_s: float = 30.0) -> None:
        """Waits until /ready says 200."""

        def ready() -> bool:
            self.process.check_alive()
            status, _ = self.readiness()
            return status == 200

        wait_for(ready, lambda: f"/ready says 200; now: {self.readiness()}; log:\n{self.log_tail()}", timeout_s)

    def readiness(self) -> tuple[int, dict[str, Any]]:
        """The status and body of /ready; status 0 where nothing answers."""
        try:
            answer = requests.get(f"{self.url}/ready", timeout=5)
            return answer.status_code, answer.json()
        except requests.RequestException:
            return 0, {}

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = requests.get(f"{self.url}/metrics", timeout=5).text.splitlines()
        values = [line.rsplit(" ", 1) for line in lines if line.split("{")[0].split(" ")[0] == name]
        return sum(float(value) for _, value in values)

    def stop(self, timeout_s: float = DRAIN_LIMIT_S) -> int:
        """Sends SIGTERM and returns the exit code; the daemon has `timeout_s` to drain."""
        if self._process is None:
            return 0
        process, self._process = self._process, None
        if not process.alive():
            return process.wait(1)
        process.send(signal.SIGTERM)
        try:
            return process.wait(timeout_s)
        except subprocess.TimeoutExpired as late:
            process.kill()
            raise AssertionError(f"SIGTERM did not end it within {timeout_s} s; log:\n{self.log_tail()}") from late

    def kill(self) -> None:
        """Ends it with SIGKILL."""
        self.process.kill()
        self._process = None

    def resident_bytes(self) -> int:
        """The memory it occupies now (RSS)."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self) -> float:
        """The processor time it has used so far, user and system."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def log_entries(self) -> list[dict[str, Any]]:
        """Its log lines so far (JSON format)."""
        if not self.log.exists():
            return []
        lines = self.log.read_text(errors="replace").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def log_tail(self, lines: int = 30) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def _succeed(self, *arguments: str) -> str:
        done = self.run(*arguments)
        if done.returncode != 0:
            raise RuntimeError(f"docmap-webhookd {' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def _write_configuration(self) -> None:
        # Replaced whole: commands may run at the same time and must never read half a file.
        fresh = self._configuration.with_suffix(f".{uuid.uuid4().hex}")
        fresh.write_text(self.settings.render())
        fresh.replace(self._configuration)

    def _write_master_key(self) -> None:
        path = self._folder / "master.key"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(os.urandom(32).hex())
        self.settings.set("secrets", master_key_file=path)
