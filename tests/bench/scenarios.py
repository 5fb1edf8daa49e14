"""The scenarios that make up a round, in their order. Each returns its figures by name; see bench/report.py."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod

from bench.cores import core_round_trips
from bench.load import body, event_id
from bench.measuring import Figures, drain, figures, latency, latency_of, steady, yardstick
from bench.stage import Hooks, Site, Stage
from bench.subjects import DaemonSubject, NodeSubject, Wrk

USERS = 100
DEFAULT_IN_FLIGHT = 4096
PRODUCERS_LINGER_MS = 5
"""librdkafka's default."""


class Scenario(ABC):
    """One scenario of a run. `prepare` is called once, `measure` once a round."""

    name: str
    about: str

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    @abstractmethod
    def prepare(self) -> None:
        """Makes what the rounds use: webhooks, backlogs."""

    @abstractmethod
    def measure(self) -> Figures:
        """One round."""


class Yardstick(Scenario):
    """wrk over TLS and plain."""

    name = "wrk"
    about = "wrk posting the same bodies over the same number of connections"

    def prepare(self) -> None:
        pass

    def measure(self) -> Figures:
        found: Figures = {}
        seconds = self.stage.options.size(5, 2)
        for scheme in ("https", "http"):
            prefix = f"wrk.{scheme}"
            wrk = Wrk(self.stage, self.stage.nginx, scheme, body(event_id(0), 0))
            with core_round_trips(prefix, self.stage.build, found):
                found |= yardstick(prefix, wrk, self.stage.nginx, self.stage.postgres.pid, seconds)
        return found


class Drain(Scenario):
    """A backlog over one scheme; USERS webhooks in all."""

    scheme = "https"
    per_event = 1
    events = (250_000, 30_000)
    delivery: dict[str, int] = {}

    def prepare(self) -> None:
        users = USERS // self.per_event
        self._events = self.stage.options.backlog_size(*self.events)
        self._site = self.stage.site(Hooks(users, self.stage.nginx.url(self.scheme, "/sink"), self.per_event))
        self._topic = self.stage.backlog(users, self._events)

    def measure(self) -> Figures:
        deliveries = self._events * self.per_event
        found: Figures = {}
        with core_round_trips(self.name, self.stage.build, found):
            found |= drain(self.name, DaemonSubject(**self.delivery), self._site, self._topic, deliveries)
        return found


class DrainHttps(Drain):
    name = "https"
    about = "the daemon draining a backlog over HTTPS, one webhook per event"


class DrainHttp(Drain):
    name = "http"
    about = "the same over plain HTTP"
    scheme = "http"


class DrainTen(Drain):
    name = "ten"
    about = "the same over HTTPS, ten webhooks per event"
    per_event = 10
    events = (30_000, 3_000)


class DrainDefaults(Drain):
    name = "defaults"
    about = "the same over HTTPS, one webhook per event, with the default delivery.max_in_flight"
    delivery = {"max_in_flight": DEFAULT_IN_FLIGHT}


class Steady(Scenario):
    """5,000 events a second."""

    name = "steady"
    about = "the daemon at a steady 5,000 events/s over HTTPS: from a producer that lingers, and one by one"

    def prepare(self) -> None:
        self._hooks = Hooks(USERS, self.stage.nginx.url("https", "/sink"))
        self._site = self.stage.site(self._hooks)

    def measure(self) -> Figures:
        seconds = self.stage.options.size(10, 3)
        found: Figures = {}
        for prefix, linger_ms in (("steady", PRODUCERS_LINGER_MS), ("steady_singly", 0)):
            subject = DaemonSubject(max_in_flight=DEFAULT_IN_FLIGHT)
            found |= steady(prefix, subject, self._site, self._hooks.each_user(), 5000, seconds, linger_ms)
        return found


class Latency(Scenario):
    """1,000 events a second to endpoints that answer at once."""

    name = "latency"
    about = "produce to arrival at 1,000 events/s over HTTPS, for the daemon and both Node.js workers"

    def prepare(self) -> None:
        self._hooks = Hooks(USERS, self.stage.nginx.url("https", "/timed"))
        self._site = self.stage.site(self._hooks)

    def measure(self) -> Figures:
        seconds = self.stage.options.size(15, 3)
        subjects = {
            "latency": DaemonSubject(max_in_flight=DEFAULT_IN_FLIGHT),
            "latency.node": NodeSubject("batched"),
            "latency.node_usual": NodeSubject("usual"),
        }
        found: Figures = {}
        for prefix, subject in subjects.items():
            found |= latency(prefix, subject, self._site, self._hooks.each_user(), seconds)
        return found


class LatencyHanging(Scenario):
    """1,000 events a second, every tenth to an endpoint that never answers."""

    name = "latency-hanging"
    about = "the same for the daemon: first without, then, in the same process, while 10 % of the endpoints hang"

    def prepare(self) -> None:
        hanging = USERS // 10
        self._healthy = range(USERS - hanging)
        healthy = Hooks(len(self._healthy), self.stage.nginx.url("https", "/timed"))
        stuck = Hooks(hanging, self.stage.hanging_nginx().url("https", "/hang"), first_user=len(self._healthy))
        self._site: Site = self.stage.site(healthy, stuck)

    def measure(self) -> Figures:
        self._site.forget_deliveries()
        topic, seconds = self.stage.fresh_topic(), self.stage.options.size(20, 3)
        subject = DaemonSubject(max_in_flight=DEFAULT_IN_FLIGHT, drain_timeout="1s")
        subject.start(self._site, topic)
        try:
            subject.wait_until_consuming()
            alone, beside = (
                latency_of(subject, self.stage, topic, itertools.cycle(users), self._healthy, seconds)
                for users in (self._healthy, range(USERS))
            )
        finally:
            subject.stop()
        return figures("latency_hanging", p99_ms_alone=alone["p99_ms"], **beside)


class Node(Scenario):
    """The worker in Node.js, in its best mode."""

    name = "node"
    about = "the Node.js worker draining a backlog over HTTPS: undici.request, batched inserts"
    mode = "batched"
    events = (80_000, 25_000)

    def prepare(self) -> None:
        self._events = self.stage.options.backlog_size(*self.events)
        self._site = self.stage.site(Hooks(USERS, self.stage.nginx.url("https", "/sink")))
        self._topic = self.stage.backlog(USERS, self._events)

    def measure(self) -> Figures:
        prefix = self.name.replace("-", "_")
        return drain(prefix, NodeSubject(self.mode), self._site, self._topic, self._events)


class NodeUsual(Node):
    name = "node-usual"
    about = "the Node.js worker in its usual mode: fetch, single inserts"
    mode = "usual"
    events = (12_000, 4_000)


MAIN: list[type[Scenario]] = [
    Yardstick,
    DrainHttps,
    DrainHttp,
    DrainTen,
    DrainDefaults,
    Steady,
    Latency,
    LatencyHanging,
    Node,
    NodeUsual,
]
"""What runs when no scenario is named."""
