"""What an invented story says in the columns of its rows. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from portal.payments.states import MANUAL, WEBPAY
from portal.reports.demo_rules import Story
from portal.support.rules import ATTENTION

PROMISE = timedelta(minutes=10)


def end_of_money(story: Story) -> tuple[str, datetime] | None:
    """How and when the money went back, if it did."""
    if story.refunded_at:
        return "refunded", story.refunded_at
    if story.charged_back_at:
        return "charged_back", story.charged_back_at
    return None


def tax(story: Story) -> dict[str, str | None]:
    """The buyer's data for a factura."""
    names = ("tax_rut", "tax_name", "tax_activity", "tax_address", "tax_commune")
    values = (
        "765432103",
        f"Comercial {story.shop.name}",
        "Minimarket",
        "Calle 1",
        "Santiago",
    )
    if story.document == "boleta":
        return dict.fromkeys(names)
    return dict(zip(names, values, strict=True))


def gateway_number(story: Story, seed: str, buy_order: str) -> str | None:
    """The gateway's own number of the payment."""
    if story.gateway == MANUAL:
        return None
    return buy_order if story.gateway == WEBPAY else str(int(seed[:15], 16))


def evidence(story: Story, seed: str, at: datetime) -> dict[str, Any] | None:
    """What the gateway's API would have said."""
    if story.gateway == MANUAL:
        return None
    return {
        "word": "approved",
        "amount": story.pesos,
        "amount_is_whole": True,
        "currency": "CLP",
        "refunded_amount": 0,
        "detail": "accredited",
        "approved_at": at.isoformat(),
        "method": "visa",
        "card_last4": "6623",
        "authorization_code": seed[:6].upper(),
        "payment_type": "VN" if story.gateway == WEBPAY else "credit_card",
        "installments": 0,
    }


def worked(story: Story) -> dict[str, Any]:
    """The columns of an attention that was taken, held and closed."""
    late = story.regime == "normal" and story.contacted_at > story.at + PROMISE
    return {
        "state": "closed",
        "taken_at": story.taken_at,
        "contacted_at": story.contacted_at,
        "started_at": story.started_at,
        "ends_at": story.started_at + ATTENTION + timedelta(seconds=story.paused),
        "paused_seconds": story.paused,
        "closed_at": story.closed_at,
        "outcome": story.outcome,
        "changed_at": story.closed_at,
        "promise_missed_at": story.at + PROMISE if late else None,
    }


def road_of(story: Story) -> Iterator[tuple[str, datetime]]:
    """The states of the attention, each with its instant."""
    yield "waiting", story.at
    if story.refunded_at:
        yield "cancelled", story.refunded_at
        return
    yield "taken", story.taken_at
    yield "running", story.started_at
    if story.paused:
        yield "paused", story.started_at + timedelta(seconds=60)
        yield "running", story.started_at + timedelta(seconds=60 + story.paused)
    yield "closed", story.closed_at
