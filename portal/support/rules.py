"""The sold clock, the promise, and the order of the board. Pure.

Everything is computed from stored instants (UTC) and the `now` of the decision: a page
that nobody reloads and a worker that stopped change nothing about what is true.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol
from urllib.parse import quote

from portal.chile import format_hour
from portal.support.states import (
    HELD,
    PAUSED,
    RUNNING,
    TAKEN,
    TIMED_OUT,
    UNDO,
    WAITING,
)
from portal.text import clean_text

# Fixed by the terms.
ATTENTION_MINUTES = 90
ATTENTION = timedelta(minutes=ATTENTION_MINUTES)
SOON = timedelta(minutes=15)
LATE = timedelta(minutes=5)
# From here on a promise that nobody has kept is about to be missed.
PROMISE_SOON = timedelta(minutes=3)
MAX_TEXT = 2_000
# Within it the technician takes back an act; its mails wait for as long.
UNDO_WINDOW = timedelta(seconds=10)
# So many calls that nobody answered make a no-show; two taps are one call.
CALLS_BEFORE_NO_SHOW = 2
CALL_GAP = timedelta(seconds=30)

Level = Literal["ok", "soon", "late"]
_NONE_LEFT = timedelta(0)


class Facts(Protocol):
    """What the rules ask of an attention."""

    @property
    def id(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def queued_at(self) -> datetime: ...
    @property
    def promise_at(self) -> datetime | None: ...
    @property
    def contacted_at(self) -> datetime | None: ...
    @property
    def no_answer_at(self) -> datetime | None: ...
    @property
    def ends_at(self) -> datetime | None: ...
    @property
    def paused_at(self) -> datetime | None: ...
    @property
    def paused_until(self) -> datetime | None: ...


class Promised(Protocol):
    """A promise to call, and whether it was found missed."""

    @property
    def state(self) -> str: ...
    @property
    def promise_at(self) -> datetime | None: ...
    @property
    def contacted_at(self) -> datetime | None: ...
    @property
    def promise_missed_at(self) -> datetime | None: ...


class Last(Protocol):
    """The last change of a state or holder: what an undo asks of it."""

    @property
    def state(self) -> str: ...
    @property
    def state_before(self) -> str | None: ...
    @property
    def changed_at(self) -> datetime: ...
    @property
    def changed_by_id(self) -> int | None: ...


def pause_end(attention: Facts, now: datetime) -> datetime | None:
    """When a pause ended by itself, before or at `now`; None while there is none."""
    until = attention.paused_until
    over = attention.state == PAUSED and until is not None and until <= now
    return until if over else None


def clock_end(attention: Facts, now: datetime) -> datetime | None:
    """When the 90 minutes end, moved by a pause that is over though nobody wrote it."""
    until = pause_end(attention, now)
    if until is None or attention.ends_at is None or attention.paused_at is None:
        return attention.ends_at
    return attention.ends_at + (until - attention.paused_at)


def effective_state(attention: Facts, now: datetime) -> str:
    """The state as it is at `now`, though nobody has written the end yet."""
    running = attention.state == RUNNING or pause_end(attention, now) is not None
    if not running:
        return attention.state
    end = clock_end(attention, now)
    return TIMED_OUT if end and end <= now else RUNNING


def time_left(attention: Facts, now: datetime) -> timedelta:
    """What is left of the 90 minutes: all of it before the start, none at the end."""
    end = clock_end(attention, now)
    if end is None:
        return ATTENTION
    state = effective_state(attention, now)
    if state not in (RUNNING, PAUSED):
        return _NONE_LEFT
    still = attention.paused_at if state == PAUSED else None
    return max(end - (still or now), _NONE_LEFT)


def pause_left(paused_seconds: int, limit_minutes: int) -> timedelta:
    """How long an attention may still be paused, of `limit_minutes` in all."""
    return max(timedelta(minutes=limit_minutes, seconds=-paused_seconds), _NONE_LEFT)


def may_undo(attention: Last, person_id: int, now: datetime) -> bool:
    """Whether the last act was this person's, can be undone, and is fresh."""
    fresh = now < attention.changed_at + UNDO_WINDOW
    own = attention.changed_by_id == person_id
    return fresh and own and attention.state_before in UNDO.get(attention.state, ())


def is_new_call(last_call: datetime | None, now: datetime) -> bool:
    """Whether a noted call is another one, and no second tap."""
    return last_call is None or now >= last_call + CALL_GAP


def open_promise(attention: Facts) -> datetime | None:
    """Until when we promised to call, while nobody has."""
    return None if attention.contacted_at else attention.promise_at


