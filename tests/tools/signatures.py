"""Checks the signatures of received webhooks: by hand, and with libraries that this project did not write."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Iterable

from receivers.journal import Request
from tools.cache import cache_folder, locked

PROJECT = Path(__file__).parent / "signatures"
INSTALL_TIMEOUT_S = 300


class LibrariesUnavailable(RuntimeError):
    """The libraries cannot be had on this machine; the message says why."""


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
    """Returns the folder with the libraries, installed with npm the first time."""
    lock = (PROJECT / "package-lock.json").read_bytes()
    home = cache_folder() / f"signatures-{hashlib.sha256(lock).hexdigest()[:12]}"
    with locked("signatures"):
        if (home / "node_modules").is_dir():
            return home
        if shutil.which("npm") is None:
            raise LibrariesUnavailable("npm is not installed (tests/tools/packages test installs it)")
        print("signatures: installing standardwebhooks and svix from npm (once)", file=sys.stderr, flush=True)
        partial = home.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PROJECT / name, partial)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        try:
            done = subprocess.run(
                command,
                cwd=partial,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=INSTALL_TIMEOUT_S,
            )
        except subprocess.TimeoutExpired as problem:
            raise LibrariesUnavailable(f"npm did not end within {INSTALL_TIMEOUT_S} s") from problem
        if done.returncode != 0:
            raise LibrariesUnavailable(f"npm could not install them: {done.stderr.strip().splitlines()[:3]}")
        partial.rename(home)
    return home


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
