"""Webpay Plus REST through transbank-sdk 6.1: Transbank's facts, the SDK's traps."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import requests
from transbank.common import request_service
from transbank.common.integration_type import IntegrationType
from transbank.common.options import WebpayOptions
from transbank.error.transbank_error import TransbankError
from transbank.webpay.webpay_plus.transaction import Transaction

from portal.payments import states
from portal.payments.gateways.base import (
    COMMIT_WAIT_SECONDS,
    SLOT_WAIT_SECONDS,
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
from portal.payments.rules import is_webpay_token

# The SDK's default is 600 seconds; a commit answers in 1 to 10.
TIMEOUT = (3.0, 15.0)
_DEFINITE = frozenset({400, 401, 403, 404, 405, 406, 415, 422})
_NOT_OURS = ("HTTP 401", "HTTP 403")
# Words of the API's `status` once the commit was done.
_WORDS = {
    "FAILED": "rejected",
    "REVERSED": "refunded",
    "NULLIFIED": "refunded",
    "PARTIALLY_NULLIFIED": "partly_refunded",
    "INITIALIZED": "open",
}


class _Options(WebpayOptions):  # type: ignore[misc]
    """Options with a base address, which the SDK itself does not offer."""

    def __init__(self, code: str, key: str, base_url: str) -> None:
        super().__init__(code, key, IntegrationType.TEST, timeout=TIMEOUT)
        self.base_url = base_url

    def __repr__(self) -> str:
        return "_Options(...)"  # the SDK's own prints the API key


def _without_redirects(verb: str) -> Callable[..., requests.Response]:
    """The SDK's verb, never following a redirect with our key. It brings a timeout."""

    def call(**kwargs: Any) -> requests.Response:
        return requests.request(  # noqa: S113 - the SDK passes the options' timeout
            verb, allow_redirects=False, **kwargs
        )

    return call


_VERBS = SimpleNamespace(
    **{verb: _without_redirects(verb) for verb in ("post", "put", "get")}
)


def _host(_cls: type, options: _Options) -> str:
    return options.base_url


# The SDK calls these two by name in its module: this is the only seam it has.
request_service.RequestService.host = classmethod(_host)
request_service.requests = _VERBS


class WebpayGateway:
    """Opens, commits and asks. Amounts are whole pesos."""

    name = states.WEBPAY

    def __init__(self, *, code: str, key: str, api_url: str, return_url: str) -> None:
        self._transaction = Transaction(_Options(code, key, api_url))
        self._return_url = return_url

    def begin(self, attempt: Attempt) -> Begun:
        """Create the transaction; the customer posts `token_ws` to the URL."""
        answer = self._call(
            lambda: self._transaction.create(
                attempt.buy_order, attempt.reference, attempt.amount, self._return_url
            )
        )
        token, url = answer.get("token"), answer.get("url")
        if not (isinstance(token, str) and is_webpay_token(token)):
            raise GatewayUnknownError("create answered no usable token")
        if not (isinstance(url, str) and url.startswith(("https://", "http://"))):
            raise GatewayUnknownError("create answered no usable address")
        return Begun(url=url, token=token)

    def commit(self, token: str) -> Evidence:
        """Confirm an authorised transaction, once. A 422 is unknown: ask `status`."""
        try:
            answer = self._call(
                lambda: self._transaction.commit(token), COMMIT_WAIT_SECONDS
            )
            return _evidence(answer)
        except GatewayRefusedError as error:
            raise GatewayUnknownError(str(error)) from error

    def status(self, token: str) -> Evidence:
        """What Webpay knows of the transaction (for 7 days); changes nothing."""
        return _evidence(self._call(lambda: self._transaction.status(token)))

    def accepts_credentials(self) -> bool:
        """Whether Webpay knows code and key: asks for a token that cannot exist."""
        try:
            self.status("0" * 64)
        except GatewayRefusedError as error:
            return not str(error).endswith(_NOT_OURS)
        return True

    def refund(self, token: str, amount: int) -> None:
        """Give back pesos. Done when it returns.

        Raises GatewayRefusedError when Webpay says no, GatewayUnknownError when its
        word is not known: ask `status` before another try, there is no key.
        """
        answer = self._call(lambda: self._transaction.refund(token, amount))
        kind, code = answer.get("type"), answer.get("response_code")
        if kind == "REVERSED" or (kind == "NULLIFIED" and code == 0):
            return
        raise GatewayRefusedError(f"Webpay did not refund: code {_text(code, 6)}")

    def look_up(self, question: Question) -> list[Evidence]:
        """`status`, never `commit`. An attempt without a token cannot have money."""
        return [self.status(question.token)] if question.token else []

    def _call(
        self, act: Callable[[], Any], wait_seconds: float = SLOT_WAIT_SECONDS
    ) -> dict[str, Any]:
        with gateway_call(wait_seconds):
            try:
                answer = act()
            except requests.ConnectTimeout as error:
                raise GatewayUnreachableError("no connection to Webpay") from error
            except requests.ConnectionError as error:
                raise _connection_problem(error) from error
            except (requests.RequestException, json.JSONDecodeError) as error:
                raise GatewayUnknownError(type(error).__name__) from error
            except TransbankError as error:
                raise _refusal(error) from error
            except TypeError as error:  # a JSON body that is no object
                raise GatewayUnknownError("the body is no object") from error
        # An empty body comes back as the HTTP status, an int, whatever it was.
        if not isinstance(answer, dict):
            raise GatewayUnknownError("the body is no object")
        return answer


