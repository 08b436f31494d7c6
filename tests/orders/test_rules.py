"""The secret link's arithmetic."""

import pytest

from portal.orders import rules

KEY, OLD = "k" * 40, "o" * 40
SEED = "a" * 32


def test_a_seed_is_128_bits_and_new_each_time() -> None:
    seeds = {rules.new_seed() for _ in range(200)}
    assert len(seeds) == 200
    assert all(len(seed) == 32 and int(seed, 16) >= 0 for seed in seeds)


def test_links_that_were_mailed_are_made_by_every_later_version() -> None:
    assert rules.link_token(KEY, SEED) == "K_d0sbqynUbo1SV2a4kr1A"
    assert rules.next_form_key("form", 7) == (
        "a4309c463fc23187d77dd5a58859ec9746ac9212b14bb2a3d829b87d8bba399a"
    )


def test_a_link_is_found_under_an_older_key_and_under_no_other() -> None:
    token = rules.link_token(OLD, SEED)
    stored = rules.fingerprint(token)
    assert rules.find_token((KEY, OLD), SEED, stored) == token
    with pytest.raises(LookupError, match=r"^no current key makes this order's link$"):
        rules.find_token((KEY,), SEED, stored)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("K_d0sbqynUbo1SV2a4kr1A", True),
        ("-" * 22, True),
        ("A" * 21, False),
        ("A" * 23, False),
        ("A" * 21 + "\n", False),
        ("A" * 21 + "é", False),
        ("", False),
    ],
)
def test_only_22_plain_characters_are_a_token(text: str, is_one: bool) -> None:
    assert rules.is_token(text) is is_one
