"""What is measured: the daemon, the two workers in Node.js, and wrk as the yardstick."""

from __future__ import annotations

import json
import os
import signal
import uuid
from abc import ABC, abstractmethod
from pathlib import Path

from bench.load import Topic
from bench.nginx import BenchNginx
from bench.stage import Site, Stage
from tools import npm
from tools.daemon import Daemon
from tools.ports import free_port
from tools.processes import ManagedProcess

BENCH = Path(__file__).parent
NODE = BENCH / "node"
# Room for what lives as long as a delivery: a tenth less CPU, since the collector copies less.
NODE_OPTIONS = {"batched": ["--max-semi-space-size=64"], "usual": []}


def new_group() -> str:
    """The name of a consumer group that nobody has used."""
    return f"bench-{uuid.uuid4().hex[:12]}"


class Subject(ABC):
    """A worker that delivers the events of a topic to a site's webhooks."""

    name: str

    @abstractmethod
    def start(self, site: Site, topic: Topic) -> int:
        """Starts it in a consumer group of its own and returns its process id."""

    @abstractmethod
    def wait_until_consuming(self) -> None:
        """Returns when it can take part in the group."""

    @abstractmethod
    def check_alive(self) -> None:
        """Raises StartFailed with the end of its log when it has ended."""

    @abstractmethod
    def stop(self) -> None:
        """Ends it in order."""

    @abstractmethod
    def log_tail(self) -> str:
        """The end of its log."""


class DaemonSubject(Subject):
    """The product. `delivery` keys override the site's. Instances that share a group have numbers from 0."""

    name = "docmap-webhookd"

    def __init__(self, *, group: str = "", instance: int = 0, **delivery: str | int) -> None:
        self._group = group
        self._instance = instance
        self._delivery = delivery
        self._daemon: Daemon | None = None

    @property
    def daemon(self) -> Daemon:
        """The process, once it was started."""
        assert self._daemon is not None, "the daemon was not started"
        return self._daemon

    def start(self, site: Site, topic: Topic) -> int:
        self._daemon = daemon = site.instance(self._instance)
        daemon.settings.set("kafka", group_id=self._group or new_group(), topics=[topic.name])
        daemon.settings.set("delivery", **self._delivery)
        # The port that the site's daemon got may serve a client's connection by now.
        daemon.port = free_port()
        daemon.settings.set("api", listen=f"127.0.0.1:{daemon.port}")
        daemon.start()
        return daemon.process.pid

    def wait_until_consuming(self) -> None:
        self.daemon.wait_ready()

    def check_alive(self) -> None:
        self.daemon.process.check_alive()

    def stop(self) -> None:
        self.daemon.stop()

    def log_tail(self) -> str:
        return self._daemon.log_tail() if self._daemon is not None else ""


class NodeSubject(Subject):
    """tests/bench/node/worker.mjs in one of its modes."""

    def __init__(self, mode: str) -> None:
        self.name = f"Node.js, {mode}"
        self._mode = mode
        self._process: ManagedProcess | None = None

    def start(self, site: Site, topic: Topic) -> int:
        stage = site.stage
        options = {
            "mode": self._mode,
            "brokers": stage.broker.bootstrap,
            "group": f"bench-{uuid.uuid4().hex[:12]}",
            "topic": topic.name,
            "partitions": topic.partitions,
            "postgres": site.database_url,
            "masterKeyFile": str(site.master_key_file),
            "caFile": str(stage.certificates.ca_file),
            "inFlight": stage.options.in_flight,
        }
        environment = {
            "DOCMAP_NODE_PACKAGES": str(npm.install(NODE, "bench-node")),
            "NODE_EXTRA_CA_CERTS": str(stage.certificates.ca_file),
            "NODE_ENV": "production",
            "KAFKAJS_NO_PARTITIONER_WARNING": "1",
        }
        self._process = ManagedProcess(
            self.name,
            ["node", *NODE_OPTIONS[self._mode], NODE / "worker.mjs", json.dumps(options)],
            site.folder / "node.log",
            env=environment,
            pipe_output=True,
        )
        return self._process.pid

    def wait_until_consuming(self) -> None:
        assert self._process is not None
        line = self._process.stdout.readline().decode().strip()
        if line != "ready":
            raise RuntimeError(f"{self.name} did not join its group; its log ends:\n{self.log_tail()}")

    def check_alive(self) -> None:
        assert self._process is not None
        self._process.check_alive()

    def stop(self) -> None:
        if self._process is not None:
            self._process.stop(signal.SIGTERM, timeout_s=30.0)

    def log_tail(self) -> str:
        return self._process.log_tail() if self._process is not None else ""


class Wrk:
    """wrk, posting one body of the same size over the same number of connections: what the POST alone costs."""

    name = "wrk"

    def __init__(self, stage: Stage, nginx: BenchNginx, scheme: str, body: bytes) -> None:
        self._stage = stage
        self._url = nginx.url(scheme, "/sink/0/0")
        self._body = stage.folder / "wrk-body.json"
        self._body.write_bytes(body)
        self._process: ManagedProcess | None = None

    def start(self, seconds: float) -> int:
        """Starts it and returns its process id."""
        connections = str(self._stage.options.in_flight)
        command = ["wrk", "-t1", "-c", connections, "-d", f"{int(seconds)}s", "-s", str(BENCH / "wrk.lua"), self._url]
        self._process = ManagedProcess(
            self.name, command, self._stage.folder / "wrk.log", env={"WRK_BODY": str(self._body)}
        )
        return self._process.pid

    def stop(self) -> None:
        """Ends it, and raises when a request failed."""
        assert self._process is not None
        self._process.stop(signal.SIGINT, timeout_s=10.0)
        report = (self._stage.folder / "wrk.log").read_text(errors="replace")
        if "Requests/sec" not in report or "Non-2xx" in report or "Socket errors" in report:
            raise RuntimeError(f"wrk saw failures:\n{report}")
        os.truncate(self._stage.folder / "wrk.log", 0)
