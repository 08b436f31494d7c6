"""Reading variables: each value checked as it is read, every problem kept."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

# `soporte@example.cl`, or `Soporte <soporte@example.cl>`.
_SENDER = re.compile(r"(?:[^<>\n]*<)?[^@<>\s]+@[^@<>\s]+\.[^@<>\s.]+>?")


class Reader:
    """Reads variables and collects every problem instead of stopping at the first."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.problems: list[str] = []

    def text(self, name: str, default: str | None = None) -> str:
        value = self.env.get(name, "").strip() or default
        if value is None:
            self.problems.append(f"{name} is missing.")
            return ""
        return value

    def credential(self, name: str, default: str | None) -> str:
        """What travels in a header: one word of ASCII, as it was copied."""
        value = self.text(name, default)
        if not value.isascii() or not value.isprintable() or " " in value:
            self.problems.append(f"{name} must be one word, without spaces or accents.")
        return value

    def integer(self, name: str, default: int, low: int, high: int) -> int:
        raw = self.env.get(name, "").strip()
        if not raw:
            return default
        if not (raw.isascii() and raw.isdigit() and low <= int(raw) <= high):
            self.problems.append(f"{name} must be a whole number, {low} to {high}.")
            return default
        return int(raw)

    def instant(self, name: str) -> datetime | None:
        raw = self.env.get(name, "").strip()
        if not raw:
            return None
        try:
            value = datetime.fromisoformat(raw)
        except ValueError:
            self.problems.append(f"{name} must be an ISO instant.")
            return None
        if value.tzinfo is None:
            self.problems.append(f"{name} needs an offset, like -03:00.")
            return None
        return value.astimezone(UTC)

    def url(self, name: str, default: str | None, schemes: tuple[str, ...]) -> str:
        value = self.text(name, default).rstrip("/")
        if not value:
            return value
        try:
            parts = urlsplit(value)
            valid = parts.scheme in schemes and bool(parts.hostname)
            valid = valid and (parts.port is None or parts.port > 0)
        except ValueError:
            valid = False
        if not valid:
            wanted = " or ".join(f"{scheme}://" for scheme in schemes)
            self.problems.append(f"{name} must be an address that starts with {wanted}")
        return value

    def secret_list(self, name: str, default: str | None) -> tuple[str, ...]:
        """Secrets separated by commas: the first signs, all are accepted."""
        value = self.text(name, default)
        found = tuple(part.strip() for part in value.split(",") if part.strip())
        if value and not found:
            self.problems.append(f"{name} is missing.")
        return found

    def site(self, name: str, default: str | None) -> str:
        """The address of a whole site: no path, user or query, which links add."""
        before = len(self.problems)
        value = self.url(name, default, ("http", "https"))
        if value and len(self.problems) == before:
            parts = urlsplit(value)
            if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
                self.problems.append(
                    f"{name} must be a scheme and a name alone, with nothing after it."
                )
        return value

    def sender(self, name: str, default: str | None) -> str:
        """A mail address, with or without a name before it."""
        value = self.text(name, default)
        if value and not _SENDER.fullmatch(value):
            self.problems.append(f"{name} must be a mail address.")
        return value