def _connection_problem(
    error: requests.ConnectionError,
) -> GatewayUnreachableError | GatewayUnknownError:
    """A connection that was never made differs from one that broke."""
    if any(sign in repr(error) for sign in ("NewConnection", "NameResolution")):
        return GatewayUnreachableError("no connection to Webpay")
    return GatewayUnknownError("the connection broke")


def _refusal(error: TransbankError) -> GatewayRefusedError | GatewayUnknownError:
    code = error.code if isinstance(error.code, int) else 0
    if code == 0 or code in _DEFINITE:
        return GatewayRefusedError(f"Webpay refused: HTTP {code}")
    return GatewayUnknownError(f"Webpay answered HTTP {code}")


def _evidence(body: dict[str, Any]) -> Evidence:
    """Read a commit or status body. Approved needs both fields (Transbank)."""
    amount, whole = whole_pesos(body.get("amount"))
    card = body.get("card_detail")
    last4 = str(card.get("card_number") or "")[-4:] if isinstance(card, dict) else ""
    balance, _ = whole_pesos(body.get("balance"))
    word = _word(body)
    refunded = 0
    if word == "refunded":
        refunded = amount or 0
    elif word == "partly_refunded" and amount is not None and balance is not None:
        refunded = amount - balance
    return Evidence(
        word=word,
        amount=amount,
        amount_is_whole=whole,
        reference=_text(body.get("session_id"), 61),
        buy_order=_text(body.get("buy_order"), 26),
        refunded_amount=refunded,
        detail=f"{_text(body.get('status'), 24)}:{_text(body.get('response_code'), 6)}",
        approved_at=_instant(body.get("transaction_date")),
        card_last4=last4,
        authorization_code=_text(body.get("authorization_code"), 6),
        payment_type=_text(body.get("payment_type_code"), 4),
        installments=whole_pesos(body.get("installments_number"))[0] or 0,
        installment_amount=whole_pesos(body.get("installments_amount"))[0],
    )


def _word(body: dict[str, Any]) -> str:
    """A status we do not know, or one that contradicts its code, decides nothing."""
    status, code = body.get("status"), body.get("response_code")
    number = isinstance(code, int) and not isinstance(code, bool)
    zero = number and code == 0
    if status == "AUTHORIZED" and zero:
        return "approved"
    if status == "AUTHORIZED" and number:
        return "rejected"
    word = _WORDS.get(status, "open") if isinstance(status, str) else "open"
    # ruby#67: a status with code 0 and no authorisation at all is no money.
    if word in ("refunded", "partly_refunded") and not body.get("authorization_code"):
        return "rejected"
    return word


def _text(value: object, limit: int) -> str:
    return "" if value is None else str(value)[:limit]


def _instant(value: object) -> datetime | None:
    """ISO-8601 with Z, as Webpay writes `transaction_date`."""
    try:
        instant = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
