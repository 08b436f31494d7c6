"""The server's command line, read from the one place that has it: `make serve`."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def serve_command(
    port: int, workers: int = 2, target: str = "wsgi:buffered"
) -> list[str]:
    """As `make serve` would run it, but on this machine alone, and quiet."""
    told = subprocess.run(
        ["make", "-n", "serve", f"PORT={port}", f"WORKERS={workers}"],
        cwd=ROOT,
        env=kept_environment({}),
        capture_output=True,
        text=True,
        check=True,
    )
    text = told.stdout.replace("\\\n", " ")
    (line,) = (it for it in text.splitlines() if "granian" in it)
    words = shlex.split(line.partition("exec ")[2])
    words[words.index("--host") + 1] = "127.0.0.1"
    return [str(ROOT / words[0]), *words[1:-1], "--log-level", "error", target]


def kept_environment(more: Mapping[str, str]) -> dict[str, str]:
    """What a server gets of our environment, and what it is told besides."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, **more}
