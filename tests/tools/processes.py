"""Child processes that are ended by the pid they were started with, and that end with their parent."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import IO, Mapping, Sequence


class StartFailed(RuntimeError):
    """A part did not come up; the message holds the end of its log."""


class ManagedProcess:
    """One child process. Its standard error goes to `log`, its standard output too unless `pipe_output`.

    The kernel sends it SIGTERM should this process die first, so that nothing is left behind.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        cwd: Path | None = None,
        pipe_input: bool = False,
        pipe_output: bool = False,
        death_signal: str = "TERM",
        niceness: int = 0,
    ) -> None:
        self.name = name
        self.log = log
        prefix = ["nice", "-n", str(niceness), "setpriv", "--pdeathsig", death_signal]
        if user is not None:
            prefix += ["--reuid", user, "--regid", user, "--init-groups"]
        with open(log, "ab") as sink:
            self._process = subprocess.Popen(
                [*prefix, "--", *map(str, command)],
                stdin=subprocess.PIPE if pipe_input else subprocess.DEVNULL,
                stdout=subprocess.PIPE if pipe_output else sink,
                stderr=sink,
                env={**os.environ, **(env or {})},
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process id (setpriv replaces itself by the program, so it is the program's own)."""
        return self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        """The writing end of its standard input."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The reading end of its standard output."""
        assert self._process.stdout is not None
        return self._process.stdout

    def alive(self) -> bool:
        """True while it runs."""
        return self._process.poll() is None

    def exit_code(self) -> int | None:
        """Its exit code (negative: the signal that ended it), or None while it runs."""
        return self._process.poll()

    def wait(self, timeout_s: float) -> int:
        """Waits for its end and returns the exit code; raises subprocess.TimeoutExpired."""
        return self._process.wait(timeout_s)

    def send(self, number: signal.Signals) -> None:
        """Sends a signal, if it still runs."""
        if self.alive():
            self._process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM, timeout_s: float = 20.0) -> int:
        """Asks it to end, kills it when that takes too long, and returns the exit code."""
        self.send(number)
        try:
            code = self.wait(timeout_s)
        except subprocess.TimeoutExpired:
            code = self.kill()
        self._close_pipes()
        return code

    def kill(self) -> int:
        """Kills it and waits for its end."""
        self.send(signal.SIGKILL)
        code = self.wait(20.0)
        self._close_pipes()
        return code

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except FileNotFoundError:
            return ""

    def check_alive(self) -> None:
        """Raises StartFailed with the end of the log when it has ended."""
        code = self.exit_code()
        if code is not None:
            raise StartFailed(f"{self.name} ended with code {code}; its last lines:\n{self.log_tail()}")

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass
