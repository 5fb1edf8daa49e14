"""The API as its users meet it: the reference pages' examples, racing requests, other users' things."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from e2e.site import Site
from tools.api import Api, ApiError
from tools.receivers import Receiver

EXAMPLES = Path(__file__).parent / "examples"
HOST_IN_EXAMPLES = "https://api.docmap.io"
KEY_IN_EXAMPLES = "dm_live_abc123def456ghi789jkl012mno345"
URL_IN_EXAMPLES = "https://your-app.com/webhooks/docmap"
WEBHOOK_FIELDS = {"id", "userId", "url", "events", "active", "createdAt"}
LANGUAGES = ["sh", "ts", "py"]
RACERS = 50
MAX_WEBHOOKS = 10


def run_example(name: str, language: str, api: Api, folder: Path) -> str:
    """Runs an example as it stands on its page, with only the host and the key changed, and returns its output."""
    text = (EXAMPLES / f"{name}.{language}").read_text().replace(HOST_IN_EXAMPLES, api.base)
    # These pages' TypeScript has no types, so Node.js takes it as a module as it is.
    script = folder / f"{name}.{'mjs' if language == 'ts' else language}"
    script.write_text(text.replace(KEY_IN_EXAMPLES, api.key))
    program = {"sh": ["bash"], "ts": ["node"], "py": [sys.executable]}[language]
    done = subprocess.run(
        [*program, str(script)],
        env={**os.environ, "DOCMAP_API_KEY": api.key},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("language", LANGUAGES)
def test_example_create_webhook(site: Site, tmp_path: Path, language: str) -> None:
    api = site.api("uid_a1b2c3d4e5f6")
    output = run_example("create_webhook", language, api, tmp_path)
    (webhook,) = api.webhooks()
    if language == "sh":
        data = json.loads(output)["data"]
        assert set(data) == {"secret", "webhook"}
        assert data["webhook"] == webhook
        secret = data["secret"]
    else:
        match = re.fullmatch(r"Signing Secret: (\w+)\nWebhook ID: (webhook-[a-z0-9]{12})\n", output)
        assert match is not None and match[2] == webhook["id"], output
        secret = match[1]
    assert re.fullmatch(r"[0-9a-f]{64}", secret)
    assert set(webhook) == WEBHOOK_FIELDS
    assert re.fullmatch(r"webhook-[a-z0-9]{12}", webhook["id"])
    assert webhook["userId"] == "uid_a1b2c3d4e5f6"
    assert webhook["url"] == URL_IN_EXAMPLES
    assert webhook["events"] == ["extraction.completed", "extraction.failed"]
    assert webhook["active"] is True


@pytest.mark.parametrize("language", LANGUAGES)
def test_example_list_webhooks(site: Site, tmp_path: Path, language: str) -> None:
    api = site.api("uid_1")
    first = api.create_webhook("https://example.com/first", ["extraction.failed"])["webhook"]
    second = api.create_webhook(URL_IN_EXAMPLES)["webhook"]
    output = run_example("list_webhooks", language, api, tmp_path)
    if language == "sh":
        assert json.loads(output)["data"] == [second, first]
    else:
        assert output == (
            f"{URL_IN_EXAMPLES} — events: extraction.completed, extraction.failed\n"
            "https://example.com/first — events: extraction.failed\n"
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_example_list_deliveries(site: Site, receiver: Receiver, tmp_path: Path, language: str) -> None:
    hook = site.hook("uid_1", receiver.url("/status/500"))
    site.write(site.record("uid_1") for _ in range(12))
    site.wait_settled()
    output = run_example("list_deliveries", language, site.api("uid_1"), tmp_path)
    newest = site.api("uid_1").deliveries()[:10]
    if language == "sh":
        assert json.loads(output)["data"] == newest
        return
    form = {
        "ts": "{event} → {url} — {status} ({durationMs}ms)",
        "py": "{event}{url}{status} ({durationMs}ms)",
    }[language]
    assert output.splitlines() == [form.format(**delivery) for delivery in newest]
    assert {delivery["url"] for delivery in newest} == {hook.url}


def test_50_racing_creates_give_10_webhooks(site: Site) -> None:
    key = site.api("uid_1").key

    def create(number: int) -> str:
        racer = Api(site.daemon.url, key)
        try:
            racer.create_webhook(f"https://example.com/{number}")
            return "created"
        except ApiError as refusal:
            return f"{refusal.status} {refusal.code}"
        finally:
            racer.close()

    with ThreadPoolExecutor(RACERS) as pool:
        results = list(pool.map(create, range(RACERS)))
    assert results.count("created") == MAX_WEBHOOKS
    assert results.count("400 MAX_WEBHOOKS_REACHED") == RACERS - MAX_WEBHOOKS
    assert len(site.api("uid_1").webhooks()) == MAX_WEBHOOKS

    site.api("uid_1").delete_webhook(site.api("uid_1").webhooks()[0]["id"])
    site.api("uid_1").create_webhook("https://example.com/again")
    assert len(site.api("uid_1").webhooks()) == MAX_WEBHOOKS


def test_without_a_valid_key_nothing_is_shown(site: Site) -> None:
    for headers in ({}, {"Authorization": "Bearer dm_live_" + "0" * 64}, {"Authorization": "Basic YTpi"}):
        for path in ("/v1/webhooks", "/v1/webhooks/deliveries"):
            answer = requests.get(site.daemon.url + path, headers=headers, timeout=10)
            assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")


def test_users_do_not_see_each_other(site: Site, receiver: Receiver) -> None:
    hook = site.hook("uid_1", receiver.url("/mine"))
    site.write([site.record("uid_1")])
    site.wait_settled()
    stranger = site.api("uid_2")
    assert stranger.webhooks() == []
    assert stranger.deliveries() == []
    with pytest.raises(ApiError) as refusal:
        stranger.delete_webhook(hook.id)
    assert (refusal.value.status, refusal.value.code) == (403, "FORBIDDEN")
    assert len(site.api("uid_1").deliveries(webhookId=hook.id)) == 1
    assert len(site.api("uid_1").webhooks()) == 1


def test_health_needs_no_key(site: Site) -> None:
    answer = requests.get(f"{site.daemon.url}/health", timeout=10)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
