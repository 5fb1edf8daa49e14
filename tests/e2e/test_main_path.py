"""2,000 events over 200 users: exactly the expected webhooks arrive, and each has its delivery record."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from e2e.site import Hook, Site
from receivers.journal import Request
from tools.events import COMPLETED, FAILED, encode, event
from tools.receivers import Nginx, Receiver
from tools.records import Record
from tools.signatures import problem_with, verify_with_libraries
from tools.waiting import wait_for

USERS = 200
EVENTS_PER_USER = 10
HOOKS_OF_USER = (0, 1, 3, 10)
KINDS_OF_HOOK = ([COMPLETED, FAILED], [COMPLETED], [FAILED])
DELIVERY_FIELDS = {
    *("id", "userId", "webhookId", "extractionId", "event", "url", "status", "httpStatus", "error", "durationMs"),
    *("createdAt", "eventId", "attempt", "nextAttemptAt"),
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@dataclass(frozen=True)
class Emitted:
    """An event that was written, and what its webhooks have to show."""

    user: str
    kind: str
    extraction: str
    id: str | None
    record: Record


def user_name(number: int) -> str:
    """The id of a user."""
    return f"uid_{number:03d}"


def create_hooks(site: Site, nginx: Nginx, receiver: Receiver) -> list[Hook]:
    """0, 1, 3 or 10 webhooks for each user: the first one on nginx, the others on our receiver."""
    site.make_keys(user_name(number) for number in range(USERS) if HOOKS_OF_USER[number % 4])
    hooks = []
    for number in range(USERS):
        for i in range(HOOKS_OF_USER[number % 4]):
            path = f"/u{number}/w{i}?x=1"
            if i == 0:
                url = nginx.url(path)
            else:
                url = receiver.url(path, "plain" if i == 9 else "good")
            hooks.append(site.hook(user_name(number), url, KINDS_OF_HOOK[i % 3]))
    return hooks


def make_event(site: Site, number: int, turn: int) -> Emitted:
    """The turn-th event of a user. Bodies differ in form: spacing, order, unknown fields, letters of any alphabet."""
    user, kind = user_name(number), (COMPLETED if turn % 2 == 0 else FAILED)
    extraction = f"extract-{number}-{turn}"
    more: dict[str, object] = {"data": {"fileName": f"Rechnung №{turn} – 請求書.pdf", "status": kind.split(".")[1]}}
    if turn % 3 == 0:
        more["id"] = f"evt_{number}.{turn}-x"
    if turn % 4 == 0:
        more["unknown"] = {"nested": [1, 2.50, None, "\u0001\"\\/"]}
    value = encode(event(kind, user, extraction, **more))
    if turn % 5 == 0:
        value = b' \n{ "padding" : "' + b"x" * (turn * 100) + b'",\t' + value[1:] + b"\r\n"
    event_id = more.get("id")
    record = Record(site.topic(kind), value, key=user)
    return Emitted(user, kind, extraction, str(event_id) if event_id else None, record)


def expected_posts(hooks: list[Hook], events: list[Emitted]) -> Counter[tuple[str, bytes]]:
    """Each subscribed webhook gets each event of its user once: its path and the record's bytes."""
    of_user: dict[str, list[Hook]] = {}
    for hook in hooks:
        of_user.setdefault(hook.user, []).append(hook)
    posts = ((hook, each) for each in events for hook in of_user.get(each.user, []) if each.kind in hook.events)
    return Counter((hook.path, each.record.value or b"") for hook, each in posts)


def arrived(nginx: Nginx, receiver: Receiver) -> list[Request]:
    """Everything both receivers have got."""
    return nginx.requests() + receiver.requests()


def wait_for_posts(nginx: Nginx, receiver: Receiver, expected: Counter[tuple[str, bytes]], site: Site) -> None:
    """Waits until as many posts as expected have arrived."""
    wait_for(
        lambda: len(arrived(nginx, receiver)) >= expected.total(),
        lambda: f"{expected.total()} posts; got {len(arrived(nginx, receiver))}; log:\n{site.daemon.log_tail()}",
        timeout_s=60,
        interval_s=0.2,
    )


