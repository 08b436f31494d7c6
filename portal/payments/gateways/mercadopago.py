"""Mercado Pago Checkout Pro through its SDK 3.6: a preference, then its payments."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import mercadopago
import requests
from mercadopago import MercadoPagoError
from mercadopago.config import RequestOptions
from mercadopago.http import HttpClient

from portal.clock import local
from portal.config import MERCADOPAGO_LIVE_URL
from portal.payments import states
from portal.payments.gateways.base import (
    Attempt,
    Begun,
    Evidence,
    GatewayRefusedError,
    GatewayUnknownError,
    GatewayUnreachableError,
    Question,
    gateway_call,
    whole_pesos,
)
from portal.payments.rules import is_mercadopago_id

# One value for connecting and reading; a notification must be answered in 22 s.
TIMEOUT_SECONDS = 8.0
MAX_INSTALLMENTS = 12
# Of a search: so many a page, and no further than Mercado Pago counts.
_PAGE, _MOST_FOUND = 100, 10_000
STATEMENT = "ITPLUSNET"
# Help is wanted now: cash and vouchers would be paid tomorrow (R3).
_EXCLUDED_TYPES = ({"id": "ticket"}, {"id": "atm"})
_RETRYABLE = frozenset({408, 409, 423, 424, 425, 429})
_WORDS = {
    "approved": "approved",
    "in_mediation": "approved",
    "pending": "pending",
    "in_process": "pending",
    "authorized": "pending",
    "rejected": "rejected",
    "cancelled": "rejected",
    "refunded": "refunded",
    "charged_back": "charged_back",
}


class _BaseUrlClient(HttpClient):  # type: ignore[misc]
    """The SDK's client on another base address, never following a redirect."""

    def __init__(self, base_url: str) -> None:
        self._base = base_url.rstrip("/")

    def request(self, method: str, url: str, **kwargs: Any) -> Any:
        path = url.removeprefix(MERCADOPAGO_LIVE_URL)
        return super().request(
            method, self._base + path, allow_redirects=False, **kwargs
        )


