"""What one end-to-end test works on: topics, a consumer group, a database and a daemon of its own."""

from __future__ import annotations

import itertools
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterable

from receivers.journal import Request
from tools.api import Api
from tools.broker import Broker
from tools.certificates import Certificates
from tools.daemon import Daemon
from tools.events import COMPLETED, FAILED, encode, event
from tools.postgres import PostgresCluster
from tools.records import GroupReader, Record, write_all
from tools.settings import Settings
from tools.waiting import wait_for

PARTITIONS = 4


@dataclass(frozen=True)
class Hook:
    """A webhook that a test created."""

    user: str
    id: str
    url: str
    secret: str
    events: list[str]

    @property
    def path(self) -> str:
        """The path of its URL, by which receivers tell webhooks apart."""
        return "/" + self.url.split("/", 3)[3]


class Site:
    """Everything has a name of its own, so tests share a broker and a PostgreSQL cluster without meeting."""

    def __init__(
        self, daemon_program: Path, folder: Path, broker: Broker, postgres: PostgresCluster, certificates: Certificates
    ) -> None:
        name = f"e2e_{uuid.uuid4().hex[:12]}"
        self.broker = broker
        self.postgres = postgres
        self.database = name
        self.group = name
        self.completed_topic = f"{name}.completed"
        self.failed_topic = f"{name}.failed"
        self._apis: dict[str, Api] = {}
        self._reader: GroupReader | None = None
        self._numbers = itertools.count(1)
        database_url = postgres.create_database(name)
        for topic in (self.completed_topic, self.failed_topic):
            broker.create_topic(topic, PARTITIONS)
        self.daemon = Daemon(daemon_program, folder / name, self._settings(database_url, certificates))
        self.daemon.migrate()

    def close(self) -> None:
        """Ends the daemon and drops the database."""
        try:
            self.daemon.stop()
        finally:
            self.close_clients()
            self.postgres.drop_database(self.database)

    def close_clients(self) -> None:
        """Ends the connections to the API and to the broker."""
        for api in self._apis.values():
            api.close()
        if self._reader is not None:
            self._reader.close()

    def api(self, user: str) -> Api:
        """The API as this user, with a key made on first use."""
        if user not in self._apis:
            self._apis[user] = Api(self.daemon.url, self.daemon.create_key(user))
        return self._apis[user]

    def make_keys(self, users: Iterable[str]) -> None:
        """Makes the keys of many users, some at a time."""
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self.api, users))

    def hook(self, user: str, url: str, events: list[str] | None = None) -> Hook:
        """Creates a webhook."""
        created = self.api(user).create_webhook(url, events)
        webhook = created["webhook"]
        return Hook(user, webhook["id"], url, created["secret"], webhook["events"])

    def record(self, user: str, kind: str = COMPLETED, **more: Any) -> Record:
        """An event's record in the right topic, its key the user, its extraction id new."""
        extraction = more.pop("extractionId", f"extract-{next(self._numbers)}")
        return Record(self.topic(kind), encode(event(kind, user, extraction, **more)), key=user)

    def topic(self, kind: str) -> str:
        """The topic of a kind of event."""
        return self.failed_topic if kind == FAILED else self.completed_topic

    def write(self, records: Iterable[Record]) -> None:
        """Writes records and returns when the broker has them."""
        write_all(self.broker, records)

    def reader(self) -> GroupReader:
        """Where the daemon's group stands."""
        if self._reader is None:
            self._reader = GroupReader(self.broker, self.group, [self.completed_topic, self.failed_topic])
        return self._reader

    def wait_settled(self, timeout_s: float = 30.0) -> None:
        """Waits until the committed offsets are the logs' ends."""
        wait_for(
            lambda: self.reader().lag() == 0,
            lambda: f"offsets at the log's end; ends {self.reader().ends()}, committed {self.reader().committed()}; "
            f"log:\n{self.daemon.log_tail()}",
            timeout_s,
            interval_s=0.2,
        )

    def sql(self, statement: str) -> list[list[str]]:
        """Rows of a query on the daemon's database, as texts."""
        output = self.postgres.execute(statement, self.database)
        return [line.split("|") for line in output.splitlines()]

    def logged(self, text: str) -> list[dict[str, Any]]:
        """The daemon's log entries that hold a text anywhere, in either case."""
        return [entry for entry in self.daemon.log_entries() if text.lower() in str(entry).lower()]

    def _settings(self, database_url: str, certificates: Certificates) -> Settings:
        return Settings(
            {
                "kafka": {
                    "brokers": self.broker.bootstrap,
                    "group_id": self.group,
                    "topics": [self.completed_topic, self.failed_topic],
                },
                "kafka.properties": self.broker.consumer_properties,
                "postgres": {"url": database_url},
                "delivery": {
                    "allow_http": True,
                    "allow_networks": ["127.0.0.0/8", "::1/128"],
                    "ca_file": certificates.ca_file,
                    "retry_schedule": [],
                },
                "log": {"level": "info", "format": "json"},
            }
        )


def by_path(requests: Iterable[Request]) -> dict[str, list[Request]]:
    """Requests by their path."""
    groups: dict[str, list[Request]] = {}
    for request in requests:
        groups.setdefault(request.path, []).append(request)
    return groups
