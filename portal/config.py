"""The configuration: a typed value, read once from the environment."""

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, TypedDict

from portal.environment import Reader
from portal.errors import ConfigurationError

ROOT = Path(__file__).resolve().parent.parent
MERCADOPAGO_LIVE_URL = "https://api.mercadopago.com"
WEBPAY_LIVE_URL = "https://webpay3g.transbank.cl"
# Public test data of Transbank's integration environment, good for the demo only.
WEBPAY_TEST_CODE = "597055555532"
WEBPAY_TEST_KEY = "579B532A7440BB0C9079DED94D31EA1615BACEB56610332264630D42D0A36B1C"
# Files beside a database: which one is the demo's, and which ones production has used.
DEMO_MARK, PRODUCTION_MARK = "demo-seeded", "in-production"
MIN_SECRET_LENGTH = 32
MIN_TOKEN_LENGTH = 20

Mode = Literal["demo", "production"]
_PASSWORD = re.compile(r"(://[^:/@]*):.*@")


@dataclass(frozen=True, kw_only=True, repr=False)
class Settings:
    """What the environment says. No field is ever logged, so none is in its `repr`."""

    mode: Mode
    database_url: str
    secret_keys: tuple[str, ...]
    public_url: str
    port: int
    state_dir: Path
    mercadopago_access_token: str
    mercadopago_webhook_secrets: tuple[str, ...]
    mercadopago_api_url: str
    webpay_commerce_code: str
    webpay_api_key: str
    webpay_api_url: str
    smtp_url: str | None
    mail_from: str
    trusted_proxies: int
    # Where scheduled backups go; every so many hours (0: never); how many are kept.
    backup_dir: Path
    backup_hours: int
    backup_keep: int
    backup_days: int
    # Who brings it may read /metricas; None: nobody.
    metrics_token: str | None
    log_level: str
    # A request that takes longer (seconds) hangs, and its process is ended.
    request_limit: int
    portal_now: datetime | None

    @property
    def is_demo(self) -> bool:
        return self.mode == "demo"

    @property
    def clock_file(self) -> Path | None:
        """The file that moves the demo's clock; None in production."""
        return self.state_dir / "clock" if self.is_demo else None

    @property
    def simulator_url(self) -> str:
        """Where `make run` serves the simulator: the port after the portal's."""
        return f"http://127.0.0.1:{self.port + 1}"

    @property
    def simulator_database(self) -> Path:
        return self.state_dir / "simulator.sqlite3"

    @property
    def shown_database(self) -> str:
        """The database's address without its password."""
        return _PASSWORD.sub(r"\1:***@", self.database_url)

    @property
    def mail_dir(self) -> Path:
        """Where mails go when there is no SMTP_URL."""
        return self.state_dir / "mail"


def _demo_secret(state_dir: Path) -> str:
    """The demo's own random key, made once and kept beside its database."""
    path = state_dir / "demo-secret-key"
    state_dir.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(key := secrets.token_hex(32))
    return key


def database_url(url: str) -> str:
    """The address in the form that SQLAlchemy reads. Raises ConfigurationError."""
    if url.startswith("sqlite:///"):
        return f"sqlite:///{ROOT / url.removeprefix('sqlite:///')}"
    for prefix in ("postgresql+psycopg://", "postgresql://", "postgres://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    raise ConfigurationError(
        ["DATABASE_URL must start with sqlite:/// or postgresql://"]
    )


def _database(reader: Reader) -> tuple[str, Path]:
    default = f"sqlite:///{ROOT / 'var' / 'portal.sqlite3'}"
    try:
        url = database_url(reader.text("DATABASE_URL", default))
    except ConfigurationError as error:
        reader.problems += error.problems
        return "", ROOT / "var"  # no database: nothing more is said of it
    if url.startswith("sqlite:///"):
        return url, Path(url.removeprefix("sqlite:///")).parent
    return url, ROOT / "var"


LOG_LEVELS = ("info", "warning", "error")


class _Watching(TypedDict):
    metrics_token: str | None
    log_level: str
    request_limit: int


