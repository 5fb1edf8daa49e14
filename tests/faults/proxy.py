"""A TCP proxy in front of PostgreSQL that cuts connections around a commit."""

from __future__ import annotations

import asyncio
import random
import threading

# How a statement that changes something ends (the server's CommandComplete).
WRITTEN_TAGS = (b"INSERT 0 ", b"UPDATE ", b"DELETE ", b"SELECT ", b"COMMIT")
WRITING_WORDS = (b"INSERT INTO", b"UPDATE ", b"DELETE FROM")
ENCRYPTION_REQUESTS = ((80877103).to_bytes(4, "big"), (80877104).to_bytes(4, "big"))  # TLS, GSSAPI
ONE_WRITE_IN = 8
ONE_COMMIT_IN = 3


class Statements:
    """Finds the writes in what a client sends (PostgreSQL's protocol 3, without TLS)."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._started = False
        self._writing_names: set[bytes] = set()

    def feed(self, data: bytes) -> str:
        """Takes bytes in; returns `commit` or `write` where such a statement is among them, else nothing."""
        self._buffer += data
        found = ""
        while True:
            header = 5 if self._started else 4  # the first message has no type
            if len(self._buffer) < header:
                return found
            length = int.from_bytes(self._buffer[header - 4 : header], "big") + header - 4
            if len(self._buffer) < length:
                return found
            kind, payload = bytes(self._buffer[: header - 4]), bytes(self._buffer[header:length])
            del self._buffer[:length]
            # Requests for encryption come before the start, and are answered by one byte.
            self._started = self._started or payload[:4] not in ENCRYPTION_REQUESTS
            found = self._judge(kind, payload) or found

    def _judge(self, kind: bytes, payload: bytes) -> str:
        if kind == b"Q":
            if payload.upper().startswith(b"COMMIT"):
                return "commit"
            return "write" if any(word in payload for word in WRITING_WORDS) else ""
        if kind == b"P":
            name, text = payload.split(b"\0", 2)[:2]
            if any(word in text for word in WRITING_WORDS):
                self._writing_names.add(name)
        elif kind == b"B" and payload.split(b"\0", 2)[1] in self._writing_names:
            return "write"
        return ""


class CuttingProxy:
    """Forwards everything. While `cutting`, it ends connections at some of their writes and commits.

    Either right after the statement was sent on, so that the server may or may not commit it, or when its answer
    came, so that it is committed and the client never hears of it. Runs an event loop on a thread of its own.
    """

    def __init__(self, target_port: int, seed: int) -> None:
        self._target_port = target_port
        self._random = random.Random(seed)
        self.cutting = False
        self.cut_after_sending = 0
        self.cut_before_answer = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait(10)

    def stop(self) -> None:
        """Ends all connections."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        server.close()
        self._loop.run_until_complete(asyncio.sleep(0))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.close()
            return
        try:
            await self._exchange(reader, writer, to_reader, to_writer)
        finally:
            writer.transport.abort()
            to_writer.transport.abort()

    async def _exchange(
        self,
        client: asyncio.StreamReader,
        to_client: asyncio.StreamWriter,
        server: asyncio.StreamReader,
        to_server: asyncio.StreamWriter,
    ) -> None:
        cut_answer = False
        statements = Statements()

        async def forward_statements() -> None:
            nonlocal cut_answer
            while data := await client.read(65536):
                to_server.write(data)
                await to_server.drain()
                if self._wants_cut(statements.feed(data)):
                    if self._random.random() < 0.5:
                        self.cut_after_sending += 1
                        # In order, so that the server reads the statement before it reads the end.
                        to_server.write_eof()
                        return
                    cut_answer = True

        async def forward_answers() -> None:
            while data := await server.read(65536):
                if cut_answer and any(tag in data for tag in WRITTEN_TAGS):
                    self.cut_before_answer += 1
                    return
                to_client.write(data)
                await to_client.drain()

        tasks = [asyncio.ensure_future(forward_statements()), asyncio.ensure_future(forward_answers())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _wants_cut(self, statement: str) -> bool:
        if not self.cutting or not statement:
            return False
        return self._random.randrange(ONE_COMMIT_IN if statement == "commit" else ONE_WRITE_IN) == 0
