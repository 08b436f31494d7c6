"""What the staff may read of a person: nothing once the data are blocked or gone.

Every list, card, search and export that shows a person's words selects them through
here; `Contact.shown_name` and its kin do the same for one row.
"""

from sqlalchemy import ColumnElement, case, or_
from sqlalchemy.orm import InstrumentedAttribute

from portal.orders.models import BLOCKED_WORDS, ERASED_WORDS, Contact

IS_HIDDEN = or_(Contact.blocked, Contact.pseudonymised_at.is_not(None))
SHOWN_NAME: ColumnElement[str] = case(
    (Contact.pseudonymised_at.is_not(None), ERASED_WORDS),
    (Contact.blocked, BLOCKED_WORDS),
    else_=Contact.name,
)


def masked(
    column: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
) -> ColumnElement[str]:
    """The column, empty for a person whose data are hidden."""
    return case((IS_HIDDEN, ""), else_=column)
