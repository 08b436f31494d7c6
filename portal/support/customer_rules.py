"""When a customer may do what on the page of an attention. Pure."""

from datetime import datetime, timedelta

from portal.hours.rules import SPECIAL
from portal.support.rules import Facts
from portal.support.states import CLOSED, LIVING, NO_SHOW, TAKEN, TIMED_OUT, WAITING
from portal.text import clean_text

MAX_MESSAGE = 500
# Enough to tell anything; a card is no chat.
MAX_MESSAGES = 40
BURST, BURST_WINDOW = 5, timedelta(minutes=2)

# Somebody still reads.
MESSAGED_IN = LIVING
CALLED_IN = frozenset({WAITING, TAKEN})
BACK_FROM = frozenset({NO_SHOW})
REPEATED_FROM = frozenset({TIMED_OUT, CLOSED})


def clean_message(text: object) -> str:
    """A message, tidied. Raises ValueError in Spanish."""
    message = clean_text(text, MAX_MESSAGE, multiline=True)
    if not message:
        raise ValueError("Escriba su mensaje.")
    return message


def no_answer_from(queued_at: datetime, minutes: int) -> datetime:
    """From when on one may say that nobody answers."""
    return queued_at + timedelta(minutes=minutes)


def may_say_no_answer(
    attention: Facts, regime_kind: str, minutes: int, now: datetime
) -> bool:
    """In special hours, once the wait is over, while nobody has spoken with them."""
    calls = regime_kind == SPECIAL and attention.state in CALLED_IN
    if not calls or attention.contacted_at or attention.no_answer_at:
        return False
    return now >= no_answer_from(attention.queued_at, minutes)


def renewed_promise(
    fresh: datetime, later_promises: list[datetime], now: datetime
) -> datetime:
    """The promise of who comes back to the old place: no later than theirs who paid
    after, and never one that is missed already."""
    return max(min([fresh, *later_promises]), now)