def test_every_event_reaches_exactly_its_webhooks(site: Site, nginx: Nginx, receiver: Receiver) -> None:
    hooks = create_hooks(site, nginx, receiver)
    turns = [[make_event(site, number, turn) for number in range(USERS)] for turn in range(EVENTS_PER_USER)]
    first_half = [each for turn in turns[: EVENTS_PER_USER // 2] for each in turn]
    second_half = [each for turn in turns[EVENTS_PER_USER // 2 :] for each in turn]

    site.write(each.record for each in first_half)
    expected = expected_posts(hooks, first_half)
    wait_for_posts(nginx, receiver, expected, site)

    deleted = [next(hook for hook in hooks if hook.user == user_name(3)), hooks[0]]
    for hook in deleted:
        assert site.api(hook.user).delete_webhook(hook.id) == {"success": True}
    remaining = [hook for hook in hooks if hook not in deleted]
    site.write(each.record for each in second_half)
    expected += expected_posts(remaining, second_half)
    wait_for_posts(nginx, receiver, expected, site)
    site.wait_settled()

    requests = arrived(nginx, receiver)
    assert Counter((request.path, request.body) for request in requests) == expected
    events = {each.record.value: each for each in first_half + second_half}
    check_requests(requests, hooks, events)
    check_deliveries(site, requests, hooks, events)


def check_requests(requests: list[Request], hooks: list[Hook], events: dict[bytes | None, Emitted]) -> None:
    """Headers and signatures of every request, the latter also with libraries that are not ours."""
    hook_at = {hook.path: hook for hook in hooks}
    for request in requests:
        emitted = events[request.body]
        headers = request.headers
        assert headers["content-type"] == "application/json"
        assert re.fullmatch(r"DocMap-Webhooks/\d+\.\d+\.\d+", headers["user-agent"])
        assert headers["x-docmap-event"] == emitted.kind
        # The timestamp is the attempt's start in whole seconds; an attempt may take ten.
        assert -1 <= request.time - int(headers["webhook-timestamp"]) <= 11
        if emitted.id is not None:
            assert headers["webhook-id"] == emitted.id
        assert problem_with(request, hook_at[request.path].secret) is None

    ids = {(request.body, request.headers["webhook-id"]) for request in requests}
    assert len(ids) == len({body for body, _ in ids}), "all webhooks of an event carry the same id"
    assert len(ids) == len({event_id for _, event_id in ids}), "no two events carry the same id"
    assert len({request.headers["x-docmap-delivery"] for request in requests}) == len(requests)

    verdicts = verify_with_libraries((request, hook_at[request.path].secret) for request in requests)
    assert len(verdicts) == len(requests)
    assert [each for each in verdicts if each != {"standardwebhooks": None, "svix": None}] == []


def check_deliveries(
    site: Site, requests: list[Request], hooks: list[Hook], events: dict[bytes | None, Emitted]
) -> None:
    """Each request has its delivery record, with the fields of the reference page, and there are no others."""
    records = {}
    for user in sorted({hook.user for hook in hooks}):
        page = site.api(user).deliveries()
        assert [each["createdAt"] for each in page] == sorted((each["createdAt"] for each in page), reverse=True)
        records.update({each["id"]: each for each in page})
    assert set(records) == {request.headers["x-docmap-delivery"] for request in requests}

    hook_at = {hook.path: hook for hook in hooks}
    for request in requests:
        record = records[request.headers["x-docmap-delivery"]]
        emitted, hook = events[request.body], hook_at[request.path]
        assert set(record) == DELIVERY_FIELDS
        assert 0 <= record.pop("durationMs") <= 10_500
        assert TIME.fullmatch(record.pop("createdAt"))
        assert record == {
            "id": request.headers["x-docmap-delivery"],
            "userId": emitted.user,
            "webhookId": hook.id,
            "extractionId": emitted.extraction,
            "event": emitted.kind,
            "url": hook.url,
            "status": "success",
            "httpStatus": 200,
            "error": None,
            "eventId": request.headers["webhook-id"],
            "attempt": 1,
            "nextAttemptAt": None,
        }
