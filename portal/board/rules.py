"""What a card says: its words, shape, clock and buttons. Pure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from portal.accounts.rules import Person
from portal.chile import format_duration, format_hour
from portal.support import rules, states

TAKE = "tomar"
RELEASE = "soltar"
HAND_OVER = "traspasar"
CALLED = "llame"
NO_SHOW = "ausente"
START = "iniciar"
PAUSE = "pausar"
RESUME = "reanudar"
UNDO = "deshacer"
ENTRY = "anotar"
NOTE = "nota"
CLOSE = "cerrar"
# Acts with a box to write in: what is typed there is kept as a draft.
WRITTEN = (ENTRY, NOTE, CLOSE)

_MINE = {
    states.TAKEN: (START, CALLED, NO_SHOW, RELEASE, ENTRY, NOTE, HAND_OVER),
    states.RUNNING: (ENTRY, CLOSE, PAUSE, NOTE, HAND_OVER),
    states.PAUSED: (RESUME, ENTRY, CLOSE, NOTE, HAND_OVER),
    states.TIMED_OUT: (CLOSE, ENTRY, NOTE, HAND_OVER),
}
_ANYONES = {
    states.WAITING: (TAKE, NOTE),
    states.DEFERRED: (NOTE,),
    states.NO_SHOW: (NOTE,),
}
# With so many cards the board is set smaller, so that all stay readable.
_SOME, _MANY = 7, 25

# Word, shape and colour of a state; of a running clock and a promise, by their level.
_LOOKS = {
    states.DEFERRED: ("Otro horario", "moon", "plain"),
    states.PAUSED: ("En pausa", "pause", "paused"),
    states.TIMED_OUT: ("Cumplido", "stop", "late"),
    states.CLOSED: ("Cerrada", "check", "plain"),
    states.NO_SHOW: ("Ausente", "phone", "plain"),
    states.CANCELLED: ("Anulada", "stop", "plain"),
}
_RUNNING = {
    "ok": ("En curso", "play"),
    "soon": ("Queda poco", "clock"),
    "late": ("Por terminar", "alert"),
}
_PROMISED = {
    "ok": ("A tiempo", "check"),
    "soon": ("Por vencer", "clock"),
    "late": ("Atrasada", "alert"),
}
_LANES = (
    ("espera", "En espera", frozenset({states.WAITING})),
    ("curso", "En atención", states.HELD),
    ("fuera", "Próxima apertura", frozenset({states.DEFERRED})),
    ("ausentes", "Ausentes", frozenset({states.NO_SHOW})),
    ("cerradas", "Cerradas hoy", frozenset({states.CLOSED, states.CANCELLED})),
)


class Attended(rules.Facts, rules.Last, Protocol):
    """What a card asks of an attention, over what the clock does."""

    @property
    def technician_id(self) -> int | None: ...
    @property
    def technician(self) -> str | None: ...
    @property
    def taken_at(self) -> datetime | None: ...
    @property
    def deferred_to(self) -> datetime | None: ...
    @property
    def closed_at(self) -> datetime | None: ...
    @property
    def outcome(self) -> str | None: ...
    @property
    def pause_reason(self) -> str | None: ...
    @property
    def calls(self) -> int: ...
    @property
    def called_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Face:
    """How a card looks to one person at one instant.

    The clock counts to `deadline`, or up from `since`, or stands at `still` seconds.
    """

    state: str
    look: str
    word: str
    shape: str
    meta: str
    deadline: datetime | None
    since: datetime | None
    still: int | None
    acts: tuple[str, ...]
    alert: str | None
    mine: bool


def face_of(card: Attended, now: datetime, person: Person | None) -> Face:
    """The card as `person` sees it at `now`; None is whoever passes by a screen."""
    state = rules.effective_state(card, now)
    level = rules.level(card, now)
    acts, mine = standing_of(card, now, person)
    look, word, shape = _look(card, state, level)
    deadline, since, still = _clock(card, state, now)
    return Face(
        state=state,
        look=look,
        word=word,
        shape=shape,
        meta=_meta(card, state, now),
        deadline=deadline,
        since=since,
        still=still,
        acts=acts,
        alert=_alert(card, state, level),
        mine=mine,
    )


def standing_of(
    card: Attended, now: datetime, person: Person | None
) -> tuple[tuple[str, ...], bool]:
    """What `person` may do with the card, and whether it is in their hands.

    All else of a face is the same for whoever looks.
    """
    if person is None:
        return (), False
    state = rules.effective_state(card, now)
    mine = card.technician_id == person.id and state in states.HELD
    return _acts(card, state, person, now), mine


def _look(card: Attended, state: str, level: rules.Level) -> tuple[str, str, str]:
    if state in _LOOKS:
        word, shape, look = _LOOKS[state]
        return look, word, shape
    if state == states.RUNNING:
        return (level, *_RUNNING[level])
    if card.no_answer_at and not card.contacted_at:
        return level, "No le contestan", "alert"
    if rules.open_promise(card):
        return (level, *_PROMISED[level])
    if state == states.TAKEN:
        return level, "Tomada", "user"
    return level, "El cliente llama", "phone"


def _clock(
    card: Attended, state: str, now: datetime
) -> tuple[datetime | None, datetime | None, int | None]:
    promise = rules.open_promise(card)
    if state == states.RUNNING:
        return rules.clock_end(card, now), None, None
    if state in (states.WAITING, states.TAKEN) and promise:
        return promise, None, None
    if state == states.WAITING:
        return None, card.queued_at, None
    if state in (states.TAKEN, states.PAUSED, states.TIMED_OUT):
        return None, None, int(rules.time_left(card, now).total_seconds())
    return None, None, None


def edge_of_clocks(cards: Iterable[Attended], now: datetime) -> datetime:
    """The first instant after `now` at which a card looks otherwise to all.

    Nothing is written then: a clock ends, a promise is missed. Without any, the last
    instant of all.
    """
    own = (rules.next_own_change(card, now) for card in cards)
    return min(filter(None, own), default=datetime.max.replace(tzinfo=UTC))


def edge_of_undoing(
    cards: Iterable[Attended], person: Person | None, now: datetime
) -> datetime:
    """The first instant after `now` at which `person` may no longer undo something."""
    undoing = (
        card.changed_at + rules.UNDO_WINDOW
        for card in cards
        if person and rules.may_undo(card, person.id, now)
    )
    return min(undoing, default=datetime.max.replace(tzinfo=UTC))


def is_over(face: Face, now: datetime) -> bool:
    """Whether the clock of the card counts past its deadline."""
    return face.deadline is not None and face.deadline <= now


def clock_text(face: Face, now: datetime) -> str:
    """What the card's clock says at `now`, as `countdown` of the components does."""
    if face.deadline is None:
        since = face.since or now
        return format_duration(int((now - since).total_seconds()))
    left = math.ceil((face.deadline - now).total_seconds())
    if left < 0 and face.state != states.RUNNING:
        return f"−{format_duration(-left)}"
    return format_duration(left)


