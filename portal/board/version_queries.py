"""The versions of many boards at once: after a commit they are asked for together."""

from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from portal import clock
from portal.accounts.queries import people_logged_in
from portal.accounts.screen_queries import find_screens
from portal.board.rules import viewer
from portal.support.version_queries import version_of_now

# The kinds of device, as their names here begin.
LOGGED_IN, SCREEN = "cuenta:", "pantalla:"


def versions_of_many(engine: Engine, names: Sequence[str]) -> dict[str, str]:
    """What each device that may still see the board would be told as its version."""
    now = clock.utcnow()
    with Session(engine) as session:
        rows = version_of_now(session, now)
        people = people_logged_in(session, _keys(names, LOGGED_IN), now)
        screens = find_screens(session, _keys(names, SCREEN), now)
    found = {
        LOGGED_IN + key: viewer(None, False, person) + rows
        for key, person in people.items()
    }
    for key, it in screens.items():
        turn = it.turn.id if it.turn else None
        found[SCREEN + key] = viewer(it.id, it.waits_until is not None, turn) + rows
    return found


def _keys(names: Sequence[str], kind: str) -> list[str]:
    return [it.removeprefix(kind) for it in names if it.startswith(kind)]
