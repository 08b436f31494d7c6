"""What a card says: its words, shape, clock and buttons. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from portal.accounts.rules import Person
from portal.chile import format_hour
from portal.support import rules, states

TAKE = "tomar"
RELEASE = "soltar"
CALLED = "llame"
START = "iniciar"
ENTRY = "anotar"
NOTE = "nota"
CLOSE = "cerrar"

_MINE = {
    states.TAKEN: (START, CALLED, ENTRY, NOTE, RELEASE),
    states.RUNNING: (ENTRY, CLOSE, NOTE),
    states.PAUSED: (ENTRY, CLOSE, NOTE),
    states.TIMED_OUT: (CLOSE, ENTRY, NOTE),
}
_ANYONES = {
    states.WAITING: (TAKE, NOTE),
    states.DEFERRED: (NOTE,),
    states.NO_SHOW: (NOTE,),
}

# Word, shape and colour of a state; of a running clock and a promise, by their level.
_LOOKS = {
    states.DEFERRED: ("Otro horario", "moon", "plain"),
    states.PAUSED: ("En pausa", "pause", "paused"),
    states.TIMED_OUT: ("Tiempo cumplido", "stop", "late"),
    states.CLOSED: ("Cerrada", "check", "plain"),
    states.NO_SHOW: ("No contesta", "phone", "plain"),
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
    ("fuera", "Otro horario", frozenset({states.DEFERRED, states.NO_SHOW})),
    ("cerradas", "Cerradas hoy", frozenset({states.CLOSED, states.CANCELLED})),
)


class Attended(rules.Facts, Protocol):
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


def face_of(card: Attended, now: datetime, person: Person) -> Face:
    """The card as `person` sees it at `now`."""
    state = rules.effective_state(card, now)
    level = rules.level(card, now)
    look, word, shape = _look(card, state, level)
    deadline, since, still = _clock(card, state, now)
    return Face(
        state=state,
        look=look,
        word=word,
        shape=shape,
        meta=_meta(card, state),
        deadline=deadline,
        since=since,
        still=still,
        acts=_acts(card, state, person),
        alert=_alert(card, state, level),
    )


def _look(card: Attended, state: str, level: rules.Level) -> tuple[str, str, str]:
    if state in _LOOKS:
        word, shape, look = _LOOKS[state]
        return look, word, shape
    if state == states.RUNNING:
        return (level, *_RUNNING[level])
    if rules.open_promise(card) or card.no_answer_at:
        return (level, *_PROMISED[level])
    if state == states.TAKEN:
        return level, "Tomada", "user"
    return level, "El cliente llama", "phone"


def _clock(
    card: Attended, state: str, now: datetime
) -> tuple[datetime | None, datetime | None, int | None]:
    promise = rules.open_promise(card)
    if state == states.RUNNING:
        return card.ends_at, None, None
    if state in (states.WAITING, states.TAKEN) and promise:
        return promise, None, None
    if state == states.WAITING:
        return None, card.queued_at, None
    if state in (states.TAKEN, states.PAUSED, states.TIMED_OUT):
        return None, None, int(rules.time_left(card, now).total_seconds())
    return None, None, None


def _meta(card: Attended, state: str) -> str:
    who = card.technician or ""
    if state == states.WAITING:
        promise = rules.open_promise(card)
        if promise:
            return f"llamar antes de las {format_hour(promise)}"
        return f"pagó a las {format_hour(card.queued_at)}"
    if state == states.TAKEN and card.taken_at:
        return f"{who} · desde {format_hour(card.taken_at)}"
    if state == states.CLOSED and card.closed_at:
        return f"{who} · {card.outcome} · {format_hour(card.closed_at)}"
    if state == states.RUNNING and card.ends_at:
        return f"{who} · termina {format_hour(card.ends_at)}"
    if state == states.DEFERRED and card.deferred_to is None:
        return "el cliente debe elegir cuándo"
    return who


def _acts(card: Attended, state: str, person: Person) -> tuple[str, ...]:
    if state in _ANYONES:
        return _ANYONES[state]
    if card.technician_id != person.id and not person.is_owner:
        return ()
    acts = _MINE.get(state, ())
    if card.contacted_at:
        return tuple(act for act in acts if act != CALLED)
    return acts


def _alert(card: Attended, state: str, level: rules.Level) -> str | None:
    """What rings once: a new customer, a missed promise, 15, 5 and 0 minutes."""
    if state == states.WAITING:
        return f"{card.id}-espera-late" if level == "late" else f"{card.id}-espera"
    if state == states.TIMED_OUT:
        return f"{card.id}-fin"
    if state == states.RUNNING and level != "ok":
        return f"{card.id}-{level}"
    return None


def lane_of(state: str) -> str:
    """The lane where a card of this state lies."""
    return next(key for key, _, members in _LANES if state in members)


LANES = tuple((key, title) for key, title, _ in _LANES)
