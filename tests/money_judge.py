"""An independent judge of money: the portal's rows against the gateways' own ledger.

It reads both with plain SQL and JSON and shares no code with what it judges.
"""

import json
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

Ledger = dict[str, list[dict[str, Any]]]
_SETTLED = ("approved", "partly_refunded", "refunded", "charged_back")
_EVER_PAID = ("paid", "refunded", "charged_back")
_TABLES = ("orders", "payments", "attentions", "errands", "refunds")
# What the simulator's outcomes make differ from what was asked for.
_MISMATCHED = (
    "other_amount",
    "other_order",
    "other_session",
    "other_currency",
    "other_collector",
)


def rows(session: Session, sql: str) -> list[Any]:
    return list(session.execute(text(sql)).mappings())


def journal(session: Session) -> list[tuple[Any, ...]]:
    """Every line of history, in its order, each as a comparable value."""
    return [
        tuple(row.values())
        for row in rows(
            session,
            "SELECT id, at, actor_kind, actor_id, object_kind, object_id, order_id, "
            "action, from_state, to_state, reason, CAST(data AS TEXT) AS data "
            "FROM journal_entries ORDER BY id",
        )
    ]


def journal_problems(session: Session) -> list[str]:
    """Folding the history must give every state of every table."""
    problems = []
    now: dict[tuple[str, int], str] = {}
    for line in journal(session):
        kind, number, before, after = line[4], line[5], line[8], line[9]
        if after is None:
            continue
        known = now.get((kind, number))
        if before != known:
            problems.append(f"history of {kind} {number}: {before} is not {known}")
        now[kind, number] = after
    for table in _TABLES:
        kind = table.removesuffix("s")
        for row in rows(session, f"SELECT id, state FROM {table}"):  # noqa: S608
            folded = now.pop((kind, row["id"]), None)
            if folded != row["state"]:
                problems.append(f"{kind} {row['id']} is {row['state']}, not {folded}")
    kinds = {table.removesuffix("s") for table in _TABLES}
    problems += [f"history of no row: {key}" for key in now if key[0] in kinds]
    return problems


def personal_problems(session: Session, marks: tuple[str, ...]) -> list[str]:
    """No mark of a person is in any line of history."""
    found = " ".join(str(line) for line in journal(session))
    return [f"{mark!r} is in the history" for mark in marks if mark in found]


def mail_problems(session: Session) -> list[str]:
    """One confirmation for each order ever paid, one alert for each odd payment."""
    problems = []
    confirmed: dict[int, int] = {}
    alerts: set[tuple[int, str]] = set()
    for row in rows(session, "SELECT order_id, kind, key FROM outbox"):
        if row["kind"] == "order.confirmed":
            confirmed[row["order_id"]] = confirmed.get(row["order_id"], 0) + 1
        if row["kind"] == "alert.payment":
            alerts.add((row["order_id"], row["key"]))
    for row in rows(session, "SELECT id, state FROM orders"):
        wanted = 1 if row["state"] in _EVER_PAID else 0
        if confirmed.get(row["id"], 0) != wanted:
            problems.append(f"order {row['id']}: {confirmed.get(row['id'], 0)} mails")
    odd = rows(
        session,
        "SELECT id, order_id, disposition FROM payments WHERE disposition "
        "IN ('surplus', 'late', 'mismatch')",
    )
    for row in odd:
        if (row["order_id"], f"{row['disposition']}-{row['id']}") not in alerts:
            problems.append(f"payment {row['id']}: no alert")
    return problems


def _approvals(ledger: Ledger) -> dict[str, dict[str, Any]]:
    """What the gateways hold as money that was approved, by what names it here."""
    found = {}
    for entry in ledger["webpay"]:
        if entry["approved"]:
            found[entry["buy_order"]] = {
                "outcome": entry["outcome"],
                "amount": entry["charged"],
                "refunded": entry["refunded"],
                "status": entry["status"],
            }
    for entry in ledger["payments"]:
        if entry["date_approved"] is not None:
            found[str(entry["id"])] = {
                "outcome": None,
                "amount": entry["transaction_amount"],
                "refunded": entry["transaction_amount_refunded"],
                "status": entry["status"],
                "reference": entry["external_reference"],
            }
    return found


