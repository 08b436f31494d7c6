"""Drives the gateway simulator from tests, by its JSON control API."""

from dataclasses import dataclass, field
from typing import Any

import requests

TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class BrowserReturn:
    """Where the payer's browser is sent; method NONE: it never comes back."""

    method: str
    url: str = ""
    params: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class MpOutcome:
    """The payments that the payer's choice made, and where the browser goes."""

    payment_ids: tuple[int, ...]
    browser: BrowserReturn


class SimulatorClient:
    """One simulator at `base_url`. A refused control call raises HTTPError."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")

    def _post(self, path: str, **body: Any) -> Any:
        url = f"{self.base_url}/control/{path}"
        with requests.Session() as session:
            session.trust_env = False
            answer = session.post(url, json=body, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.json()

    def _get(self, path: str) -> Any:
        url = f"{self.base_url}/control/{path}"
        with requests.Session() as session:
            session.trust_env = False
            answer = session.get(url, timeout=TIMEOUT_SECONDS)
        answer.raise_for_status()
        return answer.json()

    def reset(self, notify: str = "never") -> None:
        """Forget everything; `notify` is then the default way of notifying."""
        self._post("reset", notify=notify)

    def fail(
        self, operation: str, kind: str, times: int = 1, delay: float = 0.0
    ) -> None:
        """Let the next `times` calls of the operation go wrong."""
        self._post("fail", operation=operation, kind=kind, times=times, delay=delay)

    def release(self) -> None:
        """Let the calls held by a `hold` fault go on."""
        self._post("release")

    def wait_until_held(self) -> None:
        """Wait until a call hangs in a `hold` fault."""
        self._post("wait-until-held")

    def clear_faults(self) -> None:
        self._post("clear-faults")

    def notify_mode(self, notify: str) -> None:
        """before, after, never, ten or bad_signature: the default from now on."""
        self._post("notify-mode", notify=notify)

    def webpay_outcome(self, token: str, code: str, method: str = "") -> BrowserReturn:
        """The payer picks `code` on Webpay's form."""
        answer = self._post("webpay/outcome", token=token, code=code, method=method)
        return BrowserReturn(**answer)

    def mp_outcome(
        self, preference_id: str, code: str, notify: str = "never"
    ) -> MpOutcome:
        """The payer picks `code` on Mercado Pago's page."""
        answer = self._post(
            "mp/pay", preference_id=preference_id, code=code, notify=notify
        )
        ids = tuple(answer["payment_ids"])
        return MpOutcome(ids, BrowserReturn(**answer["browser"]))

    def mp_pay(self, preference_id: str, code: str, notify: str = "never") -> int:
        """The same; the id of the (last) payment it made."""
        return self.mp_outcome(preference_id, code, notify).payment_ids[-1]

    def mp_act(
        self,
        payment_id: int,
        act: str,
        amount: int | None = None,
        notify: str = "never",
    ) -> dict[str, Any]:
        """approve, reject, cancel, refund, mediation, chargeback, chargeback_won."""
        answer: dict[str, Any] = self._post(
            "mp/act", payment_id=payment_id, act=act, amount=amount, notify=notify
        )
        return answer

    def notify(
        self, payment_id: int, signature: str = "good", times: int = 1
    ) -> list[int]:
        """Send notifications at once, now; the statuses answered (0: no answer)."""
        answer = self._post(
            "mp/notify", payment_id=payment_id, signature=signature, times=times
        )
        statuses: list[int] = answer["statuses"]
        return statuses

    def ledger(self) -> dict[str, list[dict[str, Any]]]:
        """webpay, preferences, payments, notifications: the oldest first."""
        answer: dict[str, list[dict[str, Any]]] = self._get("ledger")
        return answer

    def call_log(self) -> list[dict[str, Any]]:
        """Every call: operation, key, at, headers."""
        answer: list[dict[str, Any]] = self._get("calls")
        return answer

    def calls(self, operation: str, token: str | int | None = None) -> int:
        """How often the operation was called, in all or for one token or id."""
        return sum(
            call["operation"] == operation
            and (token is None or call["key"] == str(token))
            for call in self.call_log()
        )
