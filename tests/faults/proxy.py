"""A TCP proxy in front of PostgreSQL that cuts connections around a commit."""

from __future__ import annotations

import asyncio
import random
import threading

# Server messages that end a statement which may have changed something (protocol: CommandComplete, 'C').
WRITING_TAGS = (b"INSERT 0 ", b"UPDATE ", b"DELETE ", b"COMMIT", b"SELECT ")
WRITING_STATEMENTS = (b"deliveries", b"delivery_queue", b"queued_endpoints", b"COMMIT", b"commit")


class CuttingProxy:
    """Forwards everything. While `cutting`, it ends one in `one_in` connections at a write.

    Either right after the statement was sent on, so that the server may or may not commit it, or when its answer
    came, so that it is committed and the client never hears of it. Runs an event loop on a thread of its own.
    """

    def __init__(self, target_port: int, seed: int, one_in: int = 3) -> None:
        self._target_port = target_port
        self._random = random.Random(seed)
        self._one_in = one_in
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

        async def forward_statements() -> None:
            nonlocal cut_answer
            while data := await client.read(65536):
                to_server.write(data)
                await to_server.drain()
                if self._wants_cut(data):
                    if self._random.random() < 0.5:
                        self.cut_after_sending += 1
                        # In order, so that the server reads the statement before it reads the end.
                        to_server.write_eof()
                        return
                    cut_answer = True

        async def forward_answers() -> None:
            while data := await server.read(65536):
                if cut_answer and any(tag in data for tag in WRITING_TAGS):
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

    def _wants_cut(self, data: bytes) -> bool:
        if not self.cutting or not any(statement in data for statement in WRITING_STATEMENTS):
            return False
        return self._random.randrange(self._one_in) == 0
