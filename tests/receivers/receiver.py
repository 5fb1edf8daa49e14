"""A webhook receiver that journals every request and misbehaves on demand (see behaviours.py).

    python3 -m receivers.receiver --journal FILE [--listen NAME[:CERTIFICATE:KEY]]...

Listens on free ports of 127.0.0.1, one per --listen (HTTPS where a certificate is given), and prints
`ready {"NAME": PORT, ...}`. Commands, one per line on standard input, each answered by one line:

    held      `ok N`: how many requests are held by /hold now
    release   answers the held requests, and later ones at once
    hold      holds again
    gate NAME STATUS [DELAY_MS [RETRY_AFTER]]
              how /gate/NAME answers from now on: with this status, late, with a Retry-After; status 0 is never

Ends on SIGTERM, and when standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import json
import signal
import socket
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, AsyncIterator

from receivers.behaviours import OK_RESPONSE, behaviour_of, response
from receivers.journal import JournalWriter, Request

MAX_HEADER_BYTES = 65536
MAX_BODY_BYTES = 16 * 1024 * 1024
BACKLOG = 4096


@dataclass(frozen=True)
class Gate:
    """How one /gate/NAME answers. Status 0: not at all."""

    status: int = 200
    delay_s: float = 0.0
    headers: str = ""


class Server:
    """What all connections share: the journal, the requests held back, the gates."""

    def __init__(self, journal: JournalWriter) -> None:
        self.journal = journal
        self.connection_ids = itertools.count(1)
        self._held: set[Connection] = set()
        self._holding = True
        self._gates: dict[str, Gate] = {}
        self._in_flight: dict[str, int] = {}
        self._seen: set[tuple[str, str]] = set()

    def first_of(self, path: str, event_id: str) -> bool:
        """True when /flaky asks for the first time with this path and event."""
        known = (path, event_id) in self._seen
        self._seen.add((path, event_id))
        return not known

    def begin(self, path: str) -> int:
        """A request to this path begins; returns how many are unanswered now."""
        self._in_flight[path] = count = self._in_flight.get(path, 0) + 1
        return count

    def end(self, path: str) -> None:
        """A request to this path is answered, or its connection has ended."""
        self._in_flight[path] -= 1

    def gate(self, name: str) -> Gate:
        """How this gate answers now."""
        return self._gates.get(name, OPEN_GATE)

    def hold(self, connection: Connection) -> None:
        """Keeps a request unanswered until `release`."""
        if self._holding:
            self._held.add(connection)
        else:
            connection.finish(OK_RESPONSE)

    def forget(self, connection: Connection) -> None:
        """A connection ended."""
        self._held.discard(connection)

    def command(self, line: str) -> str:
        """Carries out one command and returns the answer's line."""
        if line == "held":
            return f"ok {len(self._held)}"
        if line == "hold":
            self._holding = True
            return "ok"
        if line == "release":
            self._holding = False
            held, self._held = self._held, set()
            for connection in held:
                connection.finish(OK_RESPONSE)
            return "ok"
        if line.startswith("gate "):
            _, name, status, *more = line.split()
            delay_s = int(more[0]) / 1000 if more else 0.0
            headers = f"Retry-After: {more[1]}\r\n" if len(more) > 1 else ""
            self._gates[name] = Gate(int(status), delay_s, headers)
            return "ok"
        return f"error: unknown command: {line}"


OPEN_GATE = Gate()


