"""The servers that the component and integration rings need: started on first use, ended together."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Callable

from tools.broker import Broker, EmbeddedBroker, KafkaBroker
from tools.postgres import PostgresCluster
from tools.workspace import Workspace


def print_ready(what: str, where: str) -> None:
    """Tells that a server is up."""
    print(f"ready: {what}, {where}", flush=True)


class Services:
    """Use as a context manager. Everything lives in one temporary folder. `report` is told of each server."""

    def __init__(
        self, purpose: str, embedded_broker: Path, report: Callable[[str, str], None] = print_ready
    ) -> None:
        self._report = report
        self._purpose = purpose
        self._embedded_broker = embedded_broker
        self._stack = ExitStack()
        self._postgres: PostgresCluster | None = None
        self._brokers: dict[str, Broker] = {}

    def __enter__(self) -> Services:
        self._workspace = Workspace(self._purpose)
        self._stack.callback(self._workspace.remove)
        self.folder = self._workspace.path
        return self

    def keep_folder(self) -> None:
        """Leaves the folder with all logs behind at the end."""
        self._workspace.keep = True

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def postgres(self) -> PostgresCluster:
        """The cluster of this run."""
        if self._postgres is None:
            cluster = PostgresCluster(self.folder / "postgres")
            self._stack.callback(cluster.stop)
            cluster.start()
            self._postgres = cluster
            self._report("PostgreSQL", f"127.0.0.1:{cluster.port}")
        return self._postgres

    def broker(self, name: str) -> Broker:
        """The broker of this name, `embedded` or `kafka`. Raises KafkaUnavailable."""
        if name not in self._brokers:
            if name == "kafka":
                broker: Broker = KafkaBroker(self.folder / "kafka")
            else:
                broker = EmbeddedBroker(self._embedded_broker, self.folder / "embedded-broker")
            self._stack.callback(broker.stop)
            self._brokers[name] = broker
            self._report(f"{name} broker", broker.bootstrap)
        return self._brokers[name]
