"""Seeks secrets in the tree and in the whole history: `python tests/secret_scan.py`.

A match that is no secret is named in ALLOWED, with its reason.
"""

import math
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_BYTES = 1_000_000
RULES = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"),
    "AWS key": re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    "GitHub token": re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{50,}"),
    "Google key": re.compile(r"\bAIza[0-9A-Za-z_-]{35}\b"),
    "Slack token": re.compile(r"\bxox[abprs]-[0-9A-Za-z-]{10,}"),
    "JSON web token": re.compile(r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),
    "Mercado Pago token": re.compile(r"\bAPP_USR-\d{10,}-\d{6}-[0-9a-f]{32}-\d+"),
    "Webpay key": re.compile(r"\b[0-9A-F]{64}\b"),
    "password in an address": re.compile(
        r"\b(?:smtps?|postgres(?:ql)?|https?|redis)(?:\+\w+)?://[^\s:/@'\"{}]+:"
        r"(?P<value>[^\s@/'\"{}]{6,})@"
    ),
    "assigned secret": re.compile(
        r"(?i)(?:secret|password|passwd|token|api_?key|access_?key|clave)\w*[\"']?"
        r"\s*[:=]\s*[\"'](?P<value>[A-Za-z0-9+/_.-]{20,})[\"']"
    ),
}
# Values that look like secrets, each with the reason why it is none.
ALLOWED = {
    # Transbank prints this test key in its documentation for whoever integrates.
    "579B532A7440BB0C9079DED94D31EA1615BACEB56610332264630D42D0A36B1C"
}
# Made up in tests, and said to be so by their own words.
_MADE_UP = re.compile(
    r"(?i)test|demo|example|invent|marca|torture|0123456789|abcdef|prueba|otra|"
    r"forged|of-this-run|observatory|canary|secret-key|a{8}|x{8}|0{8}"
)
_MIN_ENTROPY = 3.5


def entropy(text: str) -> float:
    """Bits a character, by how often each one comes."""
    counts = Counter(text).values()
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts)


def found_in(text: str) -> Iterator[tuple[str, str]]:
    """(rule, value) of everything in the text that may be a secret."""
    for rule, pattern in RULES.items():
        for match in pattern.finditer(text):
            groups = match.groupdict()
            value = groups.get("value") or match[0]
            if value in ALLOWED:
                continue
            # A whole form of its own is a secret whatever it says; words are not.
            if groups and (_MADE_UP.search(value) or entropy(value) < _MIN_ENTROPY):
                continue
            yield rule, value


def tree(root: Path) -> Iterator[tuple[str, str]]:
    """(path, text) of every file that is kept."""
    names = _git(root, "ls-files", "-z").split(b"\0")
    for name in filter(None, names):
        path = root / name.decode()
        if path.is_file() and path.stat().st_size <= MAX_BYTES:
            body = path.read_bytes()
            if b"\0" not in body[:1_000]:  # no picture
                yield name.decode(), body.decode("utf-8", "replace")


def history(root: Path) -> Iterator[tuple[str, str]]:
    """(object and path, text) of every version of every file that ever was."""
    listed = _git(root, "rev-list", "--objects", "--all").decode("utf-8", "replace")
    names = dict(line.split(" ", 1) for line in listed.splitlines() if " " in line)
    sizes = _git(
        root, "cat-file", "--batch-check", given="\n".join(names).encode()
    ).decode()
    blobs = [
        line.split()[0]
        for line in sizes.splitlines()
        if " blob " in line and int(line.split()[2]) <= MAX_BYTES
    ]
    bodies = _git(root, "cat-file", "--batch", given="\n".join(blobs).encode())
    place = 0
    for _ in blobs:
        end = bodies.index(b"\n", place)
        name, _kind, size = bodies[place:end].decode().split()
        body = bodies[end + 1 : end + 1 + int(size)]
        place = end + 2 + int(size)
        if b"\0" not in body[:1_000]:
            yield f"{name[:10]} {names[name]}", body.decode("utf-8", "replace")


def problems(texts: Iterator[tuple[str, str]]) -> list[str]:
    """One line for each secret: where, and which rule; never the secret itself."""
    return [
        f"{where}: {rule} {value[:4]}..."
        for where, text in texts
        for rule, value in found_in(text)
    ]


def _git(root: Path, *words: str, given: bytes = b"") -> bytes:
    done = subprocess.run(
        ["git", *words], cwd=root, input=given, capture_output=True, check=True
    )
    return done.stdout


def main() -> int:
    found = problems(tree(ROOT)) + problems(history(ROOT))
    print("\n".join(found) or "no secret in the tree nor in the history")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