def _meta(card: Attended, state: str, now: datetime) -> str:
    who = card.technician or ""
    if state == states.WAITING:
        return _meta_waiting(card)
    if state == states.TAKEN and card.taken_at:
        calls = f" · {_calls(card)}" if card.calls else ""
        return f"{who} · desde {format_hour(card.taken_at)}{calls}"
    if state == states.CLOSED and card.closed_at:
        return f"{who} · {card.outcome} · {format_hour(card.closed_at)}"
    if state == states.PAUSED:
        return _meta_paused(card, who)
    end = rules.clock_end(card, now)
    if state == states.RUNNING and end:
        return f"{who} · termina {format_hour(end)}"
    if state == states.NO_SHOW:
        return _calls(card)
    if state == states.DEFERRED and card.deferred_to is None:
        return "el cliente debe elegir cuándo"
    return who


def _meta_waiting(card: Attended) -> str:
    promise = rules.open_promise(card)
    if promise:
        return f"llamar antes de las {format_hour(promise)}"
    return f"pagó a las {format_hour(card.queued_at)}"


def _meta_paused(card: Attended, who: str) -> str:
    said = [who, card.pause_reason or ""]
    if card.paused_until:
        said.append(f"hasta las {format_hour(card.paused_until)}")
    return " · ".join(filter(None, said))


def _calls(card: Attended) -> str:
    word = "llamada" if card.calls == 1 else "llamadas"
    at = f", última {format_hour(card.called_at)}" if card.called_at else ""
    return f"{card.calls} {word}{at}"


def _acts(card: Attended, state: str, person: Person, now: datetime) -> tuple[str, ...]:
    undo = (UNDO,) if rules.may_undo(card, person.id, now) else ()
    if state in _ANYONES:
        return (*undo, *_ANYONES[state])
    if card.technician_id != person.id and not person.is_owner:
        return undo
    acts = _MINE.get(state, ())
    if card.calls < rules.CALLS_BEFORE_NO_SHOW:
        acts = tuple(act for act in acts if act != NO_SHOW)
    return (*undo, *acts)


def _alert(card: Attended, state: str, level: rules.Level) -> str | None:
    """What rings once: a new customer, a missed promise, 15, 5 and 0 minutes."""
    if card.no_answer_at and not card.contacted_at and level == "late":
        return f"{card.id}-no-contestan"
    if state == states.TAKEN and level == "late":
        return f"{card.id}-espera-late"
    if state == states.WAITING:
        return f"{card.id}-espera-late" if level == "late" else f"{card.id}-espera"
    if state == states.TIMED_OUT:
        return f"{card.id}-fin"
    if state == states.RUNNING and level != "ok":
        return f"{card.id}-{level}"
    return None


def lane_of(state: str) -> str:
    """The lane where a card of this state lies."""
    return _LANE_OF[state]


_LANE_OF = {state: key for key, _, members in _LANES for state in members}
LANES = tuple((key, title) for key, title, _ in _LANES)


def crowd(cards: int) -> str:
    """How full the board is: few, some or many cards."""
    if cards < _SOME:
        return "few"
    return "some" if cards < _MANY else "many"


def draft_text(text: str) -> str:
    """A draft as it can be kept: whatever is typed, without what no text holds."""
    kept = (char for char in text if char >= " " or char in "\n\t")
    return "".join(kept).encode("utf-8", "ignore").decode()


def viewer(screen_id: int | None, waits: bool, person_id: int | None) -> str:
    """Who looks, as part of the version: another person sees other buttons."""
    place = "p" if screen_id is None else f"s{screen_id}"
    return f"{place}{'w' if waits else ''}-{person_id or 0}~"