def is_promise_missed(attention: Promised, now: datetime) -> bool:
    """Whether a promise went by, nobody called, and nobody has written it down yet."""
    promise, known = attention.promise_at, attention.promise_missed_at
    if attention.state not in (WAITING, TAKEN) or attention.contacted_at:
        return False
    return promise is not None and promise <= now and known != promise


def _promise_level(attention: Facts, now: datetime) -> Level:
    if attention.contacted_at:
        return "ok"
    if attention.no_answer_at:
        return "late"
    if attention.promise_at is None:
        return "ok"
    left = attention.promise_at - now
    if left <= _NONE_LEFT:
        return "late"
    return "soon" if left <= PROMISE_SOON else "ok"


def _clock_level(left: timedelta) -> Level:
    if left <= LATE:
        return "late"
    return "soon" if left <= SOON else "ok"


def level(attention: Facts, now: datetime) -> Level:
    """How urgent the card is: by the clock once it runs, by the promise before."""
    state = effective_state(attention, now)
    if state == TIMED_OUT:
        return "late"
    if state in (RUNNING, PAUSED):
        return _clock_level(time_left(attention, now))
    return _promise_level(attention, now)


def _clock_edges(attention: Facts, now: datetime) -> list[datetime]:
    if attention.state == PAUSED and pause_end(attention, now) is None:
        return [attention.paused_until] if attention.paused_until else []
    end = clock_end(attention, now)
    return [end - SOON, end - LATE, end] if end else []


def _edges(attention: Facts, now: datetime) -> list[datetime]:
    if attention.state in (RUNNING, PAUSED):
        return _clock_edges(attention, now)
    promise = open_promise(attention)
    if promise and attention.state not in HELD - {TAKEN}:
        return [promise - PROMISE_SOON, promise]
    return []


def next_own_change(attention: Facts, now: datetime) -> datetime | None:
    """The next instant at which what is shown changes though nothing is written."""
    return min((edge for edge in _edges(attention, now) if edge > now), default=None)


def queue_key(attention: Facts) -> tuple[datetime, int]:
    """The order of those who wait: by promise; without one, by instant of payment."""
    return (attention.promise_at or attention.queued_at, attention.id)


def held_key(attention: Facts, now: datetime) -> tuple[timedelta, datetime, int]:
    """The order of those in somebody's hands: least time left first."""
    return (time_left(attention, now), *queue_key(attention))


def board_key(attention: Facts, now: datetime) -> tuple[int, timedelta, datetime, int]:
    """The order of the whole board: who waits, then who is being attended."""
    if attention.state == WAITING:
        return (0, _NONE_LEFT, *queue_key(attention))
    rank = 1 if attention.state in HELD else 2
    return (rank, *held_key(attention, now))


def clean_entry(text: object) -> str:
    """A line of the log, tidied. Raises ValueError with the reason in Spanish."""
    cleaned = clean_text(text, MAX_TEXT, multiline=True)
    if not cleaned:
        raise ValueError("Escriba un texto.")
    return cleaned


def whatsapp_text(business: str, name: str, number: str, paid_at: datetime) -> str:
    """What a technician's first message says: the number, never the link or the RUT."""
    return (
        f"Hola, {name}. Le escribe la Mesa de Ayuda de {business} por la atención "
        f"N° {number}, pagada a las {format_hour(paid_at)}. "
    )


def whatsapp_url(phone: str, text: str) -> str:
    """The link that opens a chat with an E.164 number, `text` already written."""
    return f"https://wa.me/{phone.removeprefix('+')}?text={quote(text)}"


def board_version(
    day: str, count: int, versions: int, revision: int, until: datetime | None = None
) -> str:
    """What a board says it has: the rows, the settings, and until when it is true."""
    return with_edge(f"{day}-{count}-{versions}-{revision}.", until)


def with_edge(version: str, until: datetime | None) -> str:
    """The version of rows and settings, good until an instant, or for good."""
    return version if until is None else f"{version}{int(until.timestamp() * 1000)}"


def is_current(asked: str, version: str, now: datetime) -> bool:
    """Whether what a screen `asked` with still holds, `version` being that of now."""
    rows, _, edge = asked.partition(".")
    if f"{rows}." != version:
        return False
    until = edge_of(asked)
    return not edge if until is None else now < until


def edge_of(asked: str) -> datetime | None:
    """When the board of this version changes by itself; None when it says none."""
    edge = asked.partition(".")[2]
    if not (edge.isascii() and edge.isdigit() and len(edge) <= 14):
        return None
    return datetime.fromtimestamp(int(edge) / 1000, UTC)