class Connection(asyncio.Protocol):
    """One connection: reads requests one after the other, journals each, and answers as its path asks for."""

    transport: asyncio.Transport

    def __init__(self, server: Server, listener: str) -> None:
        self.server = server
        self._listener = listener
        self._id = next(server.connection_ids)
        self._buffer = bytearray()
        self._answering = False
        self._path: str | None = None
        self.event_id = ""
        self._writable = asyncio.Event()
        self._writable.set()
        self._streaming: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def connection_lost(self, exc: Exception | None) -> None:
        self.server.forget(self)
        self._end_request()
        self._writable.set()
        if self._streaming is not None:
            self._streaming.cancel()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._answering:
            self._serve()

    def finish(self, data: bytes) -> None:
        """Ends the current request with a whole response and goes on to the next one."""
        if self.transport.is_closing():
            return
        self.transport.write(data)
        self._end_request()
        self._serve()

    def stream(self, head: bytes, body: AsyncIterator[bytes]) -> None:
        """Sends a response piece by piece, no faster than the peer takes it, and closes."""
        self._streaming = asyncio.get_running_loop().create_task(self._stream(head, body))

    def abort(self) -> None:
        """Resets the connection (SO_LINGER 0 makes the close a TCP reset)."""
        raw: socket.socket | None = self.transport.get_extra_info("socket")
        if raw is not None and not self.transport.is_closing():
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.transport.abort()

    async def _stream(self, head: bytes, body: AsyncIterator[bytes]) -> None:
        self.transport.write(head)
        async for piece in body:
            await self._writable.wait()
            if self.transport.is_closing():
                return
            self.transport.write(piece)
        self.transport.close()

    def _serve(self) -> None:
        """Answers what the buffer holds in whole requests."""
        while not self._answering:
            request = self._next_request()
            if request is None:
                return
            self._answering = True
            self.server.journal.add(request)
            behaviour = behaviour_of(request.path)
            if behaviour is None:
                self.transport.write(OK_RESPONSE)
                self._end_request()
            else:
                answer, argument = behaviour
                answer(self, argument)

    @property
    def request_path(self) -> str:
        """The path of the request that is being answered."""
        return self._path or ""

    def _end_request(self) -> None:
        self._answering = False
        if self._path is not None:
            self.server.end(self._path)
            self._path = None

    def _next_request(self) -> Request | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if self._buffer and not 65 <= self._buffer[0] <= 90:
                self._refuse(400)  # no method begins like this: TLS, most likely
            elif len(self._buffer) > MAX_HEADER_BYTES:
                self._refuse(431)
            return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdigit() or int(length) > MAX_BODY_BYTES:
            self._refuse(411)
            return None
        total = end + 4 + int(length)
        if len(self._buffer) < total:
            return None
        body = bytes(self._buffer[end + 4 : total])
        del self._buffer[:total]
        words = first.split(" ")
        path = words[1] if len(words) == 3 else ""
        self._path = path
        self.event_id = headers.get("webhook-id", "")
        return Request(time.time(), self._listener, self._id, path, headers, body, self.server.begin(path))

    def _refuse(self, status: int) -> None:
        self._answering = True
        self._buffer.clear()
        self.transport.write(response(status, b"", "Connection: close\r\n"))
        self.transport.close()


async def serve_commands(server: Server) -> None:
    """Answers commands until standard input closes."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        print(server.command(line.decode().strip()), flush=True)


async def listen(server: Server, specification: str) -> tuple[str, int]:
    """Opens one listener, given as NAME or NAME:CERTIFICATE:KEY, and returns its name and port."""
    name, _, files = specification.partition(":")
    context = None
    if files:
        certificate, _, key = files.partition(":")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    listener = await asyncio.get_running_loop().create_server(
        lambda: Connection(server, name), "127.0.0.1", 0, ssl=context, backlog=BACKLOG
    )
    return name, listener.sockets[0].getsockname()[1]


def report_surprise(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Reports what went wrong, except for connections that the peer ended: those are expected here."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


async def run(arguments: argparse.Namespace) -> None:
    """Serves until told to stop."""
    journal = JournalWriter(arguments.journal)
    server = Server(journal)
    asyncio.get_running_loop().set_exception_handler(report_surprise)
    ports = dict([await listen(server, each) for each in arguments.listen])
    print(f"ready {json.dumps(ports)}", flush=True)
    commands = asyncio.ensure_future(serve_commands(server))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, commands.cancel)
    try:
        await commands
    except asyncio.CancelledError:
        pass
    journal.flush()


def main() -> None:
    """Reads the command line and runs the receiver."""
    parser = argparse.ArgumentParser(description="A webhook receiver that journals and misbehaves.")
    parser.add_argument("--journal", type=Path, required=True)
    parser.add_argument("--listen", action="append", default=[])
    # Connections and requests form no cycles worth a pause of the collector.
    gc.disable()
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