def _watching(reader: Reader, demo: bool) -> _Watching:
    token = reader.text("METRICS_TOKEN", "")
    if token and len(token) < MIN_TOKEN_LENGTH:
        reader.problems.append(
            f"METRICS_TOKEN must be at least {MIN_TOKEN_LENGTH} characters long."
        )
    level = reader.text("LOG_LEVEL", "warning" if demo else "info")
    if level not in LOG_LEVELS:
        reader.problems.append(f"LOG_LEVEL must be one of {', '.join(LOG_LEVELS)}.")
    return {
        "metrics_token": token or None,
        "log_level": level,
        "request_limit": reader.integer("REQUEST_LIMIT", 120, 5, 3600),
    }


class _Backups(TypedDict):
    backup_dir: Path
    backup_hours: int
    backup_keep: int
    backup_days: int


def _backups(reader: Reader, state_dir: Path, demo: bool) -> _Backups:
    return {
        "backup_dir": ROOT / reader.text("BACKUP_DIR", str(state_dir / "respaldos")),
        # The demo's data are worth nothing, and its clock jumps: only when asked.
        "backup_hours": reader.integer("BACKUP_HOURS", 0 if demo else 1, 0, 24),
        "backup_keep": reader.integer("BACKUP_KEEP", 48, 1, 10_000),
        "backup_days": reader.integer("BACKUP_DAYS", 30, 1, 3_650),
    }


def _check_production(settings: Settings, problems: list[str]) -> None:
    """Refuse in production whatever belongs to a demo or to a test."""
    if settings.portal_now is not None:
        problems.append("PORTAL_NOW is for the demo: production keeps the real time.")
    if settings.public_url and not settings.public_url.startswith("https://"):
        problems.append("PUBLIC_URL must start with https:// in production.")
    if settings.mercadopago_api_url != MERCADOPAGO_LIVE_URL:
        problems.append(
            "MERCADOPAGO_API_URL must be unset in production: only the live API counts."
        )
    if settings.webpay_api_url != WEBPAY_LIVE_URL:
        problems.append(
            "WEBPAY_API_URL must be unset in production: only the live API counts."
        )
    if settings.webpay_commerce_code == WEBPAY_TEST_CODE:
        problems.append("WEBPAY_COMMERCE_CODE is Transbank's public test code.")
    if settings.webpay_api_key == WEBPAY_TEST_KEY:
        problems.append("WEBPAY_API_KEY is Transbank's public test key.")
    if settings.mercadopago_access_token.startswith("TEST-"):
        problems.append("MERCADOPAGO_ACCESS_TOKEN is a test token.")
    code = settings.webpay_commerce_code
    if code and not (code.isascii() and code.isdigit()):
        problems.append("WEBPAY_COMMERCE_CODE must be digits alone.")
    if settings.smtp_url is None:
        problems.append("SMTP_URL is missing: the law asks for a mail to each buyer.")


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def _check_folder(settings: Settings, problems: list[str]) -> None:
    """A demo and a production portal never share a database.

    Who forgets to load the variables would start a demo over the real orders, with
    its public passwords; who tried the demo first would sell with its accounts.
    """
    shown = settings.shown_database
    if settings.is_demo and shown in _lines(settings.state_dir / PRODUCTION_MARK):
        problems.append(
            f"PORTAL_MODE is not production, and {shown} is a production database. "
            "Load its variables: set -a; . ./.env; set +a"
        )
    if not settings.is_demo and shown in _lines(settings.state_dir / DEMO_MARK):
        problems.append(
            "DATABASE_URL is the demo's database, with its public passwords: give "
            "production another one."
        )


def _check_secrets(keys: tuple[str, ...], problems: list[str]) -> None:
    for key in keys:
        if len(key) < MIN_SECRET_LENGTH or len(set(key)) < 8:
            problems.append(
                "SECRET_KEY must be random and at least "
                f"{MIN_SECRET_LENGTH} characters long (several: separated by commas)."
            )
            return


