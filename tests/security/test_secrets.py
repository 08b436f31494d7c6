"""No secret is in the tree; what is planted is found, even after it was taken away."""

import secrets
import subprocess
from pathlib import Path

import pytest
from secret_scan import ROOT, RULES, found_in, history, problems, tree


def _random(alphabet: str, length: int) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


# Made anew in every run: written down they would be found themselves.
_HEX, _UPPER = "0123456789abcdef", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_ANY = "abcdefghijkmnpqrstuvwxyzBCDEFGHJKLMNPQRSTUVWXYZ23456789"
CANARIES = {
    "private key": "-----BEGIN EC " + "PRIVATE KEY-----",
    "AWS key": "AKIA" + _random(_UPPER, 16),
    "GitHub token": "ghp_" + _random(_ANY, 36),
    "Google key": "AIza" + _random(_ANY, 35),
    "Slack token": "xoxb-" + _random(_ANY, 24),
    "JSON web token": ".".join("eyJ" + _random(_ANY, 20) for _ in range(3)),
    "Mercado Pago token": f"APP_USR-{'7' * 16}-{'1' * 6}-{_random(_HEX, 32)}-12345",
    "Webpay key": _random(_HEX.upper(), 64),
    "password in an address": f"smtp://soporte:{_random(_ANY, 24)}@mail.cl",
    "assigned secret": f'API_KEY = "{_random(_ANY, 32)}"',
}


def test_no_secret_is_in_the_tree() -> None:
    assert problems(tree(ROOT)) == []


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_finds_what_it_is_for(rule: str) -> None:
    assert rule in dict(found_in(f"x\n{CANARIES[rule]}\ny"))


def test_a_secret_that_was_taken_away_is_found_in_the_history(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        who = (
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@x",
            "-c",
            "commit.gpgsign=false",
        )
        subprocess.run(
            ["git", *who, *words], cwd=tmp_path, check=True, capture_output=True
        )

    git("init", "-q")
    for number, text in enumerate(CANARIES.values()):
        (tmp_path / f"{number}.txt").write_text(text)
    git("add", ".")
    git("commit", "-qm", "in")
    git("rm", "-q", "-r", ".")
    (tmp_path / "clean.txt").write_text("nada")
    git("add", ".")
    git("commit", "-qm", "out")
    assert problems(tree(tmp_path)) == []
    found = problems(history(tmp_path))
    assert {line.partition(": ")[2].rpartition(" ")[0] for line in found} >= set(RULES)
    # The report does not carry the secret on.
    for text in CANARIES.values():
        assert all(text not in line for line in found)
