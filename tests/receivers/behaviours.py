"""How the receiver answers, by path. Each behaviour gets a connection and writes to its transport."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from receivers.receiver import Connection

HANG_S = 12.0
DRIP_INTERVAL_S = 1.0
HUGE_BYTES = 1 << 30
CHUNK = b"x" * 65536

OK_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n\r\nok"


def response(status: int, body: bytes = b"", headers: str = "") -> bytes:
    """A whole response. 204 and 304 have no body, so no length either."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    length = "" if status in (204, 304) else f"Content-Length: {len(body)}\r\n"
    return f"HTTP/1.1 {status} {phrase}\r\n{length}{headers}\r\n".encode() + body


def answer_status(connection: Connection, argument: str) -> None:
    """/status/NNN: that status. Redirects point to /redirected, which no client should ask for."""
    status = int(argument)
    headers = "Location: /redirected\r\n" if 300 <= status < 400 and status != 304 else ""
    connection.finish(response(status, b"status as asked for", headers))


def answer_later(connection: Connection, argument: str) -> None:
    """/delay/MS: 200 after so many milliseconds."""
    _finish_after(connection, int(argument) / 1000)


def hang(connection: Connection, _argument: str) -> None:
    """/hang: nothing for 12 s, then 200."""
    _finish_after(connection, HANG_S)


def hold(connection: Connection, _argument: str) -> None:
    """/hold: nothing until the command `release`; at once after it."""
    connection.server.hold(connection)


def gate(connection: Connection, argument: str) -> None:
    """/gate/NAME: as the command `gate NAME …` said last; 200 at once before the first one."""
    state = connection.server.gate(argument)
    if state.status == 0:
        return
    answer = OK_RESPONSE if state.status == 200 else response(state.status, b"closed for now", state.headers)
    if state.delay_s > 0:
        asyncio.get_running_loop().call_later(state.delay_s, connection.finish, answer)
    else:
        connection.finish(answer)


def flaky(connection: Connection, _argument: str) -> None:
    """/flaky: 500 to the first request of each event, 200 to the next ones."""
    first = connection.server.first_of(connection.request_path, connection.event_id)
    connection.finish(response(500, b"not yet") if first else OK_RESPONSE)


def garbage(connection: Connection, _argument: str) -> None:
    """/garbage: bytes that are no HTTP."""
    connection.transport.write(b"\x00\x01\xfe garbage: no protocol at all\r\n\r\n" * 8)
    connection.transport.close()


def reset(connection: Connection, _argument: str) -> None:
    """/reset: a connection reset in the middle of the headers."""
    connection.transport.write(b"HTTP/1.1 200 OK\r\nContent-Le")
    # Later, so that the first half arrives: a reset discards what the peer has not read yet.
    asyncio.get_running_loop().call_later(0.1, connection.abort)


def huge(connection: Connection, _argument: str) -> None:
    """/huge: a body of 1 GB, sent as fast as the peer takes it."""
    connection.stream(f"HTTP/1.1 200 OK\r\nContent-Length: {HUGE_BYTES}\r\n\r\n".encode(), _huge_body())


async def _huge_body():
    for _ in range(HUGE_BYTES // len(CHUNK)):
        yield CHUNK


def drip_headers(connection: Connection, _argument: str) -> None:
    """/drip/headers: a response of which one byte a second arrives, from its first byte on."""
    connection.stream(b"", _drip(response(200, b"", "X-Padding: " + "p" * 200 + "\r\n")))


def drip_body(connection: Connection, _argument: str) -> None:
    """/drip/body: prompt headers, then a body of which one byte a second arrives."""
    body = b"d" * 200
    connection.stream(response(200, body)[: -len(body)], _drip(body))


async def _drip(data: bytes):
    for i in range(len(data)):
        yield data[i : i + 1]
        await asyncio.sleep(DRIP_INTERVAL_S)


def _finish_after(connection: Connection, seconds: float) -> None:
    asyncio.get_running_loop().call_later(seconds, connection.finish, OK_RESPONSE)


BEHAVIOURS: dict[str, Callable[[Connection, str], None]] = {
    "status": answer_status,
    "delay": answer_later,
    "hang": hang,
    "hold": hold,
    "gate": gate,
    "flaky": flaky,
    "garbage": garbage,
    "reset": reset,
    "huge": huge,
    "drip-headers": drip_headers,
    "drip-body": drip_body,
}


def behaviour_of(path: str) -> tuple[Callable[[Connection, str], None], str] | None:
    """The behaviour that a path asks for with its argument, or None for the ordinary 200.

    Only the first two parts of a path count, so that tests can tell webhooks apart by what follows.
    """
    parts = path.split("?", 1)[0].split("/")
    found = BEHAVIOURS.get(parts[1]) if len(parts) > 1 else None
    return None if found is None else (found, parts[2] if len(parts) > 2 else "")
