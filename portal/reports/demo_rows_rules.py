"""The rows that a story leaves in the tables, as the services write them. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from portal.orders.rules import derive, fingerprint, link_token
from portal.payments.rules import reference_of
from portal.payments.states import MANUAL, WEBPAY
from portal.reports.demo_facts_rules import (
    PROMISE,
    end_of_money,
    evidence,
    gateway_number,
    road_of,
    tax,
    worked,
)
from portal.reports.demo_rules import Story

Rows = dict[str, list[dict[str, Any]]]


@dataclass
class Numbers:
    """The next free id of each table."""

    next: dict[str, int] = field(default_factory=dict)

    def take(self, table: str) -> int:
        number = self.next.get(table, 1)
        self.next[table] = number + 1
        return number


@dataclass(frozen=True)
class Scribe:
    """Writes stories down. `history`: also the journal and the mails that were sent."""

    numbers: Numbers
    staff: tuple[int, ...]
    key: str
    terms: int
    history: bool = True

    def write(self, story: Story) -> Rows:
        """The rows of one story, by table, in an order that keeps foreign keys."""
        rows: Rows = {}
        order = self._order(rows, story)
        payment = self._payment(rows, story, order, "applied", story.at)
        if story.surplus:
            at = story.at + timedelta(minutes=3)
            extra = self._payment(rows, story, order, "surplus", at)
            self._mail(rows, "alert.payment", order, at, f"surplus-{extra}")
        if story.is_attention:
            self._attention(rows, story, order)
        else:
            self._errand(rows, story, order)
        if story.refunded_at:
            self._refund(rows, story, order, payment, story.refunded_at)
        if self.history:
            self._mail(rows, "order.confirmed", order, story.at)
        return rows

    def _add(self, rows: Rows, table: str, **values: Any) -> int:
        number = self.numbers.take(table)
        rows.setdefault(table, []).append({"id": number, **values})
        return number

    def _seed(self, story: Story, what: str) -> str:
        count = self.numbers.next.get("orders", 1)
        return derive(self.key, f"demo-{what}", f"{story.at}-{count}")[:16].hex()

    def _line(
        self, rows: Rows, kind: str, number: int, order: int, road: Any, by: int = 0
    ) -> None:
        """The history of one object: (state, instant) from its creation on."""
        before = None
        for state, at in road:
            if self.history or state == "charged_back":
                self._add(
                    rows,
                    "journal_entries",
                    at=at,
                    actor_kind="staff" if by else "gateway",
                    actor_id=by or None,
                    object_kind=kind,
                    object_id=number,
                    order_id=order,
                    action=f"{kind}.{state}",
                    from_state=before,
                    to_state=state,
                    reason=None,
                    data={},
                )
            before = state

    def _mail(
        self, rows: Rows, kind: str, order: int, at: datetime, key: str = ""
    ) -> None:
        self._add(
            rows,
            "outbox",
            order_id=order,
            kind=kind,
            key=key,
            state="sent",
            created_at=at,
            next_at=at,
            tries=1,
            sent_at=at,
        )

    def _order(self, rows: Rows, story: Story) -> int:
        shop = story.shop
        contact = self._add(
            rows,
            "contacts",
            name=shop.name,
            email=shop.email,
            phone=shop.phone,
            rut=shop.rut,
            blocked=False,
            pseudonymised_at=None,
        )
        seed, end = self._seed(story, "order"), end_of_money(story)
        number = self._add(
            rows,
            "orders",
            state=end[0] if end else "paid",
            version=3 if end else 2,
            contact_id=contact,
            service_slug=story.slug,
            service_name=story.service,
            price=story.pesos,
            regime_kind=story.regime,
            regime_decision={"rule": "weekly", "at": story.placed_at.isoformat()},
            topic_slug=story.topic[0],
            topic_title=story.topic[1],
            problem=story.topic[2],
            windows_bits="32",
            document=story.document,
            terms_version=self.terms,
            form_key=fingerprint(f"form:{seed}"),
            link_seed=seed,
            link_hash=fingerprint(link_token(self.key, seed)),
            created_at=story.placed_at,
            expires_at=story.placed_at + timedelta(minutes=30),
            paid_at=story.at,
            **tax(story),
        )
        road = [("awaiting_payment", story.placed_at), ("paid", story.at)]
        self._line(rows, "order", number, number, [*road, *([end] if end else [])])
        return number

    def _payment(
        self, rows: Rows, story: Story, order: int, disposition: str, at: datetime
    ) -> int:
        applied = disposition == "applied"
        seed, end = self._seed(story, disposition), end_of_money(story)
        road = [("created", at - timedelta(seconds=50)), ("approved", at)]
        if story.gateway != MANUAL:
            road.insert(1, ("redirected", at - timedelta(seconds=48)))
        if story.gateway == WEBPAY:
            road.insert(2, ("committing", at - timedelta(seconds=2)))
        road += [end] if end and applied else []
        refunded = end and applied and end[0] == "refunded"
        buy_order = f"ITP{seed[:16].upper()}"
        number = self._add(
            rows,
            "payments",
            order_id=order,
            gateway=story.gateway,
            state=road[-1][0],
            version=len(road),
            disposition=disposition,
            amount=story.pesos,
            refunded_amount=story.pesos if refunded else 0,
            buy_order=buy_order,
            seed=seed,
            reference_hash=fingerprint(reference_of(self.key, seed)),
            gateway_payment_id=gateway_number(story, seed, buy_order),
            detail="accredited",
            rejected_ids=[],
            evidence=evidence(story, seed, at),
            created_at=road[0][1],
            redirected_at=road[0][1],
            approved_at=at,
            checks=1,
            last_checked_at=road[-1][1],
        )
        self._line(rows, "payment", number, order, road)
        return number

    def _attention(self, rows: Rows, story: Story, order: int) -> None:
        cancelled = story.refunded_at is not None
        who, values = self.staff[story.technician], worked(story)
        if cancelled:
            values = {"state": "cancelled", "changed_at": story.refunded_at}
        number = self._add(
            rows,
            "attentions",
            order_id=order,
            version=4,
            regime_kind=story.regime,
            queued_at=story.at,
            promise_at=story.at + PROMISE if story.regime == "normal" else None,
            calls=0,
            **{
                **dict.fromkeys(("taken_at", "contacted_at", "started_at", "ends_at")),
                **dict.fromkeys(("closed_at", "outcome", "promise_missed_at")),
                "technician_id": None if cancelled else who,
                "paused_seconds": 0,
                **values,
            },
        )
        road = list(road_of(story))
        self._line(rows, "attention", number, order, road, by=who)
        if not cancelled:
            self._work(rows, story, order, number, who)

    def _work(
        self, rows: Rows, story: Story, order: int, attention: int, who: int
    ) -> None:
        """What an attention that was held leaves: words, pause, rating."""
        if self.history:
            self._add(
                rows,
                "attention_entries",
                attention_id=attention,
                kind="hecho",
                text="Se corrigió la configuración y se probó una boleta.",
                at=story.closed_at,
                technician_id=who,
            )
            self._mail(rows, "attention.summary", order, story.closed_at)
        if story.paused:
            self._add(
                rows,
                "attention_pauses",
                attention_id=attention,
                reason="El cliente lo pidió",
                from_at=story.started_at + timedelta(seconds=60),
                until_at=story.started_at + timedelta(seconds=60 + story.paused),
                technician_id=who,
            )
        if story.stars:
            self._add(
                rows,
                "ratings",
                attention_id=attention,
                stars=story.stars,
                comment=None,
                at=story.closed_at + timedelta(minutes=9),
            )

    def _errand(self, rows: Rows, story: Story, order: int) -> None:
        at, who = story.contacted_at, self.staff[story.technician]
        road = [("open", story.at), ("done", at)]
        if story.refunded_at:
            road[1] = ("cancelled", story.refunded_at)
        number = self._add(
            rows,
            "errands",
            order_id=order,
            state=road[1][0],
            version=2,
            opened_at=story.at,
            changed_at=road[1][1],
            scheduled_for=None,
            technician_id=None if story.refunded_at else who,
            done_at=None if story.refunded_at else at,
        )
        self._line(rows, "errand", number, order, road, by=who)

    def _refund(
        self, rows: Rows, story: Story, order: int, payment: int, at: datetime
    ) -> None:
        asked = at - timedelta(seconds=20)
        number = self._add(
            rows,
            "refunds",
            payment_id=payment,
            order_id=order,
            state="confirmed",
            version=3,
            source="customer",
            amount=story.pesos,
            reason="",
            idempotency_key=self._seed(story, "refund"),
            requested_at=asked,
            next_try_at=None,
            tries=1,
            answered_at=at,
        )
        road = [("requested", asked), ("sent", asked), ("confirmed", at)]
        self._line(rows, "refund", number, order, road)
        if self.history:
            self._mail(rows, "refund.confirmed", order, at, str(number))
