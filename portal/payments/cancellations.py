"""A payment that is still pending when its order was paid otherwise is called off."""

import logging
from datetime import datetime

from portal.db import reading
from portal.payments import queries
from portal.payments.gateways import Gateways
from portal.payments.returns import GATEWAY_ERRORS
from portal.payments.service import settle

log = logging.getLogger(__name__)


def cancel_pending(gateways: Gateways, *, now: datetime, limit: int = 20) -> int:
    """Cancel them at Mercado Pago, and settle what it then says. How many were asked.

    One that was approved at that very moment settles as surplus.
    """
    with reading() as session:
        rows = queries.pending_of_paid_orders(session, limit)
    for payment_id, gateway_payment_id in rows:
        _cancel(payment_id, gateway_payment_id, gateways, now)
    return len(rows)


def _cancel(
    payment_id: int, gateway_payment_id: str, gateways: Gateways, now: datetime
) -> None:
    try:
        gateways.mercadopago.cancel(gateway_payment_id)
        evidence = gateways.mercadopago.payment(gateway_payment_id)
    except GATEWAY_ERRORS as error:
        log.warning("pending payment %s: %s", payment_id, error)
        return
    if evidence is not None:
        settle(payment_id, evidence, keys=gateways.keys, live=gateways.live, now=now)
