"""The parts that the end-to-end tests run on. Servers are started once per session, each test has its own daemon."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Iterator

import pytest

from e2e.site import Site
from tools.broker import Broker
from tools.certificates import Certificates
from tools.kafka import KafkaUnavailable
from tools.postgres import PostgresCluster
from tools.receivers import Nginx, Receiver
from tools.services import Services


def _program(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.exit(f"{variable} is not set: run these tests with tests/run e2e", returncode=2)
    return Path(value)


@pytest.fixture(scope="session")
def daemon_program() -> Path:
    """The daemon under test."""
    return _program("DOCMAP_TEST_DAEMON")


@pytest.fixture(scope="session")
def services() -> Iterator[Services]:
    """The servers of this session, in one temporary folder."""
    with Services("e2e", _program("DOCMAP_TEST_EMBEDDED_BROKER")) as started:
        yield started


@pytest.fixture(scope="session")
def postgres(services: Services) -> PostgresCluster:
    """The PostgreSQL cluster. A test that stops it starts it again."""
    return services.postgres()


@pytest.fixture(scope="session")
def certificates(services: Services) -> Certificates:
    """The test authority and its certificates."""
    return Certificates(services.folder / "certificates")


@pytest.fixture(scope="session", params=["embedded", "kafka"])
def broker(request: pytest.FixtureRequest, services: Services) -> Broker:
    """Each of the two brokers. A test that takes it away brings it back."""
    try:
        return services.broker(request.param)
    except KafkaUnavailable as problem:
        if os.environ.get("REQUIRE_KAFKA") == "1":
            pytest.fail(f"Apache Kafka is required (REQUIRE_KAFKA=1): {problem}")
        pytest.skip(f"no Apache Kafka: {problem}")


@pytest.fixture
def receiver(tmp_path: Path, certificates: Certificates) -> Iterator[Receiver]:
    """Our own receiver, with an empty journal."""
    started = Receiver(tmp_path / "receiver", certificates)
    yield started
    started.stop()


@pytest.fixture
def nginx(services: Services, certificates: Certificates, request: pytest.FixtureRequest) -> Iterator[Nginx]:
    """nginx, with an empty journal. Its folder must let nginx's own user pass."""
    folder = services.folder / f"nginx-{abs(hash(request.node.nodeid)):x}"
    started = Nginx(folder, certificates)
    yield started
    started.stop()


@pytest.fixture
def make_site(
    daemon_program: Path,
    services: Services,
    broker: Broker,
    postgres: PostgresCluster,
    certificates: Certificates,
) -> Iterator[Callable[[], Site]]:
    """Makes sites whose daemon is configured and migrated but not started yet."""
    sites: list[Site] = []

    def make() -> Site:
        sites.append(Site(daemon_program, services.folder / "sites", broker, postgres, certificates))
        return sites[-1]

    yield make
    for site in sites:
        site.close()


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    """One site with a running daemon."""
    made = make_site()
    made.daemon.start_ready()
    return made


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Shows the end of the daemon's log beside a failure."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    site = getattr(item, "funcargs", {}).get("site")
    if report.when == "call" and report.failed and isinstance(site, Site):
        report.sections.append(("log of docmap-webhookd", site.daemon.log_tail(60)))
