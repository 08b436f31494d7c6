"""Mercado Pago's notifications: signed, repeated, late, forged or never."""

import json
import secrets
import threading
import urllib.error
import urllib.request
import uuid
from datetime import datetime

import pysqlite3.dbapi2 as sqlite

from portal import clock
from portal.config import Settings
from portal.errors import NotFoundError
from portal.simulator import mercadopago_account as account
from portal.simulator import mercadopago_rules as rules
from portal.simulator.browser import with_query
from portal.simulator.gateway import Gateway, current
from portal.simulator.store import Json, Store

SETTING = "setting"
DELIVERY = "notification"
MODES = {
    "before": "Antes de que el navegador vuelva",
    "after": "Después de que el navegador vuelve",
    "never": "Nunca",
    "ten": "Diez veces a la vez",
    "bad_signature": "Con firma falsa",
}
DEFAULT_MODE = "after"
TIMEOUT_SECONDS = 22
AFTER_RETURN_SECONDS = 3.0
RETRY_SECONDS = (5.0, 15.0, 45.0)
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def mode(store: Store) -> str:
    """How notifications are sent when nobody says otherwise."""
    with store.reading() as transaction:
        found = transaction.get(SETTING, "notify")
    return DEFAULT_MODE if found is None else str(found["mode"])


def set_mode(store: Store, name: str) -> None:
    """Keep the way of sending for what comes."""
    with store.writing() as transaction:
        if transaction.get(SETTING, "notify") is None:
            transaction.add(SETTING, "notify", {"mode": name}, clock.utcnow())
        transaction.save(SETTING, "notify", {"mode": name})


def _body(payment: Json, topic: str, now: datetime) -> Json:
    created = payment["date_created"] == payment["date_last_updated"]
    body: Json = {
        "id": secrets.randbelow(10**10),
        "live_mode": payment["live_mode"],
        "type": topic,
        "date_created": rules.moment(now),
        "user_id": payment["collector_id"],
        "api_version": "v1",
        "action": "payment.created" if created else "payment.updated",
        "data": {"id": str(payment["id"])},
    }
    if topic == "topic_chargebacks_wh":
        body["actions"] = ["changed_case_status"]
        body["data"] = {"id": payment["chargeback_id"], "payment_id": payment["id"]}
    return body


def _headers(settings: Settings, identity: str, signing: str, now: datetime) -> Json:
    request_id = str(uuid.uuid4())
    headers = {"Content-Type": "application/json", "x-request-id": request_id}
    if signing == "none":
        return headers
    secret = settings.mercadopago_webhook_secrets[0]
    if signing == "bad":
        secret = f"not-{secret}"
    stamp = str(int(now.timestamp() * 1000))
    signed = rules.signature(secret, identity, request_id, stamp)
    return {**headers, "x-signature": signed}


def _post(url: str, body: Json, headers: Json) -> int:
    """The status of the answer; 0 when there was none."""
    data = json.dumps(body).encode()
    # The API refused any address that is not http or https.
    request = urllib.request.Request(url, data, headers, method="POST")  # noqa: S310
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        error.close()
        return int(error.code)
    except OSError:
        return 0


def _topic(payment: Json) -> str:
    disputed = payment["status"] == "charged_back" and "chargeback_id" in payment
    return "topic_chargebacks_wh" if disputed else "payment"


def deliver(
    gateway: Gateway, payment_id: str, signing: str = "good", topic: str | None = None
) -> int:
    """Send one notification now; the status of the answer, 0 for none.

    Raises NotFoundError.
    """
    with gateway.store.reading() as transaction:
        payment = account.find_payment(transaction, payment_id)
    url = payment["notification_url"]
    if not url:
        return 0
    now = clock.utcnow()
    body = _body(payment, topic or _topic(payment), now)
    identity = str(body["data"]["id"])
    address = with_query(url, {"data.id": identity, "type": body["type"]})
    status = _post(address, body, _headers(gateway.settings, identity, signing, now))
    entry = {"payment_id": payment["id"], "status": status, "signature": signing}
    with gateway.store.writing() as transaction:
        number = str(uuid.uuid4())
        entry |= {"type": body["type"], "at": now.isoformat()}
        transaction.add(DELIVERY, number, entry, now, parent=payment_id)
    return status


def deliver_at_once(
    gateway: Gateway, payment_id: str, signing: str, times: int
) -> list[int]:
    """Send `times` notifications at the same time and wait for the answers."""
    statuses: list[int] = []
    barrier = threading.Barrier(times)

    def send() -> None:
        barrier.wait()
        statuses.append(deliver(gateway, payment_id, signing))

    threads = [threading.Thread(target=send) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def _insist(gateway: Gateway, payment_id: str, signing: str, wait: float) -> None:
    """Deliver, and again a few times while the answer is not 200 or 201."""
    for pause in (wait, *RETRY_SECONDS):
        if gateway.stopped.wait(pause):
            return
        try:
            if deliver(gateway, payment_id, signing) in (200, 201):
                return
        except (sqlite.Error, NotFoundError):
            # The simulator was emptied meanwhile.
            return


def _in_background(
    gateway: Gateway, payment_id: str, signing: str = "good", wait: float = 0.0
) -> None:
    arguments = (gateway, payment_id, signing, wait)
    threading.Thread(target=_insist, args=arguments, daemon=True).start()


def tell(payment_id: str, how: str | None = None) -> None:
    """Notify the portal of the payment in the way asked for, or the panel's."""
    gateway = current()
    how = how or mode(gateway.store)
    if how == "before":
        # The browser is only answered when the portal knows, or after the time-out.
        if deliver(gateway, payment_id) not in (200, 201):
            _in_background(gateway, payment_id, wait=RETRY_SECONDS[0])
    elif how == "after":
        _in_background(gateway, payment_id, wait=AFTER_RETURN_SECONDS)
    elif how == "bad_signature":
        _in_background(gateway, payment_id, "bad", AFTER_RETURN_SECONDS)
    elif how == "ten":
        arguments = (gateway, payment_id, "good", 10)
        threading.Thread(target=deliver_at_once, args=arguments, daemon=True).start()
