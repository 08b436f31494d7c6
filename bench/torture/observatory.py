"""MDN's HTTP Observatory over local TLS: the grade of pages as production serves them.

The server is granian with a certificate of its own; the scan trusts it by
NODE_EXTRA_CA_CERTS, and nothing leaves this machine but the first installation.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

from bench.torture import ROOT
from bench.torture.report import Line

TOOLS = ROOT / "bench" / "observatory"
SCANNER = TOOLS / "node_modules" / "@mdn" / "mdn-http-observatory"
TARGET, READY_SECONDS = 130, 60.0
SECRET = "torture-secret-key-0123456789abcdefghijkl"  # noqa: S105 (of this run)


def run() -> list[Line]:
    """A public page, the order's private page and the log-in: the worst counts."""
    began = time.monotonic()
    _install()
    with tempfile.TemporaryDirectory(prefix="observatory-") as made:
        folder = Path(made)
        certificate = _make_certificate(folder)
        with _serving(folder, certificate) as (port, link):
            paths = {
                "inicio": "/",
                "compra": "/servicios/soporte-online",
                "ingreso": "/ingresar",
                "pedido": link,
            }
            found = {
                name: _scan(f"localhost:{port}{path}", certificate)
                for name, path in paths.items()
            }
            # The control: a page whose headers the portal did not write.
            red = _scan(f"localhost:{_bare(folder, certificate)}/", certificate)
    for name, (grade, score, failed) in found.items():
        print(f"{name}: {grade} {score} {failed}")
    worst = min(found.values(), key=lambda it: it[1])
    told = ", ".join(f"{name} {it[0]} {it[1]}" for name, it in found.items())
    return [
        Line(
            "MDN HTTP Observatory (TLS local)",
            told,
            f"A+, {TARGET} o más",
            f"una página sin cabeceras: {red[0]} {red[1]}",
            worst[0] == "A+" and worst[1] >= TARGET and red[1] < TARGET,
            time.monotonic() - began,
        )
    ]


def _install() -> None:
    """Node and the scanner, once; its scripts would fetch lists from the network."""
    if not SCANNER.exists():
        pip = [sys.executable, "-m", "pip", "install", "-q", "-r"]
        subprocess.run([*pip, "bench/requirements.txt"], cwd=ROOT, check=True)
        npm = ["npm", "ci", "--prefix", str(TOOLS), "--ignore-scripts", "--no-audit"]
        subprocess.run([*npm, "--no-fund", "--silent"], env=_with_node(), check=True)
    # The preload list of browsers: without it nobody's name is on the list.
    (SCANNER / "conf" / "hsts-preload.json").write_text("{}")


def _with_node() -> dict[str, str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path}


def _make_certificate(folder: Path) -> Path:
    """A certificate of this run for localhost, and its key beside it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(IPv4Address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "cert.pem").write_bytes(made.public_bytes(pem))
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder / "cert.pem"


def _environment(folder: Path) -> dict[str, str]:
    """Production's settings, with secrets of this run that open nothing."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {
        **kept,
        "PORTAL_MODE": "production",
        "DATABASE_URL": f"sqlite:///{folder}/portal.sqlite3",
        "SECRET_KEY": SECRET,
        "PUBLIC_URL": "https://localhost",
        "MERCADOPAGO_ACCESS_TOKEN": "APP_USR-observatory-of-this-run",
        "MERCADOPAGO_WEBHOOK_SECRET": "observatory-of-this-run",
        "WEBPAY_COMMERCE_CODE": "597000000001",
        "WEBPAY_API_KEY": "observatory-of-this-run",
        "SMTP_URL": "smtp://127.0.0.1:9",
        "MAIL_FROM": "soporte@example.cl",
    }


def _lay_out(environment: dict[str, str]) -> str:
    """The schema, terms, and one unpaid order; the path of its secret link."""
    flask = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    subprocess.run(flask, cwd=ROOT, env=environment, check=True, capture_output=True)
    from support_cases import add_order

    from portal import clock, create_app
    from portal.config import load_settings
    from portal.db import db, transaction
    from portal.orders.queries import path_of
    from portal.terms import service as terms

    settings = load_settings(environment)
    with create_app(settings).app_context():
        terms.set_up(clock.utcnow())
        with transaction() as session:
            unpaid = {"state": "awaiting_payment", "paid_at": None}
            order = add_order(session, now=clock.utcnow(), key=SECRET, **unpaid)
            link = path_of(order, settings.secret_keys)
        db.engine.dispose()
    return str(link)


def _granian(target: str, port: int, certificate: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--blocking-threads", "4", "--log-level", "error", "--no-access-log"),
        *("--ssl-certificate", str(certificate)),
        *("--ssl-keyfile", str(certificate.parent / "key.pem"), target),
    ]


def _wait(port: int, certificate: Path) -> None:
    import requests

    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            requests.get(f"https://localhost:{port}/", verify=certificate, timeout=5)
        except requests.RequestException:
            time.sleep(0.1)
            continue
        return
    raise RuntimeError("the server was never ready")


@contextmanager
def _serving(folder: Path, certificate: Path) -> Iterator[tuple[int, str]]:
    """The portal as production serves it, over TLS; its port and a secret link."""
    from live_stack import free_ports

    environment, port = _environment(folder), free_ports()
    link = _lay_out(environment)
    bare = folder / "bare.py"
    bare.write_text(_BARE)
    command = _granian("wsgi:app", port, certificate)
    servers = [subprocess.Popen(command, cwd=ROOT, env=environment)]
    other = free_ports()
    (folder / "bare.port").write_text(str(other))
    servers.append(
        subprocess.Popen(
            _granian("bare:app", other, certificate), cwd=folder, env=environment
        )
    )
    try:
        _wait(port, certificate)
        _wait(other, certificate)
        yield port, link
    finally:
        for server in servers:
            server.terminate()
        for server in servers:
            server.wait()


_BARE = """
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [b"<!doctype html><title>x</title><p>x</p>"]
"""


def _bare(folder: Path, _certificate: Path) -> int:
    return int((folder / "bare.port").read_text())


def _scan(target: str, certificate: Path) -> tuple[str, int, list[str]]:
    """Grade, score and the names of the tests that were not passed."""
    done = subprocess.run(
        ["node", str(SCANNER / "src" / "scan.js"), target],
        cwd=SCANNER,
        env={**_with_node(), "NODE_EXTRA_CA_CERTS": str(certificate)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    told: dict[str, Any] = json.loads(done.stdout)
    if "error" in told:
        raise RuntimeError(f"{target}: {told['error']}")
    failed = [name for name, test in told["tests"].items() if not test["pass"]]
    return told["scan"]["grade"], told["scan"]["score"], failed
