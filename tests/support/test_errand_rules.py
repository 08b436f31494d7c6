"""When an errand may be done, and in which order the lane shows them."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.support.errand_rules import clean_words, lane_key, parse_when, to_field

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def test_field_of_day_and_hour_is_santiagos() -> None:
    when = parse_when("2026-11-27T10:30", NOW)
    assert when == datetime(2026, 11, 27, 13, 30, tzinfo=UTC)
    assert to_field(when) == "2026-11-27T10:30"
    assert parse_when(" 2026-11-27 10:30:00 ", NOW) == when
    assert to_field(None) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "Elija el día"),
        ("", "Elija el día"),
        ("mañana", "Elija el día"),
        ("2026-13-40T99:99", "Elija el día"),
        ("9999-12-31T23:59", "Elija el día"),
        ("2026-11-27T10:30+05:00", "Elija el día"),
        ("٢٠٢٦-11-27T10:30", "Elija el día"),
        ("2026-11-24T12:00", "ya pasó"),
        ("2020-01-01T10:00", "ya pasó"),
        ("2027-11-24T10:00", "seis meses"),
    ],
)
def test_date_that_will_not_do_is_refused_in_words(text: object, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_when(text, NOW)


def test_hour_that_the_clock_skips_is_refused() -> None:
    # The first Sunday of September begins at 01:00 in Santiago.
    now = datetime(2026, 9, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="adelanta"):
        parse_when("2026-09-06T00:30", now)


def test_words_are_tidied_and_may_be_required() -> None:
    assert clean_words("  Lleve el\r\ndisco ") == "Lleve el\ndisco"
    assert clean_words("") == ""
    with pytest.raises(ValueError, match="Diga qué"):
        clean_words(" ", required="Diga qué")
    with pytest.raises(ValueError, match="1000"):
        clean_words("x" * 1001)
    with pytest.raises(ValueError, match="caracteres"):
        clean_words("a\x00b")


def test_those_without_a_date_come_first_and_the_oldest_before() -> None:
    old, new = NOW - timedelta(days=2), NOW
    keys = {
        "dated soon": lane_key(NOW + timedelta(hours=1), old, 1),
        "dated late": lane_key(NOW + timedelta(days=1), old, 2),
        "new": lane_key(None, new, 3),
        "old": lane_key(None, old, 4),
    }
    assert sorted(keys, key=lambda name: keys[name]) == [
        "old",
        "new",
        "dated soon",
        "dated late",
    ]
