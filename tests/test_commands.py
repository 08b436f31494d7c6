"""The two commands, what they install, and how the demo starts, refuses and stops."""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from importlib.metadata import distribution, version
from pathlib import Path

import pytest
from conftest import SECRET_KEY
from live_stack import LiveStack

import app as launcher
from portal.config import load_settings

ROOT = Path(__file__).resolve().parent.parent
MAKEFILE = (ROOT / "Makefile").read_text()
_PIN = re.compile(r"([A-Za-z0-9_.-]+)(?:\[[a-z]+\])?==(\S+)")


def pins(name: str) -> dict[str, str]:
    """Distribution and version of each line that is no comment and no inclusion."""
    found = {}
    for line in (ROOT / name).read_text().splitlines():
        if line and not line.startswith(("#", "-r ")):
            match = _PIN.fullmatch(line)
            assert match, f"not pinned: {line}"
            found[normal(match[1])] = match[2]
    return found


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def demo(**environment: str) -> launcher.Settings:
    return load_settings({"SECRET_KEY": SECRET_KEY, **environment})


# Requirements ----------------------------------------------------------


def test_every_requirement_is_pinned_as_installed() -> None:
    wanted = pins("requirements.txt") | pins("requirements-dev.txt")
    assert wanted == {name: version(name) for name in wanted}


@pytest.mark.parametrize("names", [("requirements.txt",), ("requirements-dev.txt",)])
def test_what_a_requirement_brings_is_pinned_too(names: tuple[str]) -> None:
    own = pins(*names)
    everything = own | pins("requirements.txt")
    for name in own:
        for needed in distribution(name).requires or []:
            text, _, marker = needed.partition(";")
            if "extra" not in marker and "version" not in marker and not marker:
                bare = re.match(r"[A-Za-z0-9_.-]+", text)
                assert bare
                assert normal(bare[0]) in everything, f"{name} needs {bare[0]}"


def test_project_names_no_registry() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    hosts = ("py" + "pi.org", "python" + "hosted", "npm" + "js.", "index" + "-url")
    for name in listed.stdout.splitlines():
        path = ROOT / name
        text = path.read_bytes().decode(errors="ignore") if path.is_file() else ""
        assert not [host for host in hosts if host in text], name


# Commands ----------------------------------------------------------


def test_every_target_says_what_it_does() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert phony
    listed = subprocess.run(
        # Under `make test` this make is another's child, and would say so.
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    told = [line.split()[0] for line in listed.stdout.splitlines()]
    assert sorted(told) == sorted(phony[1].split())


def test_continuous_integration_calls_both_checks() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-2:] == ["make lint", "make test"]


def test_old_python_is_refused_with_the_way_out(tmp_path: Path) -> None:
    old = tmp_path / "python"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 || exit 1\n')
    old.chmod(0o755)
    done = subprocess.run(
        ["bash", ROOT / "tests" / "provision.sh", "python", tmp_path / "venv"],
        env={**os.environ, "PYTHON": str(old)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr
    assert "is Python 3.9.2" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_missing_programs_without_apt_are_named(tmp_path: Path) -> None:
    if Path("/usr/lib/postgresql").exists():
        wanted = "chromium fonts-liberation"
    else:
        wanted = "chromium fonts-liberation postgresql"
    (tmp_path / "id").symlink_to("/usr/bin/id")
    done = subprocess.run(
        ["/bin/bash", ROOT / "tests" / "provision.sh", "programs"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.strip().endswith(f"own means: {wanted}")


class _Recorder(Mapping[str, str]):
    """An empty environment that remembers what was asked."""

    def __init__(self) -> None:
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        if name == "PORTAL_MODE":
            return "demo"
        if name == "SECRET_KEY":
            return SECRET_KEY
        if name == "SMTP_URL":
            return "smtp://localhost"
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def test_example_of_the_environment_names_every_variable() -> None:
    recorder = _Recorder()
    load_settings(recorder)
    text = (ROOT / ".env.example").read_text()
    flasks_own = {"FLASK_SKIP_DOTENV"}
    found = set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE))
    assert found == recorder.asked | flasks_own


# The demo ----------------------------------------------------------


def _launch(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "app.py"],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_busy_port_is_told_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _launch(
            PORT=str(port), DATABASE_URL=f"sqlite:///{tmp_path}/portal.sqlite3"
        )
    assert done.returncode == 1
    assert f"Port {port} is not free" in done.stderr
    assert f"PORT={port + 10} make run" in done.stderr
    assert "Traceback" not in done.stderr


def test_demo_refuses_an_environment_with_all_its_faults(tmp_path: Path) -> None:
    database = f"sqlite:///{tmp_path}/portal.sqlite3"
    done = _launch(PORTAL_MODE="production", DATABASE_URL=database, PORT="x")
    assert done.returncode == 1
    assert "SECRET_KEY is missing." in done.stderr
    assert "PORT must be a whole number" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("public_url", "host"),
    [
        ("http://localhost:8000", "127.0.0.1"),
        ("http://127.0.0.1:8000", "127.0.0.1"),
        ("http://192.168.1.20:8000", "0.0.0.0"),
    ],
)
def test_demo_listens_to_this_machine_unless_its_address_says_otherwise(
    public_url: str, host: str
) -> None:
    assert launcher.portal_host(demo(PUBLIC_URL=public_url)) == host


def test_simulator_stays_away_when_no_gateway_points_at_it() -> None:
    elsewhere = "https://gateway.example.cl"
    settings = demo(MERCADOPAGO_API_URL=elsewhere, WEBPAY_API_URL=elsewhere)
    assert launcher.uses_simulator(demo())
    assert not launcher.uses_simulator(settings)
    assert "Simulator" not in launcher.greeting(settings)


def test_child_that_ends_takes_the_demo_down() -> None:
    child = launcher.start("worker", [sys.executable, "-c", "raise SystemExit(3)"])
    child.process.wait()
    with pytest.raises(launcher.LaunchError, match=r"worker ended by itself .*3"):
        launcher.wait_until_ready(["http://127.0.0.1:9/"], [child], threading.Event())


def test_what_a_killed_child_leaves_behind_is_stopped_too() -> None:
    script = "import os, time; os.write(1, b'%d\\n' % os.fork()); time.sleep(60)"
    child = launcher.Child(
        "server",
        subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, process_group=0
        ),
    )
    assert child.process.stdout
    line = child.process.stdout.readline() + child.process.stdout.readline()
    child.process.kill()
    launcher.stop([child])
    # The pipe ends only when nobody holds it any more.
    assert child.process.stdout.read() == b""
    child.process.stdout.close()
    assert b"0\n" in line


def test_demo_prints_addresses_and_log_ins_and_answers(live: LiveStack) -> None:
    output = live.output()
    for path in ("/", "/tablero", "/administrar", "/demo", "/demo/correos"):
        assert f"{live.url}{path}\n" in output
    assert f"{live.simulator_url}/\n" in output
    assert "duena@demo.cl  demo-portal\n" in output
    assert live.get("/").status_code == 200


@pytest.mark.long
def test_demo_stops_whole_and_keeps_its_data(tmp_path: Path) -> None:
    stack = LiveStack(tmp_path).start()
    stack.move_clock(None)
    assert stack.stop() == 0
    assert "its data stays" in stack.output()
    for port in (stack.port, stack.port + 1):
        launcher.check_port("127.0.0.1", port)
    assert "accounts added" in stack.output()
    stack.start()
    assert stack.stop() == 0
    # Nothing was filled in again: the second run found the first one's data.
    assert "accounts added" not in stack.output()
