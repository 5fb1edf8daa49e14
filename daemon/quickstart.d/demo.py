"""The show behind daemon/quickstart."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass

import screen
from receivers.journal import Request
from tools.api import BOTH_KINDS, Api, ApiError
from tools.broker import Broker
from tools.build import Build, BuildFailed
from tools.certificates import Certificates
from tools.commands import ROOT, stop_in_order
from tools.daemon import Daemon
from tools.events import COMPLETED, FAILED, encode, event
from tools.processes import StartFailed
from tools.receivers import Receiver
from tools.records import Record, write_all
from tools.services import Services
from tools.settings import Settings
from tools.signatures import problem_with
from tools.waiting import DeadlineMissed

USER = "demo"
EVENTS = 36
PARTITIONS = 4
ARRIVAL_LIMIT_S = 30.0
SHOWN_DELIVERIES = 12


class ShowFailed(RuntimeError):
    """Something did not come out as it has to."""


@dataclass(frozen=True)
class Hook:
    """A webhook of the show."""

    purpose: str
    path: str
    events: list[str]
    secret: str = ""


HOOKS = [
    Hook("all events", "/all", BOTH_KINDS),
    Hook("completed only", "/completed", [COMPLETED]),
    Hook("failed only", "/failed", [FAILED]),
    Hook("a receiver in trouble", "/status/503/trouble", [FAILED]),
]


class Show:
    """The parts, started one after the other, and the webhooks that are expected to arrive."""

    def __init__(self, services: Services, build: Build, stack: ExitStack) -> None:
        self._services = services
        self._build = build
        self._stack = stack
        self._hooks: dict[str, Hook] = {}
        self._shown = 0
        self._invalid = 0

    def start(self) -> None:
        """Starts everything and waits until the daemon is ready."""
        screen.step("starting, on free ports of 127.0.0.1")
        self._postgres = self._services.postgres()
        self._broker: Broker = self._services.broker("embedded")
        for topic in BOTH_KINDS:
            self._broker.create_topic(topic, PARTITIONS)
        certificates = Certificates(self._services.folder / "certificates")
        self._receiver = Receiver(self._services.folder / "receiver", certificates)
        self._stack.callback(self._receiver.stop)
        screen.ready("HTTPS receiver", self._receiver.url("/"))
        self.daemon = self._make_daemon(certificates)
        self.daemon.migrate()
        self.daemon.start()
        self._stack.callback(self.daemon.stop)
        self.daemon.wait_ready()
        screen.ready("docmap-webhookd", self.daemon.url)

    def create_webhooks(self) -> None:
        """Makes an API key and, through the API, the webhooks."""
        screen.step("an API key, and webhooks created through the API")
        self._api = Api(self.daemon.url, self.daemon.create_key(USER))
        self._stack.callback(self._api.close)
        screen.say(f"   key {self._api.key[:16]}… for user {USER}")
        for hook in HOOKS:
            url = self._receiver.url(hook.path)
            created = self._api.create_webhook(url, hook.events)
            self._hooks[hook.path] = Hook(hook.purpose, hook.path, hook.events, created["secret"])
            screen.say(f"   {created['webhook']['id']}  {url:<44} {hook.purpose}")

    def send_events(self) -> None:
        """Writes events of both kinds to Kafka and shows the webhooks until all have arrived."""
        screen.step(f"{EVENTS} events into Kafka, webhooks out")
        events = [self._event(number) for number in range(EVENTS)]
        kinds = [record.topic for record in events]
        expected = sum(kinds.count(kind) for hook in HOOKS for kind in hook.events)
        write_all(self._broker, events)
        deadline = time.monotonic() + ARRIVAL_LIMIT_S
        while self._shown < expected and time.monotonic() < deadline:
            self.show_arrivals()
            time.sleep(0.05)
        if self._shown != expected:
            raise ShowFailed(f"{self._shown} webhooks arrived within {ARRIVAL_LIMIT_S:g} s, not {expected}")
        self._check_pairs({(hook.path, f"evt_{i}") for hook in HOOKS for i in range(EVENTS) if kinds[i] in hook.events})
        if self._invalid:
            raise ShowFailed(f"{self._invalid} of {expected} webhooks have no valid signature")
        screen.say(f"   {screen.paint(f'all {expected} expected webhooks arrived, every signature is valid', 'good')}")

    def show_log(self) -> None:
        """Shows the newest records of the delivery log, read through the API."""
        screen.step("the delivery log, from the API (GET /v1/webhooks/deliveries)")
        deadline = time.monotonic() + ARRIVAL_LIMIT_S
        while len(records := self._api.deliveries()) < self._shown and time.monotonic() < deadline:
            time.sleep(0.1)
        for record in records[:SHOWN_DELIVERIES]:
            screen.delivery(record)
        if len(records) != self._shown:
            raise ShowFailed(f"the delivery log has {len(records)} records, not {self._shown}")
        failed = sum(record["status"] == "failed" for record in records)
        screen.say(f"   … {len(records)} records: {len(records) - failed} succeeded, {failed} failed")

    def show_arrivals(self) -> None:
        """Shows the webhooks that have arrived since the last call."""
        for request in self._receiver.requests()[self._shown :]:
            self._shown += 1
            hook = self._hooks.get(request.path)
            # A webhook made by hand, while the show goes on: its secret is not known here.
            problem = problem_with(request, hook.secret) if hook else "signature not checked: its secret is not known"
            self._invalid += hook is None or problem is not None
            screen.arrival(request, hook.purpose if hook else request.path, problem)

    def show_next_steps(self) -> None:
        """Prints commands to try."""
        emit = f"/usr/bin/python3 {ROOT}/daemon/quickstart.d/emit.py {self._broker.bootstrap} {USER}"
        commands = {
            "more events": f"{emit} completed 3",
            "look into the tables": f"psql '{self._postgres.url('docmap')}' -c 'TABLE deliveries LIMIT 5'",
            "the daemon's log": f"tail -f {self.daemon.log}",
        }
        screen.next_steps(self.daemon.url, self._api.key, self._receiver.url("/mine"), commands)

    def go_on(self) -> None:
        """Shows what arrives until Ctrl-C, or until the daemon ends."""
        while True:
            self.daemon.process.check_alive()
            self.show_arrivals()
            time.sleep(0.1)

    def _make_daemon(self, certificates: Certificates) -> Daemon:
        settings = Settings(
            {
                "kafka": {"brokers": self._broker.bootstrap, "topics": BOTH_KINDS},
                "kafka.properties": self._broker.consumer_properties,
                "postgres": {"url": self._postgres.create_database("docmap")},
                "delivery": {
                    "allow_networks": ["127.0.0.0/8", "::1/128"],
                    "ca_file": certificates.ca_file,
                    # The show counts what arrives: each event once, at a receiver that always fails too.
                    "retry_schedule": [],
                    "breaker_failures": 1000,
                },
            }
        )
        return Daemon(self._build.daemon, self._services.folder / "daemon", settings)

    def _event(self, number: int) -> Record:
        kind = FAILED if number % 3 == 2 else COMPLETED
        data = {"fileName": f"invoice-{number}.pdf", "status": kind.split(".")[1]}
        value = event(kind, USER, f"extract-{number}", id=f"evt_{number}", data=data)
        return Record(kind, encode(value), key=USER)

    def _check_pairs(self, expected: set[tuple[str, str]]) -> None:
        def pair(request: Request) -> tuple[str, str]:
            return request.path, request.headers.get("webhook-id", "")

        arrived = {pair(request) for request in self._receiver.requests()}
        if arrived != expected:
            raise ShowFailed(f"missing {sorted(expected - arrived)}, unexpected {sorted(arrived - expected)}")


def run_show(build: Build, once: bool) -> None:
    """Builds, starts everything, runs the show and ends what was started."""
    with build.reserved():
        build.make(["docmap-webhookd", "embedded-broker"])
    with Services("quickstart", build.embedded_broker, screen.ready) as services, ExitStack() as stack:
        show = Show(services, build, stack)
        try:
            show.start()
            show.create_webhooks()
            show.send_events()
            show.show_log()
        except (ShowFailed, ApiError, DeadlineMissed) as problem:
            raise ShowFailed(f"{problem}\nthe daemon's log ends:\n{show.daemon.log_tail()}") from problem
        if not once:
            show.show_next_steps()
            show.go_on()
        screen.step("ending what was started")


def main() -> int:
    """Runs the show and returns the exit code."""
    parser = argparse.ArgumentParser(prog="daemon/quickstart", description="Shows docmap-webhookd at work.")
    parser.add_argument("--once", action="store_true", help="end after the show")
    arguments = parser.parse_args()
    stop_in_order()
    try:
        run_show(Build("release"), arguments.once)
    except KeyboardInterrupt:
        screen.say("\nended; nothing is left behind")
        return 0 if not arguments.once else 130
    except (BuildFailed, StartFailed, ShowFailed, RuntimeError) as problem:
        screen.say(screen.paint(f"quickstart failed: {problem}", "bad"))
        return 1
    screen.say("done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
