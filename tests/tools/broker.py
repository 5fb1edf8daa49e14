"""One interface over the two brokers: the embedded one and Apache Kafka."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from pathlib import Path

from tools.kafka import ApacheKafka
from tools.processes import ManagedProcess, StartFailed


class Broker(ABC):
    """A broker that clients reach under `bootstrap`. One thread at a time uses it."""

    name: str
    """`embedded` or `kafka`."""
    bootstrap: str
    consumer_properties: dict[str, str]
    """librdkafka properties that a consumer needs to be quick against this broker."""

    @abstractmethod
    def create_topic(self, name: str, partitions: int) -> None:
        """Creates a topic and returns when it can be written to."""

    @abstractmethod
    def go_away(self) -> None:
        """Breaks all connections and refuses new ones. Records and offsets stay."""

    @abstractmethod
    def come_back(self) -> None:
        """Ends go_away."""

    @abstractmethod
    def stop(self) -> None:
        """Ends the broker for good."""


class EmbeddedBroker(Broker):
    """tests/broker/embedded_broker.cpp in a process of its own, with `brokers` nodes."""

    name = "embedded"
    consumer_properties = {
        "session.timeout.ms": "6000",
        "heartbeat.interval.ms": "500",
        "fetch.wait.max.ms": "10",
    }

    def __init__(self, program: Path, folder: Path, brokers: int = 1) -> None:
        folder.mkdir(parents=True)
        command = [program, "--brokers", str(brokers), "--exit-with-stdin"]
        self._process = ManagedProcess(
            "embedded broker", command, folder / "broker.log", pipe_input=True, pipe_output=True
        )
        self._lock = threading.Lock()
        line = self._process.stdout.readline().decode()
        if not line.startswith("bootstrap "):
            self._process.stop()
            raise StartFailed(f"the embedded broker did not start: {self._process.log_tail()}")
        self.bootstrap = line.split()[1]

    def command(self, line: str) -> None:
        """Sends one line of the command protocol and raises when it is refused."""
        with self._lock:
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()
            answer = self._process.stdout.readline().decode().strip()
        if answer != "ok":
            raise RuntimeError(f"embedded broker, `{line}`: {answer or 'it has ended'}")

    def create_topic(self, name: str, partitions: int) -> None:
        self.command(f"topic {name} {partitions}")

    def go_away(self) -> None:
        self.command("down -1")

    def come_back(self) -> None:
        self.command("up -1")

    def stop(self) -> None:
        self._process.stop()


class KafkaBroker(Broker):
    """Apache Kafka, a single node."""

    name = "kafka"
    consumer_properties = {"session.timeout.ms": "6000", "heartbeat.interval.ms": "500"}

    def __init__(self, folder: Path) -> None:
        self._kafka = ApacheKafka(folder)
        self.bootstrap = self._kafka.bootstrap
        self._kafka.start()

    def create_topic(self, name: str, partitions: int) -> None:
        from confluent_kafka.admin import AdminClient, NewTopic

        client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        for done in client.create_topics([NewTopic(name, partitions, 1)]).values():
            done.result(20)

    def go_away(self) -> None:
        self._kafka.kill()

    def come_back(self) -> None:
        self._kafka.start()

    def stop(self) -> None:
        self._kafka.stop()
