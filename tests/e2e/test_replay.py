"""Replays of past events, and rejected records that are fed in again."""

from __future__ import annotations

import shlex
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Callable

from e2e.site import Hook, Site, by_path
from receivers.journal import Request
from tools.daemon import COMMAND_TIMEOUT_S
from tools.events import FAILED, encode, event, now_iso
from tools.postgres import PostgresCluster
from tools.receivers import Nginx, Receiver
from tools.records import Record
from tools.waiting import wait_for

EARLY = "2020-01-01T00:00:00Z"


def counts_of(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The counts that a successful replay prints as its only line."""
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 1, done.stdout
    return dict(field.split("=", 1) for field in lines[0].split())


def replay(site: Site, *arguments: str) -> dict[str, int | str]:
    """Runs a replay to its end and returns its counts."""
    counts = counts_of(site.daemon.run("replay", *arguments))
    return {name: value if name == "replay" else int(value) for name, value in counts.items()}


def skipped(counts: dict[str, int | str]) -> dict[str, int | str]:
    """What was skipped, without the zeros."""
    return {name.removeprefix("skipped_"): n for name, n in counts.items() if name.startswith("skipped_") and n}


def event_ids(requests: list[Request]) -> Counter[str]:
    """How often each event arrived."""
    return Counter(request.headers["webhook-id"] for request in requests)


def wait_for_empty_queue(site: Site, timeout_s: float = 30.0) -> None:
    """Waits until everything that waits has been delivered or given up."""
    wait_for(lambda: site.sql("SELECT count(*) FROM delivery_queue") == [["0"]], "the queue is empty", timeout_s)


def later_ms() -> str:
    """A time behind every record written so far and before every later one."""
    before = now_iso()
    wait_for(lambda: now_iso() > before, "the clock moves on", interval_s=0.002)
    between = now_iso()
    wait_for(lambda: now_iso() > between, "the clock moves on", interval_s=0.002)
    return between


def test_a_webhook_created_later_gets_the_past_exactly_once(site: Site, receiver: Receiver) -> None:
    old = site.hook("user", receiver.url("/old"))
    site.hook("other", receiver.url("/other"))
    site.write(site.record("user", id=f"first-{i}") for i in range(40))
    between = later_ms()
    site.write(site.record("user", id=f"second-{i}") for i in range(60))
    site.write([site.record("other", id="other"), Record(site.completed_topic, b"no event", key="user")])
    site.write([site.record("user", FAILED, id="failed")])
    site.wait_settled()
    new = site.hook("user", receiver.url("/new"), ["extraction.completed"])

    tried = site.daemon.run("replay", "--webhook", new.id, "--since", between, "--dry-run")
    assert ("cannot look up offsets by time" in tried.stderr) == (site.broker.name == "embedded"), tried.stderr
    counts = replay(site, "--webhook", new.id, "--since", between)
    assert int(counts_of(tried)["queued"]) == 60
    assert counts["queued"] == counts["matched"] == 60
    assert counts["read"] == counts["matched"] + sum(int(n) for n in skipped(counts).values())
    assert skipped(counts) | {"outside_range": 0} == {
        "outside_range": 0,
        "no_event": 1,
        "other_user": 1,
        "no_webhook": 1,
    }
    wait_for(lambda: len(by_path(receiver.requests()).get("/new", [])) == 60, "the second part arrives", 10)
    wait_for_empty_queue(site)

    counts = replay(site, "--webhook", new.id, "--from", EARLY)
    assert counts["queued"] == 40 and skipped(counts)["succeeded"] == 60
    wait_for(lambda: len(by_path(receiver.requests())["/new"]) == 100, "the first part arrives", 10)
    wait_for_empty_queue(site)
    counts = replay(site, "--user", "user", "--from", EARLY)
    assert counts["queued"] == 0 and skipped(counts)["succeeded"] == 201
    arrived = by_path(receiver.requests())
    assert set(event_ids(arrived["/new"]).values()) == {1}
    assert len(arrived["/old"]) == 101 and len(arrived["/other"]) == 1, "they had had it"
    assert {request.headers["webhook-id"] for request in arrived["/new"]} == {
        request.headers["webhook-id"] for request in arrived["/old"]
    } - {"failed"}
    rows = site.sql(f"SELECT count(*), min(attempt), max(attempt) FROM deliveries WHERE webhook_id = '{new.id}'")
    assert rows == [["100", "1", "1"]]
    assert old.id != new.id


def test_all_sends_again_what_was_received(site: Site, receiver: Receiver) -> None:
    hook = site.hook("user", receiver.url("/all"))
    site.write(site.record("user") for _ in range(30))
    site.wait_settled()
    between = later_ms()
    site.write(site.record("user") for _ in range(5))
    site.wait_settled()
    counts = replay(site, "--webhook", hook.id, "--status", "all", "--from", EARLY, "--to", between)
    assert counts["queued"] == 30
    wait_for(lambda: len(receiver.requests()) == 65, "all arrive once more", 10)
    wait_for_empty_queue(site)
    assert Counter(event_ids(receiver.requests()).values()) == {2: 30, 1: 5}, "with the ids that they had"


def test_what_failed_is_sent_again_when_the_receiver_is_back(
    make_site: Callable[[], Site], receiver: Receiver
) -> None:
    site = make_site()
    site.daemon.settings.set("delivery", breaker_failures=1000)
    site.daemon.start_ready()
    hook = site.hook("user", receiver.url("/status/503"))
    site.write(site.record("user") for _ in range(25))
    site.wait_settled()
    wait_for(lambda: len(receiver.requests()) == 25, "all fail")
    assert replay(site, "--webhook", hook.id)["skipped_failed"] == 25
    site.sql(f"UPDATE webhooks SET url = '{receiver.url('/back')}'")
    site.write(site.record("user") for _ in range(5))
    site.wait_settled()

    counts = replay(site, "--webhook", hook.id, "--status", "failed")
    assert counts["queued"] == 25 and skipped(counts) == {"succeeded": 5}
    wait_for(lambda: len(by_path(receiver.requests()).get("/back", [])) == 30, "all arrive", 15)
    wait_for_empty_queue(site)
    counts = replay(site, "--webhook", hook.id, "--status", "failed")
    assert counts["queued"] == 0 and skipped(counts) == {"succeeded": 30}
    assert set(event_ids(by_path(receiver.requests())["/back"]).values()) == {1}


def test_a_dry_run_counts_and_changes_nothing(site: Site, receiver: Receiver) -> None:
    site.write(site.record("user") for _ in range(50))
    site.wait_settled()
    hook = site.hook("user", receiver.url("/dry"))
    counts = replay(site, "--webhook", hook.id, "--dry-run")
    assert counts["replay"] == "dry-run"
    assert counts["read"] == counts["queued"] == 50
    for table in ("replays", "replay_positions", "delivery_queue", "queued_endpoints", "deliveries"):
        assert site.sql(f"SELECT count(*) FROM {table}") == [["0"]], table
    assert receiver.requests() == []
    assert replay(site, "--webhook", hook.id)["queued"] == 50


MANY = 12_000
USERS = 8


def past_of(site: Site, nginx: Nginx) -> list[Hook]:
    """Many events of some users, and webhooks that came later."""
    users = [f"user_{number}" for number in range(USERS)]
    site.write(site.record(users[i % USERS], id=f"event-{i}") for i in range(MANY))
    site.wait_settled(60)
    site.make_keys(users)
    return [site.hook(user, nginx.url(f"/{user}")) for user in users]


def begin_and_wait(site: Site, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """Starts a replay and returns once it has queued something, with its id."""
    running = site.daemon.begin("replay", *arguments)
    found: list[list[str]] = []

    def queued() -> bool:
        found[:] = site.sql("SELECT id FROM replays WHERE finished_at IS NULL AND (counts->>'queued')::int > 0")
        return bool(found)

    wait_for(queued, "the replay has queued something", 30, interval_s=0.005)
    return running, found[0][0]


def check_all_arrived_once(site: Site, nginx: Nginx) -> None:
    """Every event arrived, none twice."""
    wait_for_empty_queue(site, 60)
    arrived = event_ids(nginx.requests())
    assert len(arrived) == MANY
    assert set(arrived.values()) == {1}


def check_all_arrived_once_or_in_flight(site: Site, nginx: Nginx) -> None:
    """Every event arrived and is recorded once; twice only what the daemon could not record when it was sent."""
    wait_for_empty_queue(site, 60)
    assert len(event_ids(nginx.requests())) == MANY
    assert site.sql("SELECT count(*), count(DISTINCT event_id) FROM deliveries WHERE success") == [[str(MANY)] * 2]


def test_a_replay_that_was_killed_goes_on_without_loss_or_repetition(site: Site, nginx: Nginx) -> None:
    past_of(site, nginx)
    running, replay_id = begin_and_wait(site, "--since", EARLY)
    running.kill()
    running.communicate(timeout=COMMAND_TIMEOUT_S)
    locks = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE datname = current_database()"
    wait_for(lambda: site.sql(f"{locks} AND locktype = 'advisory'") == [["0"]], "PostgreSQL has noticed its end")
    rows = site.sql(f"SELECT counts->>'queued', counts->>'read' FROM replays WHERE id = '{replay_id}'")
    queued, read = (int(number) for number in rows[0])
    assert 0 < queued < MANY, "it was killed in the middle"
    positions = "SELECT sum(next_offset - first_offset) FROM replay_positions"
    assert site.sql(positions) == [[str(read)]], "counts and positions are of one transaction"

    assert replay(site, "--resume", replay_id, "--dry-run")["queued"] == MANY
    counts = replay(site, "--resume", replay_id)
    assert counts["replay"] == replay_id
    assert counts["read"] == counts["queued"] == MANY
    check_all_arrived_once(site, nginx)

    again = site.daemon.run("replay", "--resume", replay_id)
    assert again.returncode == 1 and f"replay {replay_id} was finished at" in again.stderr


def test_sigint_ends_a_replay_in_order_and_names_the_command_that_goes_on(site: Site, nginx: Nginx) -> None:
    past_of(site, nginx)
    running, replay_id = begin_and_wait(site, "--since", EARLY)
    other = site.daemon.run("replay", "--resume", replay_id)
    assert other.returncode == 1 and "is running in another process" in other.stderr, other.stderr + other.stdout
    started = time.monotonic()
    running.send_signal(signal.SIGINT)
    output, messages = running.communicate(timeout=COMMAND_TIMEOUT_S)
    assert time.monotonic() - started < 5
    assert (running.returncode, output) == (1, ""), messages
    command = messages.splitlines()[-1].split("go on with: ")[1]
    assert command.startswith(f"docmap-webhookd replay --resume {replay_id} --config ")
    done = site.daemon.run(*shlex.split(command)[1:-2])
    assert int(counts_of(done)["queued"]) == MANY
    check_all_arrived_once(site, nginx)


def test_a_replay_that_lost_its_database_goes_on(site: Site, nginx: Nginx, postgres: PostgresCluster) -> None:
    past_of(site, nginx)
    running, replay_id = begin_and_wait(site, "--since", EARLY)
    postgres.kill()
    postgres.start()
    output, messages = running.communicate(timeout=COMMAND_TIMEOUT_S)
    assert (running.returncode, output) == (1, ""), messages
    assert "replay: PostgreSQL: " in messages
    assert f"go on with: docmap-webhookd replay --resume {replay_id}" in messages
    assert replay(site, "--resume", replay_id)["queued"] == MANY
    check_all_arrived_once_or_in_flight(site, nginx)


def test_a_replay_leaves_to_the_daemon_what_is_not_settled_yet(site: Site, receiver: Receiver) -> None:
    hook = site.hook("user", receiver.url("/later"))
    site.write(site.record("user", id=f"old-{i}") for i in range(10))
    site.wait_settled()
    site.daemon.stop()
    site.write(site.record("user", id=f"new-{i}") for i in range(10))
    done = site.daemon.run("replay", "--webhook", hook.id, "--status", "all")
    assert counts_of(done)["queued"] == "10"
    assert "10 records are left out" in done.stderr
    site.daemon.start_ready()
    site.wait_settled()
    wait_for_empty_queue(site)
    arrived = event_ids(receiver.requests())
    assert {name: n for name, n in arrived.items() if name.startswith("new")} == {f"new-{i}": 1 for i in range(10)}


def test_wrong_use_of_replay_is_told(site: Site, receiver: Receiver) -> None:
    for arguments, code, message in (
        ([], 2, "what is to be replayed?"),
        (["--user", "u", "--from", "yesterday"], 2, '"yesterday" is no time'),
        (["--from", "2025-01-02T00:00:00Z", "--to", "2025-01-01T00:00:00Z"], 2, "is not before --to"),
        (["--since", EARLY, "--to", now_iso()], 2, "excludes"),
        (["--resume", "replay-x", "--user", "u"], 2, "excludes"),
        (["--user", "u", "--status", "some"], 2, "--status"),
        (["--resume", "replay-x"], 1, 'no replay has the id "replay-x"'),
        (["--webhook", "webhook-x"], 1, 'webhook "webhook-x" does not exist'),
        (["--user", "nobody"], 1, 'user "nobody" has no active webhook'),
    ):
        done = site.daemon.run("replay", *arguments)
        assert done.returncode == code, (arguments, done.stderr)
        assert message in done.stderr, (arguments, done.stderr)
        assert done.stdout == ""
    hook = site.hook("user", receiver.url("/x"))
    done = site.daemon.run("replay", "--webhook", hook.id, "--user", "other")
    assert done.returncode == 1 and 'is not a webhook of user "other"' in done.stderr
    assert site.sql("SELECT count(*) FROM replays") == [["0"]]


def test_a_rejected_record_is_listed_corrected_and_fed_in(site: Site, receiver: Receiver, tmp_path: Path) -> None:
    site.hook("user", receiver.url("/fixed"))
    site.write([Record(site.completed_topic, b'{"event": "extraction.completed"', key="user", partition=2)])
    site.write([Record(site.failed_topic, None, key="user")])
    wait_for(lambda: site.sql("SELECT count(*) FROM rejected_events") == [["2"]], "both are rejected")

    listed = site.daemon.run("rejected", "list", "--topic", site.completed_topic)
    header, line = (text.split("\t") for text in listed.stdout.splitlines())
    row = dict(zip(header, line))
    assert (row["PARTITION"], row["OFFSET"], row["BYTES"], row["REPLAYED"]) == ("2", "0", "32", "-")
    assert row["REASON"].startswith("not JSON")
    assert len(site.daemon.run("rejected", "list").stdout.splitlines()) == 3
    assert len(site.daemon.run("rejected", "list", "--limit", "1").stdout.splitlines()) == 2
    assert len(site.daemon.run("rejected", "list", "--since", later_ms()).stdout.splitlines()) == 1

    refused = site.daemon.run("rejected", "replay", row["ID"], "999999")
    assert refused.returncode == 1
    first, second = refused.stdout.splitlines()
    assert first.startswith(f"{row['ID']}\tnot replayed\tit would be rejected again (not JSON")
    assert second.startswith("999999\tnot replayed\tno rejected record has this id")
    assert site.sql("SELECT count(*) FROM rejected_events WHERE replayed_at IS NOT NULL") == [["0"]]

    value = tmp_path / "value.json"
    value.write_bytes(encode(event("extraction.completed", "user", "extract-1", id="corrected")))
    fed = site.daemon.run("rejected", "replay", row["ID"], "--value-file", str(value))
    assert (fed.returncode, fed.stdout) == (0, f"{row['ID']}\treplayed\t{site.completed_topic}[2]@1\n"), fed.stderr
    wait_for(lambda: len(receiver.requests()) == 1, "the corrected event arrives")
    assert receiver.requests()[0].body == value.read_bytes()
    assert receiver.requests()[0].headers["webhook-id"] == "corrected"

    assert len(site.daemon.run("rejected", "list").stdout.splitlines()) == 2
    assert len(site.daemon.run("rejected", "list", "--all").stdout.splitlines()) == 3
    again = site.daemon.run("rejected", "replay", row["ID"], "--value-file", str(value))
    assert again.returncode == 1 and "it was fed in again at" in again.stdout
    assert len(receiver.requests()) == 1


def test_all_rejected_records_are_fed_in_once_a_rule_has_changed(
    make_site: Callable[[], Site], receiver: Receiver
) -> None:
    site = make_site()
    site.daemon.settings.set("kafka", max_event_bytes=1024)
    site.daemon.start_ready()
    site.hook("user", receiver.url("/large"))
    site.write(site.record("user", id=f"large-{i}", data={"text": "x" * 2000}) for i in range(3))
    site.write([Record(site.completed_topic, b"never an event", key="user")])
    wait_for(lambda: site.sql("SELECT count(*) FROM rejected_events") == [["4"]], "all are rejected")
    site.daemon.stop()
    site.daemon.settings.set("kafka", max_event_bytes=100_000)
    site.daemon.start_ready()
    fed = site.daemon.run("rejected", "replay", "--all")
    assert fed.returncode == 1, "one is still none"
    assert [line.split("\t")[1] for line in fed.stdout.splitlines()].count("replayed") == 3
    wait_for(lambda: len(receiver.requests()) == 3, "the large ones arrive")
    assert event_ids(receiver.requests()) == {f"large-{i}": 1 for i in range(3)}
    assert len(site.daemon.run("rejected", "replay", "--all").stdout.splitlines()) == 1