class MercadoPagoGateway:
    """Makes preferences, reads payments. Amounts are whole pesos."""

    name = states.MERCADOPAGO

    def __init__(self, *, token: str, api_url: str, public_url: str) -> None:
        self._sdk = mercadopago.SDK(
            token,
            http_client=_BaseUrlClient(api_url),
            request_options=_options(),
        )
        self._public_url = public_url
        # APP_USR-<application>-<date>-<hash>-<account>: the account is its last part.
        tail = token.rpartition("-")[2]
        self._account = tail if is_mercadopago_id(tail) else None

    def begin(self, attempt: Attempt) -> Begun:
        """Make the preference; the customer goes to its `init_point`.

        The same attempt sent twice is one preference: the idempotency key is its own.
        """
        body = self._call(
            lambda: self._sdk.preference().create(
                self._preference(attempt), _options(f"preference-{attempt.buy_order}")
            )
        )
        url, preference = body.get("init_point"), body.get("id")
        if not (isinstance(url, str) and urlsplit(url).scheme in ("https", "http")):
            raise GatewayUnknownError("the preference has no usable address")
        account = body.get("collector_id")
        return Begun(
            url=url,
            preference_id=str(preference)[:120],
            account=self._account if account is None else str(account),
        )

    def accepts_credentials(self) -> bool:
        """Whether Mercado Pago knows the token: asks whose it is."""
        try:
            self._call(lambda: self._sdk.user().get(_options()))
        except GatewayRefusedError:
            return False
        return True

    def payment(self, payment_id: str) -> Evidence | None:
        """One payment by its id; None when Mercado Pago has no such payment."""
        body = self._call(
            lambda: self._sdk.payment().get(payment_id, _options()), missing={}
        )
        return _evidence(body) if body else None

    def look_up(self, question: Question) -> list[Evidence]:
        """Every payment made with the attempt's reference."""
        body = self._call(
            lambda: self._sdk.payment().search(
                {
                    "external_reference": question.reference,
                    "sort": "date_created",
                    "criteria": "asc",
                    "limit": 50,
                },
                _options(),
            )
        )
        results = body.get("results")
        if not isinstance(results, list):
            raise GatewayUnknownError("the search has no results")
        return [_evidence(row) for row in results if isinstance(row, dict)]

    def search_period(self, begin: datetime, end: datetime) -> list[Evidence]:
        """Every payment that was made from `begin` to `end`, page by page.

        Raises GatewayUnknownError when a page cannot be read, or there are too many.
        """
        found: list[Evidence] = []
        while len(found) < _MOST_FOUND:
            filters = {
                "range": "date_created",
                "begin_date": _iso(begin),
                "end_date": _iso(end),
                "sort": "date_created",
                "criteria": "asc",
                "limit": _PAGE,
                "offset": len(found),
            }
            search = partial(self._sdk.payment().search, filters, _options())
            body = self._call(search)
            rows, paging = body.get("results"), body.get("paging")
            if not isinstance(rows, list) or not isinstance(paging, dict):
                raise GatewayUnknownError("the search has no results")
            found += [_evidence(row) for row in rows if isinstance(row, dict)]
            if not rows or len(found) >= (whole_pesos(paging.get("total"))[0] or 0):
                return found
        raise GatewayUnknownError("more payments than a search tells")

    def refund(self, payment_id: str, amount: int | None, key: str) -> None:
        """Give back pesos of a payment, None for all; the same key is one refund.

        Done, or under way at Mercado Pago, when it returns. Raises GatewayRefusedError
        when it says no, GatewayUnknownError when its word is not known.
        """
        body = self._call(
            lambda: self._sdk.refund().create(
                payment_id,
                None if amount is None else {"amount": amount},
                _options(key),
            )
        )
        if body.get("status") == "rejected":
            raise GatewayRefusedError("Mercado Pago rejected the refund")

    def cancel(self, payment_id: str) -> None:
        """Cancel a payment that is still pending, so that it cannot be charged."""
        self._call(
            lambda: self._sdk.payment().update(
                payment_id, {"status": "cancelled"}, _options()
            )
        )

    def payments_of_chargeback(self, chargeback_id: str) -> list[str]:
        """The payments that a chargeback is about; empty when it does not exist."""
        body = self._call(
            lambda: self._sdk.chargeback().get(chargeback_id, _options()), missing={}
        )
        listed = body.get("payments")
        found = listed if isinstance(listed, list) else [body.get("payment_id")]
        ids = (
            str(each.get("id") if isinstance(each, dict) else each) for each in found
        )
        return [each for each in ids if is_mercadopago_id(each)]

    def close(self, preference_id: str, now: datetime) -> None:
        """End a preference, so that a second tab cannot pay it again."""
        self._call(
            lambda: self._sdk.preference().update(
                preference_id, {"expires": True, "expiration_date_to": _iso(now)}
            )
        )

    def _preference(self, attempt: Attempt) -> dict[str, Any]:
        back = f"{self._public_url}/pago/mercadopago/retorno"
        return {
            "items": [_item(attempt)],
            "payer": _payer(attempt),
            "back_urls": {"success": back, "pending": back, "failure": back},
            "auto_return": "approved",
            # source_news asks for signed webhooks instead of the old notifications.
            "notification_url": (
                f"{self._public_url}/pago/mercadopago/aviso?source_news=webhooks"
            ),
            "external_reference": attempt.reference,
            "statement_descriptor": STATEMENT,
            "expires": True,
            "expiration_date_from": _iso(attempt.created_at),
            "expiration_date_to": _iso(attempt.pay_until),
            "date_of_expiration": _iso(attempt.pay_until),
            "payment_methods": {
                "excluded_payment_types": list(_EXCLUDED_TYPES),
                "excluded_payment_methods": [],
                "installments": MAX_INSTALLMENTS,
            },
            "metadata": {"order_number": attempt.order_number},
        }

    def _call(
        self, act: Callable[[], Any], missing: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """The body of a 2xx, or one of the three errors; `missing` answers a 404."""
        with gateway_call():
            try:
                answer = act()
            except requests.ConnectTimeout as error:
                raise GatewayUnreachableError("no connection") from error
            except requests.ConnectionError as error:
                if any(s in repr(error) for s in ("NewConnection", "NameResolution")):
                    raise GatewayUnreachableError("no connection") from error
                raise GatewayUnknownError("the connection broke") from error
            except (requests.RequestException, MercadoPagoError) as error:
                raise GatewayUnknownError(type(error).__name__) from error
            except (AttributeError, ValueError, TypeError) as error:
                raise GatewayUnknownError("an answer the SDK cannot read") from error
        status, body = answer["status"], answer["response"]
        if status == 404 and missing is not None:
            return missing
        if 400 <= status < 500 and status not in _RETRYABLE:
            raise GatewayRefusedError(f"Mercado Pago refused: HTTP {status}")
        if not (200 <= status < 300 and isinstance(body, dict)):
            raise GatewayUnknownError(f"Mercado Pago answered HTTP {status}")
        return body


def _options(idempotency_key: str | None = None) -> RequestOptions:
    """Fresh options each time: the SDK changes what it is given, and merges nothing.

    No retries of its own: over https they would wait four times as long, over http
    (simulator) never; our reconciler asks again instead.
    """
    options = RequestOptions(
        connection_timeout=TIMEOUT_SECONDS, max_retries=0, retry_on=[]
    )
    if idempotency_key:
        options.custom_headers = {"x-idempotency-key": idempotency_key}
    return options


def _item(attempt: Attempt) -> dict[str, Any]:
    return {
        "id": attempt.service_slug,
        "title": attempt.service_name,
        "description": f"{attempt.service_name}, pedido {attempt.order_number}",
        "category_id": "services",
        "quantity": 1,
        "currency_id": "CLP",
        "unit_price": attempt.amount,
    }


def _payer(attempt: Attempt) -> dict[str, Any]:
    name, _, surname = attempt.name.partition(" ")
    payer: dict[str, Any] = {
        "name": name,
        "surname": surname or name,
        "email": attempt.email,
        # Chile has no area codes any more: 56 and nine digits.
        "phone": {"area_code": "56", "number": attempt.phone.removeprefix("+56")},
    }
    if attempt.rut:
        payer["identification"] = {"type": "RUT", "number": attempt.rut}
    if attempt.address:
        payer["address"] = {"street_name": attempt.address}
    return payer


def _iso(instant: datetime) -> str:
    """2026-11-30T23:59:59.000-03:00, the form of Mercado Pago's examples."""
    return local(instant).isoformat(timespec="milliseconds")


def _evidence(body: dict[str, Any]) -> Evidence:
    amount, whole = whole_pesos(body.get("transaction_amount"))
    refunded, _ = whole_pesos(body.get("transaction_amount_refunded"))
    card = body.get("card")
    last4 = card.get("last_four_digits") if isinstance(card, dict) else ""
    live = body.get("live_mode")
    collector = body.get("collector_id")
    word = _word(str(body.get("status")), refunded or 0, amount)
    return Evidence(
        word=word,
        gateway_payment_id=str(body.get("id"))[:64],
        amount=amount,
        amount_is_whole=whole,
        currency=str(body.get("currency_id")),
        reference=str(body.get("external_reference")),
        account=None if collector is None else str(collector),
        live=live if isinstance(live, bool) else None,
        refunded_amount=(amount or 0) if word == "refunded" else refunded or 0,
        detail=str(body.get("status_detail"))[:80],
        approved_at=_instant(body.get("date_approved")),
        method=str(body.get("payment_method_id") or "")[:40],
        card_last4=str(last4 or "")[-4:],
        authorization_code=str(body.get("authorization_code") or "")[:20],
        payment_type=str(body.get("payment_type_id") or "")[:40],
        installments=whole_pesos(body.get("installments"))[0] or 0,
    )


def _word(status: str, refunded: int, amount: int | None) -> str:
    """Panel refunds show only in the refunded amount, never in our own records."""
    word = _WORDS.get(status, "open")
    if word == "approved" and refunded:
        return "refunded" if refunded == amount else "partly_refunded"
    return word


def _instant(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(str(value)).astimezone(UTC)
    except ValueError:
        return None
