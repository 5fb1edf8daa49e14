"""Apache Kafka itself: KRaft nodes (broker and controller in one process) on free loopback ports."""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tools.cache import cache_folder, locked
from tools.ports import accepts_connections, free_port
from tools.processes import ManagedProcess, StartFailed
from tools.waiting import wait_for

VERSION = "3.9.1"
POM = Path(__file__).parent / "kafka" / "pom.xml"
FETCH_TIMEOUT_S = 600

LOG4J = """\
log4j.rootLogger=INFO, stderr
log4j.appender.stderr=org.apache.log4j.ConsoleAppender
log4j.appender.stderr.Target=System.err
log4j.appender.stderr.layout=org.apache.log4j.PatternLayout
log4j.appender.stderr.layout.ConversionPattern=%d{ISO8601} %p %c{1} %m%n
"""

# Small heap: rebalances start at once, short sessions are allowed,
# the cleaner's buffer is cut because its default does not fit the heap, and a killed broker may come back after 2 s.
SERVER_PROPERTIES = """\
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor={replicas}
offsets.topic.num.partitions=4
transaction.state.log.replication.factor={replicas}
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.dedupe.buffer.size=2097152
num.network.threads=2
num.io.threads=4
auto.create.topics.enable=false
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
"""


class KafkaUnavailable(RuntimeError):
    """Apache Kafka cannot be had on this machine; the message says why."""


def fetch_jars() -> Path:
    """Returns the folder with Kafka's jars, fetched from Maven Central the first time."""
    home = cache_folder() / f"kafka-{VERSION}"
    libs = home / "libs"
    with locked(f"kafka-{VERSION}"):
        if libs.is_dir():
            return libs
        for tool in ("java", "mvn"):
            if shutil.which(tool) is None:
                raise KafkaUnavailable(f"{tool} is not installed (tests/tools/packages test installs it)")
        print(f"kafka: fetching Apache Kafka {VERSION} from Maven Central (46 MB, once)", file=sys.stderr, flush=True)
        home.mkdir(exist_ok=True)
        partial = home / "libs.partial"
        shutil.rmtree(partial, ignore_errors=True)
        _copy_dependencies(partial, home / "maven.log", home / "repository")
        partial.rename(libs)
        shutil.rmtree(home / "repository", ignore_errors=True)
    return libs


def _copy_dependencies(target: Path, log: Path, repository: Path) -> None:
    command = ["mvn", "-B", "-f", str(POM), f"-Dmaven.repo.local={repository}", "dependency:copy-dependencies"]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={target}"]
    with open(log, "wb") as sink:
        try:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                timeout=FETCH_TIMEOUT_S,
                check=True,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as problem:
            sink.flush()
            errors = [line for line in log.read_text(errors="replace").splitlines() if "ERROR" in line]
            raise KafkaUnavailable(f"mvn could not fetch its jars: {errors[0] if errors else problem}") from problem


def new_cluster_id() -> str:
    """A random UUID as Kafka writes it; one that begins with a dash would be taken for an option."""
    while (text := base64.urlsafe_b64encode(os.urandom(16)).decode().rstrip("=")).startswith("-"):
        pass
    return text


@dataclass(frozen=True)
class ClusterPlan:
    """What all nodes of a cluster agree on: each is broker and controller."""

    controller_ports: tuple[int, ...]
    """By node, the first one's first."""
    cluster_id: str = field(default_factory=new_cluster_id)

    @property
    def voters(self) -> str:
        """The quorum of controllers as Kafka writes it."""
        return ",".join(f"{node}@127.0.0.1:{port}" for node, port in enumerate(self.controller_ports, 1))


class ApacheKafka:
    """One broker with its own data folder. It keeps its ports and its data over stop, kill and start.

    A cluster of one node, or node number `node` of the cluster that `plan` describes.
    """

    def __init__(self, folder: Path, plan: ClusterPlan | None = None, node: int = 1) -> None:
        self._libs = fetch_jars()
        self._folder = folder
        folder.mkdir(parents=True)
        self.port = free_port()
        self.node = node
        self._plan = plan or ClusterPlan((free_port(),))
        self._properties = folder / "server.properties"
        self._log4j = folder / "log4j.properties"
        self._process: ManagedProcess | None = None
        self._prepare()

    @property
    def bootstrap(self) -> str:
        """Where clients connect to first."""
        return f"127.0.0.1:{self.port}"

    def start(self, timeout_s: float = 60.0) -> None:
        """Starts the broker and waits until it serves clients."""
        self.launch()
        self.wait_serving(timeout_s)

    def launch(self) -> None:
        """Starts the broker. It serves clients once most of its cluster's nodes run."""
        command = self._java("-Xms64m", "-Xmx256m", main="kafka.Kafka") + [str(self._properties)]
        self._process = ManagedProcess("Apache Kafka", command, self._folder / "kafka.log", death_signal="KILL")

    def wait_serving(self, timeout_s: float = 60.0) -> None:
        """Waits until it serves clients."""
        process = self._process
        assert process is not None, "the broker was not launched"

        def serves() -> bool:
            process.check_alive()
            return accepts_connections(self.port) and self._answers()

        wait_for(serves, lambda: f"Apache Kafka serves clients; its log ends:\n{process.log_tail()}", timeout_s, 0.1)

    def stop(self) -> None:
        """Ends the broker in order."""
        if self._process is not None:
            self._process.stop(signal.SIGTERM, timeout_s=30.0)
            self._process = None

    def kill(self) -> None:
        """Ends the broker without warning."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def _answers(self) -> bool:
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        client = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        try:
            return self.node in client.list_topics(timeout=2.0).brokers
        except KafkaException:
            return False

    def _prepare(self) -> None:
        data = self._folder / "data"
        self._log4j.write_text(LOG4J)
        self._properties.write_text(
            SERVER_PROPERTIES.format(
                node=self.node,
                voters=self._plan.voters,
                replicas=len(self._plan.controller_ports),
                port=self.port,
                controller_port=self._plan.controller_ports[self.node - 1],
                data=data,
            )
        )
        command = self._java("-Xmx128m", main="kafka.tools.StorageTool")
        command += ["format", "-t", self._plan.cluster_id, "-c", str(self._properties), "-g"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise StartFailed(f"Kafka's storage could not be prepared: {done.stdout}{done.stderr}")

    def _java(self, *options: str, main: str) -> list[str]:
        classpath = f"{self._libs}/*"
        tuning = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.net.preferIPv4Stack=true"]
        return ["java", *options, *tuning, f"-Dlog4j.configuration=file:{self._log4j}", "-cp", classpath, main]
