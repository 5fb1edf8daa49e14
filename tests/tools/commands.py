"""Foreground commands of a run: their output is the progress that the user sees."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Mapping, Sequence

ROOT = Path(__file__).parents[2]


def stop_in_order() -> None:
    """Makes SIGTERM and SIGHUP end this program as Ctrl-C does, so that it cleans up."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)


def run(command: Sequence[str | Path], env: Mapping[str, str] | None = None) -> int:
    """Runs a command in the repository's root and returns its exit code. If interrupted, it ends the command first."""
    process = subprocess.Popen(
        [str(part) for part in command], cwd=ROOT, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise


def heading(text: str) -> None:
    """Announces the next step."""
    print(f"\n== {text}", flush=True)