def ledger_problems(session: Session, ledger: Ledger) -> list[str]:
    """After a reconciliation both ledgers tell of the same money."""
    problems = []
    approvals = _approvals(ledger)
    here: dict[str, Any] = {}
    for row in rows(session, "SELECT * FROM payments"):
        if row["state"] in _SETTLED:
            name = row["buy_order"] if row["gateway"] == "webpay" else None
            here[str(name or row["gateway_payment_id"])] = row
    for name, entry in approvals.items():
        row = here.pop(name, None)
        if row is None:
            if not _is_reported(session, name, entry):
                problems.append(f"approved {name} is lost: {entry}")
            continue
        by_hand = _by_hand(session, row["id"])
        alerts = _alerts(session, row["id"])
        problems += _differences(name, entry, row, by_hand, alerts)
    # Authorised, not committed in time and given back by Webpay itself: the answer to a
    # commit asked too late does not tell it from a sale that was reversed.
    for entry in ledger["webpay"]:
        row = here.get(entry["buy_order"])
        if row and entry["status"] == "REVERSED" and row["state"] == "refunded":
            del here[entry["buy_order"]]
    problems += [f"money that no gateway has: {dict(row)}" for row in here.values()]
    problems += _order_problems(session)
    return problems


def _is_reported(session: Session, name: str, entry: dict[str, Any]) -> bool:
    """Money under a reference that was never ours goes to the owner by mail."""
    if entry.get("reference") != "otra-ref":
        return False
    told = rows(session, "SELECT key FROM outbox WHERE kind = 'alert.foreign_payment'")
    return name in {row["key"] for row in told}


def _differences(
    name: str, entry: dict[str, Any], row: Any, by_hand: int, alerts: set[str]
) -> list[str]:
    problems = []
    if row["disposition"] is None:
        problems.append(f"{name} has no disposition")
    if entry["outcome"] in _MISMATCHED and row["disposition"] != "mismatch":
        problems.append(f"{name} ({entry['outcome']}) is {row['disposition']}")
    amount = entry["amount"]
    if entry["refunded"] > amount:
        problems.append(f"{name} gave back {entry['refunded']} of {amount}")
    # What the owner gave by transfer, no gateway knows.
    back = entry["refunded"] + by_hand
    wanted = "approved"
    if entry["status"] == "charged_back":
        told = "alert.chargeback" in alerts
        wanted = "refunded" if by_hand >= amount and told else "charged_back"
    elif back:
        wanted = "refunded" if back >= amount else "partly_refunded"
    if row["state"] != wanted:
        problems.append(f"{name} is {row['state']}; should be: {wanted} {back}")
    said = row["refunded_amount"]
    if row["state"] != "charged_back" and said != min(back, amount):
        problems.append(f"{name} says {said} back, not {back}")
    if back > amount and "alert.given_twice" not in alerts:
        problems.append(f"{name} went back twice and nobody was told")
    return problems


def _by_hand(session: Session, payment_id: int) -> int:
    """Pesos of the payment that the owner gave back by transfer."""
    found = rows(session, "SELECT payment_id, state, amount FROM refunds")
    return sum(
        row["amount"]
        for row in found
        if (row["payment_id"], row["state"]) == (payment_id, "paid_by_hand")
    )


def _alerts(session: Session, payment_id: int) -> set[str]:
    """Kinds of the mails that told the owner of this very payment."""
    found = rows(session, "SELECT kind, key FROM outbox")
    return {row["kind"] for row in found if row["key"] == str(payment_id)}


def _order_problems(session: Session) -> list[str]:
    """Good money on an order that nothing paid must be late."""
    return [
        f"order {row['order_id']} is {row['state']} with {row['disposition']} money"
        for row in rows(
            session,
            "SELECT p.order_id, p.disposition, o.state FROM payments p "
            "JOIN orders o ON o.id = p.order_id WHERE p.disposition = 'surplus' "
            "AND o.state NOT IN ('paid', 'refunded', 'charged_back')",
        )
    ]


def refund_problems(session: Session, ledger: Ledger) -> list[str]:
    """Each peso given back once: what the gateways count, and what was asked for."""
    if not _has_refunds(session):
        return []
    problems = []
    confirmed: dict[int, int] = {}
    for row in rows(session, "SELECT payment_id, state, amount FROM refunds"):
        if row["state"] in ("confirmed", "paid_by_hand"):
            paid = row["payment_id"]
            confirmed[paid] = confirmed.get(paid, 0) + row["amount"]
    for row in rows(session, "SELECT id, amount, refunded_amount, state FROM payments"):
        if row["state"] == "charged_back":
            continue
        if confirmed.get(row["id"], 0) != row["refunded_amount"]:
            problems.append(
                f"payment {row['id']}: {row['refunded_amount']} back, refunds of "
                f"{confirmed.get(row['id'], 0)}"
            )
    return problems


def _has_refunds(session: Session) -> bool:
    bind = session.get_bind()
    return bind.dialect.has_table(session.connection(), "refunds")


def dump(ledger: Ledger) -> str:
    """The ledger for a failure's message."""
    return json.dumps(
        {
            "webpay": [
                {k: e[k] for k in ("buy_order", "stage", "outcome", "status")}
                for e in ledger["webpay"]
            ],
            "payments": [
                {k: e[k] for k in ("id", "status", "transaction_amount_refunded")}
                for e in ledger["payments"]
            ],
        }
    )
