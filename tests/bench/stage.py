"""The parts that a benchmark runs on, and the users, webhooks and topics in them."""

from __future__ import annotations

import itertools
import os
import resource
import subprocess
import uuid
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Iterator

from bench.load import Topic, preload
from bench.nginx import BenchNginx
from tools.broker import Broker, EmbeddedBroker, KafkaBroker
from tools.build import Build
from tools.certificates import Certificates
from tools.daemon import Daemon
from tools.postgres import PostgresCluster
from tools.services import print_ready
from tools.settings import Settings
from tools.workspace import Workspace

# A server as an administrator would size it for this table. fsync and synchronous_commit stay on.
POSTGRES_SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "4GB"}
HANGING_WORKERS = 2
DEFAULT_PARTITIONS = 12


@dataclass(frozen=True)
class Options:
    """What the command line asks for."""

    broker: str
    in_flight: int
    quick: bool

    def size(self, full: int, quick: int) -> int:
        """A count or a number of seconds: the full one, or the small one of a quick run."""
        return quick if self.quick else full

    def backlog_size(self, full: int, quick: int) -> int:
        """How many events to write ahead; few for the embedded broker, which forgets what does not fit its memory."""
        return quick if self.quick or self.broker == "embedded" else full


@dataclass(frozen=True)
class Hooks:
    """Webhooks to make: users first_user … first_user + users - 1 with so many each, all below one URL."""

    users: int
    url: str
    per_user: int = 1
    first_user: int = 0

    def each_user(self) -> Iterator[int]:
        """The users in turn, without end."""
        return itertools.cycle(range(self.first_user, self.first_user + self.users))


class Site:
    """A database with webhooks, and the daemon's configuration for it. The daemon is started by bench/subjects.py."""

    def __init__(self, stage: Stage, hooks: list[Hooks]) -> None:
        self.stage = stage
        self.hooks = hooks
        self.database = f"bench_{uuid.uuid4().hex[:12]}"
        self.database_url = stage.postgres.create_database(self.database)
        settings = Settings(
            {
                "kafka": {"brokers": stage.broker.bootstrap},
                "kafka.properties": stage.broker.consumer_properties if stage.broker.name == "embedded" else {},
                "postgres": {"url": self.database_url},
                "delivery": {
                    "allow_http": True,
                    "allow_networks": ["127.0.0.0/8", "::1/128"],
                    "ca_file": stage.certificates.ca_file,
                    "retry_schedule": [],
                    "max_in_flight": stage.options.in_flight,
                },
                "log": {"level": "warning", "format": "json"},
            }
        )
        self.folder = stage.folder / self.database
        self.daemon = Daemon(stage.build.daemon, self.folder, settings)
        self._daemons = [self.daemon]
        self.daemon.migrate()
        for each in hooks:
            self._insert(each)
        # By now, not by an autovacuum in the middle of a measurement.
        self.execute("VACUUM ANALYZE")

    @property
    def master_key_file(self) -> Path:
        """What the webhooks' secrets are sealed with."""
        return self.folder / "master.key"

    def instance(self, number: int) -> Daemon:
        """The site's daemon (number 0), or another one with the same configuration, made when first asked for."""
        while len(self._daemons) <= number:
            folder = self.folder / f"instance-{len(self._daemons)}"
            daemon = Daemon(self.stage.build.daemon, folder, self.daemon.settings.copy())
            daemon.settings.set("secrets", master_key_file=self.master_key_file)
            self._daemons.append(daemon)
        return self._daemons[number]

    def execute(self, statement: str) -> str:
        """Runs SQL on the site's database and returns its rows."""
        return self.stage.postgres.execute(statement, self.database)

    def stored(self) -> int:
        """How many delivery records there are."""
        return int(self.execute("SELECT count(*) FROM deliveries"))

    def forget_deliveries(self) -> None:
        """Makes the next run begin with empty tables and written buffers."""
        self.execute("TRUNCATE deliveries")
        self.execute("CHECKPOINT")

    def close(self) -> None:
        """Drops the database."""
        for daemon in self._daemons:
            daemon.stop()
        self.stage.postgres.drop_database(self.database)

    def _insert(self, hooks: Hooks) -> None:
        import psycopg2

        command = [self.stage.build.folder / "tests" / "bench" / "bench-webhooks", self.master_key_file]
        command += [hooks.first_user, hooks.users, hooks.per_user, hooks.url]
        rows = subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        assert rows.stdout is not None
        with psycopg2.connect(self.database_url) as connection, connection.cursor() as cursor:
            # No notifications: nobody listens yet.
            cursor.execute("SET session_replication_role = replica")
            cursor.copy_expert("COPY webhooks (id, user_id, url, events, secret_sealed) FROM STDIN", rows.stdout)
        connection.close()
        if rows.wait() != 0:
            raise RuntimeError(f"bench-webhooks ended with {rows.returncode}")


