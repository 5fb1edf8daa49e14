"""Checks the signatures of received webhooks: by hand, and with libraries that this project did not write."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import subprocess
from pathlib import Path
from typing import Iterable

from receivers.journal import Request
from tools import npm

PROJECT = Path(__file__).parent / "signatures"


def problem_with(request: Request, secret: str) -> str | None:
    """What is wrong with a request's two signatures, by the contract's own words; None when nothing is."""
    headers = request.headers
    plain = hmac.new(secret.encode("ascii"), request.body, hashlib.sha256).hexdigest()
    if headers.get("x-docmap-signature") != f"sha256={plain}":
        return f"X-DocMap-Signature is {headers.get('x-docmap-signature')!r}, not 'sha256={plain}'"
    message = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + request.body
    digest = hmac.new(base64.b64decode(secret), message, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    if expected not in headers.get("webhook-signature", "").split(" "):
        return f"webhook-signature is {headers.get('webhook-signature')!r}, not {expected!r}"
    return None


def install_libraries() -> Path:
    """Returns the folder with the libraries, installed with npm the first time. Raises PackagesUnavailable."""
    return npm.install(PROJECT, "signatures")


def verify_with_libraries(deliveries: Iterable[tuple[Request, str]]) -> list[dict[str, str | None]]:
    """For each (request, secret): what each library says, None for valid."""
    lines = [
        json.dumps({"secret": secret, "headers": request.headers, "body": base64.b64encode(request.body).decode()})
        for request, secret in deliveries
    ]
    done = subprocess.run(
        ["node", str(PROJECT / "verify.mjs"), str(install_libraries())],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        timeout=300,
    )
    if done.returncode != 0:
        raise RuntimeError(f"verify.mjs failed: {done.stderr.strip()}")
    return [json.loads(line) for line in done.stdout.splitlines()]
