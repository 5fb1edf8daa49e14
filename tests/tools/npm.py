"""Packages from npm, at the versions of a committed lock file, kept in the cache folder."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

from tools.cache import cache_folder, locked

INSTALL_TIMEOUT_S = 300


class PackagesUnavailable(RuntimeError):
    """The packages cannot be had on this machine; the message says why."""


def install(project: Path, name: str) -> Path:
    """Returns the folder with the packages of `project` (package.json, package-lock.json), installed the first time."""
    lock = (project / "package-lock.json").read_bytes()
    home = cache_folder() / f"{name}-{hashlib.sha256(lock).hexdigest()[:12]}"
    with locked(name):
        if (home / "node_modules").is_dir():
            return home
        if shutil.which("npm") is None:
            raise PackagesUnavailable("npm is not installed (tests/tools/packages test installs it)")
        print(f"{name}: installing its packages from npm (once)", file=sys.stderr, flush=True)
        partial = home.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        for file in ("package.json", "package-lock.json"):
            shutil.copy(project / file, partial)
        _run_npm(partial)
        partial.rename(home)
    return home


def _run_npm(folder: Path) -> None:
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as problem:
        raise PackagesUnavailable(f"npm did not end within {INSTALL_TIMEOUT_S} s") from problem
    if done.returncode != 0:
        raise PackagesUnavailable(f"npm could not install them: {done.stderr.strip().splitlines()[:3]}")
