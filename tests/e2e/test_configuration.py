"""Wrong configuration: exit code 2 and one line per problem, with file, line and key."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tools.ports import free_port

GOOD_SECRETS = "[secrets]\nmaster_key_file = \"{folder}/master.key\"\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a master key."""
    key = tmp_path / "master.key"
    key.touch(mode=0o600)
    key.write_text("0123456789abcdef" * 4)
    return tmp_path


def run(program: Path, command: str, folder: Path, text: str) -> tuple[int, list[str]]:
    """Runs a command on a configuration and returns its exit code and what it says, line by line."""
    file = folder / "config.toml"
    file.write_text(text + GOOD_SECRETS.format(folder=folder))
    done = subprocess.run(
        [str(program), command, "--config", str(file)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


@pytest.mark.parametrize(
    ("text", "line", "key", "allowed"),
    [
        ('[kafka]\nbroker = "127.0.0.1:9092"\n', 2, "kafka.broker", "brokers"),
        ("[delivery]\n\nmax_in_flight = \"many\"\n", 3, "delivery.max_in_flight", "1"),
        ("[delivery]\ntimeout = \"2h\"\n", 2, "delivery.timeout", "1m"),
        ("[delivery]\nmax_in_flight = 0\n", 2, "delivery.max_in_flight", "1"),
        ("[delivery]\nca_file = \"/nowhere/ca.pem\"\n", 2, "delivery.ca_file", "/nowhere/ca.pem"),
        ("[delivery]\nallow_networks = [\"10.0.0.0/99\"]\n", 2, "delivery.allow_networks", "10.0.0.0/99"),
        ("[log]\nlevel = \"loud\"\n", 2, "log.level", "warning"),
        ("[no_such_section]\nx = 1\n", 1, "no_such_section", "kafka"),
    ],
)
@pytest.mark.parametrize("command", ["serve", "check"])
def test_one_problem(
    daemon_program: Path, folder: Path, command: str, text: str, line: int, key: str, allowed: str
) -> None:
    code, said = run(daemon_program, command, folder, text)
    assert code == 2, said
    problems = [each for each in said if key in each]
    assert len(problems) == 1, said
    assert f"config.toml:{line}" in problems[0]
    assert allowed in problems[0]


def test_every_problem_has_its_line(daemon_program: Path, folder: Path) -> None:
    text = '[delivery]\ntimeout = 5\nmax_in_flight = -1\nno_such_key = 1\n\n[log]\nformat = "xml"\n'
    code, said = run(daemon_program, "serve", folder, text)
    assert code == 2, said
    for line, key in ((2, "timeout"), (3, "max_in_flight"), (4, "no_such_key"), (7, "log.format")):
        assert len([each for each in said if f"config.toml:{line}" in each and key in each]) == 1, said


def test_not_toml(daemon_program: Path, folder: Path) -> None:
    code, said = run(daemon_program, "serve", folder, "[kafka\n")
    assert code == 2
    assert any("config.toml:1" in each for each in said), said


def test_no_such_file(daemon_program: Path) -> None:
    done = subprocess.run([daemon_program, "serve", "--config", "/nowhere/config.toml"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "/nowhere/config.toml" in done.stderr


def test_check_names_every_unreachable_server(daemon_program: Path, folder: Path) -> None:
    postgres, kafka = free_port(), free_port()
    text = f'[kafka]\nbrokers = "127.0.0.1:{kafka}"\n[postgres]\nurl = "postgresql://u:hidden@127.0.0.1:{postgres}/x"\n'
    code, said = run(daemon_program, "check", folder, text)
    assert code == 1, said
    assert any(str(kafka) in each for each in said), said
    assert any(str(postgres) in each for each in said), said
    assert not any("hidden" in each for each in said), "a password is never shown"
