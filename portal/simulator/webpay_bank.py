"""On Webpay's form: the payer picks, the bank answers, the browser leaves."""

import secrets
import threading
import urllib.request
from datetime import datetime

from portal import clock
from portal.simulator import webpay_rules as rules
from portal.simulator.browser import NEVER, BrowserReturn
from portal.simulator.store import Json, Store
from portal.simulator.webpay import KIND

TIMEOUT_SECONDS = 30
OUTCOMES = frozenset(rules.BANK) | frozenset(rules.LEAVING)
# Nothing of the machine's proxy settings must come between simulator and portal.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _leaving(record: Json, code: str, method: str) -> BrowserReturn:
    token = record["token"]
    params = {
        "TBK_ID_SESION": record["session_id"],
        "TBK_ORDEN_COMPRA": record["buy_order"],
    }
    if code == "aborted":
        params = {"TBK_TOKEN": token, **params}
    if code == "form_error":
        params = {"token_ws": token, "TBK_TOKEN": token, **params}
    usual = "POST" if code == "form_error" else "GET"
    return BrowserReturn(method or usual, record["return_url"], params)


def _returning(record: Json, code: str, method: str) -> BrowserReturn:
    if code == "close":
        return NEVER
    params = {"token_ws": record["token"]}
    return BrowserReturn(method or "GET", record["return_url"], params)


def _decide(record: Json, code: str, now: datetime) -> None:
    """Write what the bank answered, unless it had answered before."""
    if record["stage"] not in ("created", "opened"):
        return
    record["decided_at"] = now.isoformat()
    if code in rules.LEAVING:
        record["stage"] = "timed_out" if code == "timeout" else "aborted"
        record["left_by"] = code
        return
    record["stage"] = "decided"
    record["outcome"] = code
    if rules.BANK[code].approves:
        record["authorization_code"] = f"{secrets.randbelow(1_000_000):06d}"


def _call_from_server(browser: BrowserReturn) -> None:
    """Webpay's own call to the return address, without the payer's cookies."""
    try:
        _opener.open(browser.address, timeout=TIMEOUT_SECONDS).close()
    except OSError:
        return


def open_form(store: Store, token: str) -> Json | None:
    """The payer arrives at the form. None when the token is unknown."""
    with store.writing() as transaction:
        record = transaction.get(KIND, token)
        if record is not None and record["stage"] == "created":
            record["stage"] = "opened"
            transaction.save(KIND, token, record)
    return record


def choose(
    store: Store, token: str, code: str, method: str = ""
) -> BrowserReturn | None:
    """The payer picks `code`; where the browser goes next. None: unknown token.

    Out of the form's time every choice is a time-out. A form that was left already can
    only be seen again: the first decision stays.
    """
    now = clock.utcnow()
    with store.writing() as transaction:
        record = transaction.get(KIND, token)
        if record is None:
            return None
        undecided = record["stage"] in ("created", "opened")
        if undecided and rules.form_is_over(record, now):
            code = "timeout"
        _decide(record, code, now)
        transaction.save(KIND, token, record)
    if code in rules.LEAVING:
        return _leaving(record, code, method)
    browser = _returning(record, code, method)
    if code == "double":
        threading.Thread(target=_call_from_server, args=(browser,), daemon=True).start()
    return browser