def _derive(secret: str, purpose: str) -> str:
    return hashlib.sha256(f"{purpose}:{secret}".encode()).hexdigest()


class _Gateways(TypedDict):
    mercadopago_access_token: str
    mercadopago_webhook_secrets: tuple[str, ...]
    mercadopago_api_url: str
    webpay_commerce_code: str
    webpay_api_key: str
    webpay_api_url: str


def _gateways(
    reader: Reader, demo: bool, *, seed: str, simulator_port: int
) -> _Gateways:
    simulator = f"http://127.0.0.1:{simulator_port}"
    return {
        "mercadopago_access_token": reader.credential(
            "MERCADOPAGO_ACCESS_TOKEN",
            f"APP_USR-{_derive(seed, 'token')[:32]}" if demo else None,
        ),
        "mercadopago_webhook_secrets": reader.secret_list(
            "MERCADOPAGO_WEBHOOK_SECRET", _derive(seed, "webhook") if demo else None
        ),
        "mercadopago_api_url": reader.url(
            "MERCADOPAGO_API_URL",
            f"{simulator}/mercadopago" if demo else MERCADOPAGO_LIVE_URL,
            ("http", "https"),
        ),
        "webpay_commerce_code": reader.text(
            "WEBPAY_COMMERCE_CODE", WEBPAY_TEST_CODE if demo else None
        ),
        "webpay_api_key": reader.credential(
            "WEBPAY_API_KEY", WEBPAY_TEST_KEY if demo else None
        ),
        "webpay_api_url": reader.url(
            "WEBPAY_API_URL",
            f"{simulator}/webpay" if demo else WEBPAY_LIVE_URL,
            ("http", "https"),
        ),
    }


def load_settings(env: Mapping[str, str]) -> Settings:
    """Read the settings from `env`.

    The demo fills what is not set with values that work only against its own simulator;
    production fills nothing. Raises ConfigurationError with every problem at once.
    """
    reader = Reader(env)
    mode = reader.text("PORTAL_MODE", "demo")
    if mode not in ("demo", "production"):
        reader.problems.append("PORTAL_MODE must be demo or production.")
    demo = mode == "demo"
    database_url, state_dir = _database(reader)
    port = reader.integer("PORT", 8000, 1, 65534)
    fallback = _demo_secret(state_dir) if demo and not env.get("SECRET_KEY") else None
    keys = reader.secret_list("SECRET_KEY", fallback)
    settings = Settings(
        mode="demo" if demo else "production",
        database_url=database_url,
        state_dir=state_dir,
        secret_keys=keys,
        port=port,
        public_url=reader.site(
            "PUBLIC_URL", f"http://localhost:{port}" if demo else None
        ),
        **_gateways(
            reader, demo, seed=keys[0] if keys else "", simulator_port=port + 1
        ),
        smtp_url=reader.url("SMTP_URL", None, ("smtp", "smtps", "smtp+starttls"))
        if env.get("SMTP_URL", "").strip()
        else None,
        mail_from=reader.sender("MAIL_FROM", "soporte@demo.cl" if demo else None),
        trusted_proxies=reader.integer("TRUSTED_PROXIES", 0, 0, 5),
        **_backups(reader, state_dir, demo),
        **_watching(reader, demo),
        portal_now=reader.instant("PORTAL_NOW"),
    )
    _check_secrets(keys, reader.problems)
    _check_folder(settings, reader.problems)
    if not demo:
        _check_production(settings, reader.problems)
    if reader.problems:
        raise ConfigurationError(reader.problems)
    return settings


def settings_from_environment() -> Settings:
    """`load_settings` over this process's environment; production leaves its mark."""
    settings = load_settings(os.environ)
    mark = settings.state_dir / PRODUCTION_MARK
    if not settings.is_demo and settings.state_dir.is_dir():
        # A folder that cannot be written is told by whoever writes the data.
        with suppress(OSError):
            if settings.shown_database not in _lines(mark):
                with mark.open("a") as file:
                    file.write(f"{settings.shown_database}\n")
    return settings
