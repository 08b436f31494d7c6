"""The files of deploy/ start what `make serve` starts, with variables that exist."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from test_docs import variables_read

from portal.launch import BAD_CONFIGURATION

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"


def options(command: str) -> set[str]:
    """The options of a granian command, without where it listens."""
    words = shlex.split(command.replace("\\\n", " "))
    pairs = " ".join(words).split(" --")[1:]
    return {pair for pair in pairs if not pair.startswith(("host", "port"))}


def test_every_way_to_start_the_server_is_the_same() -> None:
    makefile = (ROOT / "Makefile").read_text()
    serve = makefile[makefile.index("granian --interface") :].split("\n\n")[0]
    for name, value in re.findall(r"^(WORKERS|THREADS) \?= (\d+)", makefile, re.M):
        serve = serve.replace(f"$({name})", value)
    unit = (DEPLOY / "portal.service").read_text()
    image = (DEPLOY / "Containerfile").read_text()
    started = unit.split("ExecStart=")[1].split("\n#")[0]
    command = image.split("CMD [")[-1].split("]")[0].replace(",", " ")
    assert options(serve) == options(started) == options(command)
    assert "respawn-failed-workers" in options(serve)
    # Each reads the variables first: a server would loop over a missing one.
    assert all(
        "-m portal.launch granian" in " ".join(way.replace('"', "").split())
        for way in (makefile, started, command)
    )


@pytest.mark.parametrize("name", ["portal.service", "portal-worker.service"])
def test_units_come_back_and_touch_only_their_own_folder(name: str) -> None:
    lines = (DEPLOY / name).read_text().splitlines()
    for wanted in (
        "Restart=always",
        f"RestartPreventExitStatus={BAD_CONFIGURATION}",
        "StartLimitIntervalSec=0",
        "ProtectSystem=strict",
        "ReadWritePaths=/opt/portal/var",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
    ):
        assert wanted in lines


def test_example_of_production_names_variables_that_exist(tmp_path: Path) -> None:
    text = (DEPLOY / "portal.env.example").read_text()
    named = set(re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE))
    assert named <= variables_read(tmp_path) | {"FLASK_APP"}
    # Nothing in it passes for a real secret.
    assert not re.findall(r"^(?:SECRET_KEY|\w+_TOKEN|\w+_KEY)=\S", text, re.MULTILINE)


def test_commands_run_as_the_units_do() -> None:
    """Same folder, user and variables: what it makes, the server can read."""
    script = DEPLOY / "portal-flask"
    subprocess.run(["sh", "-n", script], check=True)
    unit = (DEPLOY / "portal-worker.service").read_text()
    said = dict(re.findall(r"^(\w+)=(.+)$", unit, re.MULTILINE))
    lines = script.read_text().splitlines()
    assert f"cd {said['WorkingDirectory']}" in lines
    assert f". {said['EnvironmentFile']}" in lines
    command = said["ExecStart"].removeprefix(f"{said['WorkingDirectory']}/")
    started = command.removesuffix(" worker")
    assert lines[-1] == f'exec runuser -u {said["User"]} -- {started} "$@"'
    assert lines[0] == "#!/bin/sh"


def test_the_example_of_production_is_read_by_a_shell_too(tmp_path: Path) -> None:
    """portal-flask reads it as a shell, the units as systemd."""
    text = (DEPLOY / "portal.env.example").read_text()
    filled = text.replace(
        "MERCADOPAGO_WEBHOOK_SECRET=", "MERCADOPAGO_WEBHOOK_SECRET='a $b&;# c'"
    )
    file = tmp_path / "portal.env"
    file.write_text(filled)
    shown = subprocess.run(
        ["sh", "-euc", f"set -a; . {file}; set +a; env"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert "MERCADOPAGO_WEBHOOK_SECRET=a $b&;# c" in shown
    assert "PORTAL_MODE=production" in shown


def test_a_connection_of_a_process_that_ends_goes_to_another() -> None:
    """Each process of the server listens for itself (SO_REUSEPORT)."""
    lines = (DEPLOY / "60-portal.conf").read_text().splitlines()
    assert [line for line in lines if not line.startswith("#")] == [
        "net.ipv4.tcp_migrate_req = 1"
    ]