class Stage:
    """Real parts on loopback, started once and kept for all rounds. Use as a context manager."""

    def __init__(self, build: Build, options: Options) -> None:
        self.build = build
        self.options = options
        self._stack = ExitStack()
        self._topics: dict[str, Topic] = {}
        self._hanging: BenchNginx | None = None
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.max_files = hard
        """How many sockets one process may have."""

    def __enter__(self) -> Stage:
        workspace = Workspace("bench")
        self._stack.callback(workspace.remove)
        self.folder = workspace.path
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self) -> None:
        self.certificates = Certificates(self.folder / "certificates")
        self.postgres = PostgresCluster(self.folder / "postgres", POSTGRES_SETTINGS)
        self._stack.callback(self.postgres.stop)
        self.postgres.start()
        print_ready("PostgreSQL", f"127.0.0.1:{self.postgres.port}")
        self.broker: Broker = (
            KafkaBroker(self.folder / "kafka")
            if self.options.broker == "kafka"
            else EmbeddedBroker(self.build.embedded_broker, self.folder / "embedded-broker")
        )
        self._stack.callback(self.broker.stop)
        print_ready(f"{self.broker.name} broker", self.broker.bootstrap)
        self.nginx = BenchNginx(self.folder / "nginx", self.certificates)
        self._stack.callback(self.nginx.stop)
        print_ready("nginx", f"127.0.0.1:{self.nginx.tls_port} (TLS), 127.0.0.1:{self.nginx.plain_port}")

    def hanging_nginx(self) -> BenchNginx:
        """A second nginx, for endpoints that hang: what it holds must not slow the healthy ones down."""
        if self._hanging is None:
            self._hanging = BenchNginx(
                self.folder / "hanging", self.certificates, workers=HANGING_WORKERS, files=self.max_files
            )
            self._stack.callback(self._hanging.stop)
        return self._hanging

    def site(self, *hooks: Hooks) -> Site:
        """A new database with these webhooks."""
        made = Site(self, list(hooks))
        self._stack.callback(made.close)
        return made

    def fresh_topic(self, partitions: int = DEFAULT_PARTITIONS) -> Topic:
        """An empty topic."""
        topic = Topic(f"bench.{uuid.uuid4().hex[:12]}", partitions)
        self.broker.create_topic(topic.name, partitions)
        return topic

    def backlog(self, users: int, count: int, partitions: int = DEFAULT_PARTITIONS) -> Topic:
        """A topic with `count` events of so many users in turn; written once and kept."""
        return self.backlog_of(f"{users}/{count}/{partitions}", itertools.cycle(range(users)), count, partitions)

    def backlog_of(self, key: str, users: Iterator[int], count: int, partitions: int = DEFAULT_PARTITIONS) -> Topic:
        """A topic with `count` events, their users taken from the iterator; written once per key and kept."""
        if key not in self._topics:
            topic = self.fresh_topic(partitions)
            preload(self.broker, topic, users, count)
            self._topics[key] = topic
        return self._topics[key]


def machine() -> dict[str, str]:
    """What the figures were made on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        "unknown",
    )
    release = Path("/etc/os-release").read_text(encoding="utf-8").splitlines()
    name = next((line.partition("=")[2].strip('"') for line in release if line.startswith("PRETTY_NAME=")), "unknown")
    return {"processor": model, "cores": str(os.cpu_count()), "system": name}
