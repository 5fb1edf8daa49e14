"""Memory: thousands of HTTPS deliveries that hang at once."""

from __future__ import annotations

from e2e.site import Site
from tools.receivers import Receiver
from tools.waiting import wait_for

HANGING = 4096
PER_ENDPOINT = 2
"""As many as an endpoint gets at once before it has answered."""
HOOKS_PER_USER = 10
USERS = 205
MAX_RESIDENT_BYTES = 200 * 1024 * 1024


def test_4096_hanging_deliveries_stay_under_200_mb(site: Site, receiver: Receiver) -> None:
    assert USERS * HOOKS_PER_USER * PER_ENDPOINT >= HANGING
    users = [f"uid_{number}" for number in range(USERS)]
    site.make_keys(users)
    for user in users:
        for i in range(HOOKS_PER_USER):
            site.hook(user, receiver.url(f"/hold/0/{user}/{i}"))
    site.daemon.stop()
    # As long as it takes that all hang at once, on a slow machine too.
    site.daemon.settings.set("delivery", timeout="1m")
    site.daemon.start_ready()

    events = [site.record(user, data={"text": "x" * 900}) for _ in range(PER_ENDPOINT) for user in users]
    site.write(events)
    wait_for(lambda: receiver.held() == HANGING, lambda: f"{HANGING} hang, now {receiver.held()}", 50, 0.1)
    resident = site.daemon.resident_bytes()
    print(f"{HANGING} HTTPS deliveries hang: RSS {resident / 1024 / 1024:.0f} MiB")
    assert resident < MAX_RESIDENT_BYTES

    receiver.release()
    site.wait_settled(timeout_s=60)
    owed = USERS * HOOKS_PER_USER * PER_ENDPOINT
    wait_for(lambda: len(receiver.requests()) == owed, lambda: f"{owed} arrive, now {len(receiver.requests())}", 60)
