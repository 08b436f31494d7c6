"""The sold clock, the promise and the order of the board, as tables."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.support import rules

NOON = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


def at(minutes: float, seconds: float = 0) -> datetime:
    return NOON + timedelta(minutes=minutes, seconds=seconds)


@dataclass(frozen=True)
class Case:
    id: int = 1
    state: str = "waiting"
    queued_at: datetime = NOON
    promise_at: datetime | None = None
    contacted_at: datetime | None = None
    no_answer_at: datetime | None = None
    ends_at: datetime | None = None
    paused_at: datetime | None = None
    paused_until: datetime | None = None


WAITING = Case(promise_at=at(10))
RUNNING = Case(state="running", contacted_at=NOON, ends_at=at(90))


@pytest.mark.parametrize(
    ("now", "state", "left", "level"),
    [
        (at(0), "running", timedelta(minutes=90), "ok"),
        (at(74, 59), "running", timedelta(minutes=15, seconds=1), "ok"),
        (at(75), "running", timedelta(minutes=15), "soon"),
        (at(84, 59), "running", timedelta(minutes=5, seconds=1), "soon"),
        (at(85), "running", timedelta(minutes=5), "late"),
        (at(89, 59.999), "running", timedelta(seconds=0.001), "late"),
        (at(90), "timed_out", timedelta(0), "late"),
        (at(900), "timed_out", timedelta(0), "late"),
    ],
)
def test_clock_runs_down_and_ends_by_the_rule(now, state, left, level) -> None:
    assert rules.effective_state(RUNNING, now) == state
    assert rules.time_left(RUNNING, now) == left
    assert rules.level(RUNNING, now) == level


@pytest.mark.parametrize(
    ("now", "level"),
    [(at(0), "ok"), (at(6, 59), "ok"), (at(7), "soon"), (at(10), "late")],
)
def test_promise_turns_the_card_red_when_it_is_missed(now, level) -> None:
    assert rules.level(WAITING, now) == level


def test_promise_that_was_kept_stays_green() -> None:
    kept = replace(WAITING, state="taken", contacted_at=at(9))
    assert rules.level(kept, at(60)) == "ok"
    assert rules.open_promise(kept) is None
    assert rules.next_own_change(kept, at(0)) is None


def test_customer_who_is_not_answered_turns_the_card_red() -> None:
    assert rules.level(Case(no_answer_at=at(5)), at(6)) == "late"


def test_paused_clock_stands_still() -> None:
    paused = replace(RUNNING, state="paused", paused_at=at(30))
    assert rules.time_left(paused, at(45)) == timedelta(minutes=60)
    assert rules.effective_state(paused, at(200)) == "paused"


@pytest.mark.parametrize("state", ["waiting", "taken", "deferred", "no_show"])
def test_whole_time_is_left_before_the_start(state) -> None:
    assert rules.time_left(Case(state=state), at(500)) == timedelta(minutes=90)


def test_nothing_is_left_of_a_closed_attention() -> None:
    assert rules.time_left(replace(RUNNING, state="closed"), at(10)) == timedelta(0)


@pytest.mark.parametrize(
    ("case", "now", "change"),
    [
        (RUNNING, at(0), at(75)),
        (RUNNING, at(75), at(85)),
        (RUNNING, at(85), at(90)),
        (RUNNING, at(90), None),
        (WAITING, at(0), at(7)),
        (WAITING, at(7), at(10)),
        (WAITING, at(10), None),
        (replace(WAITING, state="taken"), at(8), at(10)),
        (Case(), at(0), None),
        (replace(RUNNING, state="closed"), at(0), None),
    ],
)
def test_fragment_says_when_it_will_change_by_itself(case, now, change) -> None:
    assert rules.next_own_change(case, now) == change


@given(st.integers(0, 6_000), st.booleans())
def test_nothing_shown_changes_before_the_instant_announced(second, running) -> None:
    case = RUNNING if running else WAITING
    now = at(0, second)
    change = rules.next_own_change(case, now)
    last = (change or at(120)) - timedelta(milliseconds=1)
    assert rules.level(case, now) == rules.level(case, last)
    assert rules.effective_state(case, now) == rules.effective_state(case, last)


def test_board_has_the_waiting_by_promise_then_the_running_by_least_time() -> None:
    cards = [
        replace(RUNNING, id=1, ends_at=at(90)),
        replace(RUNNING, id=2, ends_at=at(40)),
        replace(RUNNING, id=3, state="timed_out", ends_at=at(-1)),
        Case(id=4, state="taken"),
        Case(id=5, promise_at=at(12), queued_at=at(2)),
        Case(id=6, queued_at=at(11)),
        Case(id=7, promise_at=at(10)),
        Case(id=8, state="deferred"),
    ]
    ordered = sorted(cards, key=lambda card: rules.board_key(card, at(1)))
    assert [card.id for card in ordered] == [7, 6, 5, 3, 2, 1, 4, 8]


def test_version_holds_until_something_is_written_or_its_instant_comes() -> None:
    shown = rules.board_version("20261124", 3, 7, 1, at(10))
    same = rules.board_version("20261124", 3, 7, 1, None)
    assert rules.is_current(shown, same, at(9, 59.999))
    assert not rules.is_current(shown, same, at(10))
    for other in [("20261125", 3, 7, 1), ("20261124", 4, 7, 1), ("20261124", 3, 8, 1)]:
        assert not rules.is_current(shown, rules.board_version(*other, None), at(0))
    assert not rules.is_current(
        shown, rules.board_version("20261124", 3, 7, 2, None), at(0)
    )


@given(st.text(max_size=60))
def test_no_version_that_a_screen_can_send_breaks_the_poll(text) -> None:
    same = rules.board_version("20261124", 3, 7, 1, None)
    assert rules.is_current(same + text, same, at(0)) in (True, False)
    assert rules.is_current(text, same, at(0)) in (True, False)


@pytest.mark.parametrize("text", ["", "   ", "x" * 2_001, "a\x00b", "\ud800", None])
def test_text_that_is_no_text_is_refused_in_spanish(text) -> None:
    with pytest.raises(ValueError, match=r"Escriba|caracteres"):
        rules.clean_entry(text)


def test_entry_keeps_its_lines_and_loses_its_blanks() -> None:
    assert rules.clean_entry("  uno\r\ndos\n") == "uno\ndos"


def test_whatsapp_says_who_writes_and_about_what_and_no_secret() -> None:
    text = rules.whatsapp_text("ItplusNet Ltda.", "María Soto", "1007", NOON)
    url = rules.whatsapp_url("+56987654321", text)
    assert url.startswith("https://wa.me/56987654321?text=Hola%2C%20Mar%C3%ADa")
    assert "N° 1007, pagada a las 12:00" in unquote(url)
    assert "/atencion/" not in unquote(url)
