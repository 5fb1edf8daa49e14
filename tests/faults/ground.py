"""What a fault stands on: Apache Kafka, PostgreSQL, receivers, and daemons with everything of their own."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Iterable, Iterator

from e2e.site import Hook, Site
from tools.broker import Broker
from tools.certificates import Certificates
from tools.daemon import Daemon
from tools.postgres import PostgresCluster
from tools.receivers import Receiver
from tools.services import Services
from tools.waiting import wait_for

# Short, so that a member that died is missed soon. The broker allows no session below a second.
QUICK_SESSION = {"session.timeout.ms": "1500", "heartbeat.interval.ms": "300"}


class Session:
    """One connection to PostgreSQL, for locks and transactions that stay open."""

    def __init__(self, connection: Any) -> None:
        self._cursor = connection.cursor()
        self.backend: int = connection.get_backend_pid()

    def execute(self, statement: str) -> None:
        """Runs one statement."""
        self._cursor.execute(statement)


class FaultSite(Site):
    """A site with any number of daemons in one group, and webhooks of many users."""

    def __init__(self, ground: Ground, broker: Broker, sections: dict[str, dict[str, Any]]) -> None:
        super().__init__(ground.program, ground.folder, broker, ground.postgres, ground.certificates)
        self._ground = ground
        self.daemon.settings.set("kafka.properties", **QUICK_SESSION)
        for section, keys in sections.items():
            self.daemon.settings.set(section, **keys)
        self.daemons = [self.daemon]

    def add_daemon(self, **kafka_properties: str) -> Daemon:
        """One more instance, not started yet: the same configuration, ports and logs of its own."""
        folder = self._ground.folder / f"{self.database}-{len(self.daemons) + 1}"
        key_file = self.daemon.settings.get("secrets", "master_key_file")
        daemon = Daemon(self._ground.program, folder, self.daemon.settings.copy())
        daemon.settings.set("secrets", master_key_file=key_file)
        daemon.settings.set("kafka.properties", **kafka_properties)
        self.daemons.append(daemon)
        return daemon

    def make_hooks(self, urls: Iterable[str], user: str = "uid") -> list[Hook]:
        """A webhook of a user of its own for each URL. The daemon has to run."""
        named = {f"{user}_{number}": url for number, url in enumerate(urls)}
        self.make_keys(named)
        return [self.hook(name, url) for name, url in named.items()]

    def queued(self) -> int:
        """How many deliveries wait in the durable queue."""
        return int(self.sql("SELECT count(*) FROM delivery_queue")[0][0])

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A database session of our own, without transactions but those that it begins."""
        import psycopg2

        connection = psycopg2.connect(self.postgres.url(self.database))
        connection.autocommit = True
        try:
            yield Session(connection)
        finally:
            connection.close()

    def end_backends(self, but: Session | None = None) -> int:
        """Cuts every connection to the database, but for one, and returns how many there were."""
        spared = but.backend if but is not None else 0
        ended = self.sql(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            f"WHERE datname = '{self.database}' AND pid NOT IN (pg_backend_pid(), {spared})"
        )
        return len(ended)

    def recorded(self) -> int:
        """How many attempts are recorded."""
        return int(self.sql("SELECT count(*) FROM deliveries")[0][0])

    def close(self) -> None:
        """Ends the daemons. The database stays until `Ground.drop_databases`."""
        for daemon in self.daemons:
            if daemon.running():
                daemon.kill()
        self.close_clients()


class Ground:
    """Made anew for each fault, on servers that all share. Use as a context manager."""

    def __init__(self, program: Path, services: Services, name: str) -> None:
        self.program = program
        self.services = services
        self.folder = services.folder / "faults" / name
        self.folder.mkdir(parents=True)
        self.postgres: PostgresCluster = services.postgres()
        self.kafka: Broker = services.broker("kafka")
        self.certificates = Certificates(self.folder / "certificates")
        self.cleanup = ExitStack()
        self._databases: list[str] = []

    def __enter__(self) -> Ground:
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanup.close()

    def delete_topic(self, name: str) -> None:
        """Deletes a topic and returns when it is gone."""
        from confluent_kafka.admin import AdminClient

        client = AdminClient({"bootstrap.servers": self.kafka.bootstrap, "log_level": 0})
        for done in client.delete_topics([name]).values():
            done.result(20)
        wait_for(lambda: name not in client.list_topics(timeout=10).topics, f"topic {name} is gone", 20)

    def receiver(self, name: str = "receiver") -> Receiver:
        """A receiver with an empty journal."""
        receiver = Receiver(self.folder / name, self.certificates)
        self.cleanup.callback(receiver.stop)
        return receiver

    def site(self, broker: Broker | None = None, **sections: dict[str, Any]) -> FaultSite:
        """A site whose daemon is configured (`sections` over the defaults) and migrated, not started."""
        site = FaultSite(self, broker or self.kafka, sections)
        self.cleanup.callback(site.close)
        self._databases.append(site.database)
        return site

    def drop_databases(self) -> None:
        """Nobody needs to look at them: a server with fewer files recovers sooner. After the end of everything."""
        for database in self._databases:
            self.postgres.drop_database(database)
