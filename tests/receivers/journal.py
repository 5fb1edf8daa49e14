"""The journal of received requests: the receiver appends one JSON line per request, tests read them."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass
from pathlib import Path

FLUSH_INTERVAL_S = 0.01


@dataclass(frozen=True)
class Request:
    """One request as it arrived."""

    time: float
    """Unix time at which its last byte had been read."""
    listener: str
    connection: int
    """Requests with the same number came over the same connection."""
    path: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    in_flight: int = 0
    """How many requests to this path were unanswered then, this one included (0: not counted)."""


class JournalWriter:
    """Appends requests to a file, in batches, on the event loop's thread."""

    def __init__(self, path: Path) -> None:
        self._file = open(path, "ab", buffering=0)
        self._waiting: list[str] = []

    def add(self, request: Request) -> None:
        """Queues one request; it is in the file FLUSH_INTERVAL_S later at most."""
        if not self._waiting:
            asyncio.get_running_loop().call_later(FLUSH_INTERVAL_S, self.flush)
        line = {
            "time": request.time,
            "listener": request.listener,
            "connection": request.connection,
            "path": request.path,
            "headers": request.headers,
            "body": base64.b64encode(request.body).decode(),
            "in_flight": request.in_flight,
        }
        self._waiting.append(json.dumps(line))

    def flush(self) -> None:
        """Writes what waits."""
        if self._waiting:
            self._file.write(("\n".join(self._waiting) + "\n").encode())
            self._waiting.clear()


class JournalReader:
    """Follows a journal from another process."""

    def __init__(self, path: Path) -> None:
        path.touch()
        self._file = open(path, "rb")
        self._rest = b""
        self.requests: list[Request] = []
        """All requests read so far, in the order of their arrival."""

    def read(self) -> list[Request]:
        """Returns the requests that came since the last call."""
        *lines, self._rest = (self._rest + self._file.read()).split(b"\n")
        new = [_parse(line) for line in lines]
        self.requests += new
        return new

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()


def _parse(line: bytes) -> Request:
    fields = json.loads(line)
    fields["body"] = base64.b64decode(fields["body"])
    return Request(**fields)
