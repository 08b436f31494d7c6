"""Webpay Plus's REST API: create, commit, status, refund."""

import functools
import hmac
import secrets
from datetime import datetime

from flask import Blueprint, Response, request

from portal import clock
from portal.simulator import webpay_rules as rules
from portal.simulator.gateway import (
    View,
    body_as_object,
    counted,
    current,
    faulty,
    operation,
    reply,
)
from portal.simulator.store import Json, Transaction

KIND = "webpay"
_BASE = "/webpay/rswebpaytransaction/api/webpay/v1.2/transactions"

blueprint = Blueprint("webpay", __name__)


def refuse(text: str, status: int = 422) -> Response:
    """An error as Webpay writes it."""
    return reply({"error_message": text}, status)


@blueprint.before_request
def authenticate() -> Response | None:
    """Both headers must be the commerce's own."""
    settings = current().settings
    code = request.headers.get("Tbk-Api-Key-Id", "")
    key = request.headers.get("Tbk-Api-Key-Secret", "")
    known = hmac.compare_digest(code.encode(), settings.webpay_commerce_code.encode())
    known &= hmac.compare_digest(key.encode(), settings.webpay_api_key.encode())
    return None if known else refuse("Not Authorized", 401)


def _new_record(body: Json, now: datetime) -> Json:
    return {
        "token": secrets.token_hex(32),
        "buy_order": body["buy_order"],
        "session_id": body["session_id"],
        "amount": rules.parse_amount(body["amount"]),
        "return_url": body["return_url"],
        "created_at": now.isoformat(),
        "stage": "created",
        "outcome": None,
        "decided_at": None,
        "committed_at": None,
        "status": "INITIALIZED",
        "authorization_code": None,
        "refunds": [],
    }


@blueprint.post(f"{_BASE}/")
@blueprint.post(_BASE)
@operation("webpay_create")
def create() -> Response:
    body = body_as_object()
    if body is None:
        return refuse("Invalid request body", 400)
    problem = rules.creation_problem(body)
    if problem:
        return refuse(problem)
    now = clock.utcnow()
    record = _new_record(body, now)
    with current().store.writing() as transaction:
        if transaction.find(KIND, parent=record["buy_order"]):
            return refuse("Transaction already exists")
        transaction.add(KIND, record["token"], record, now, parent=record["buy_order"])
    form = f"{request.url_root}webpay/webpayserver/initTransaction"
    return reply({"token": record["token"], "url": form})


def one_at_a_time(view: View) -> View:
    """Refuse a commit while another one of the same token is being served."""

    @functools.wraps(view)
    def call(token: str) -> Response:
        plan = current().faults
        if not plan.enter(token):
            return refuse(rules.LOCKED)
        try:
            return view(token=token)
        finally:
            plan.leave(token)

    return call


def _apply_commit(record: Json, now: datetime) -> None:
    answer = rules.BANK[record["outcome"]]
    record["stage"] = "committed"
    record["committed_at"] = now.isoformat()
    record["status"] = "AUTHORIZED" if answer.approves else "FAILED"


@blueprint.put(f"{_BASE}/<token>")
@counted("webpay_commit")
@one_at_a_time
@faulty("webpay_commit")
def commit(token: str) -> Response:
    now = clock.utcnow()
    with current().store.writing() as transaction:
        record = transaction.get(KIND, token)
        if record is None:
            return refuse(rules.NOT_FOUND)
        problem = rules.commit_refusal(record, now)
        if problem:
            return refuse(problem)
        _apply_commit(record, now)
        transaction.save(KIND, token, record)
    return reply(rules.transaction_view(record, now))


@blueprint.get(f"{_BASE}/<token>")
@operation("webpay_status")
def status(token: str) -> Response:
    now = clock.utcnow()
    with current().store.reading() as transaction:
        record = transaction.get(KIND, token)
    if record is None:
        return refuse(rules.NOT_FOUND)
    if now - rules.instant(record["created_at"]) > rules.STATUS_LIFE:
        return refuse(rules.TOO_OLD)
    return reply(rules.transaction_view(record, now))


def _refund(record: Json, amount: int, now: datetime) -> Json:
    """Put the refund on the record and answer as Webpay does."""
    kind = rules.refund_type(record, amount, now)
    refund = {"type": kind, "amount": amount, "at": now.isoformat()}
    record["refunds"].append(refund)
    record["status"] = rules.status_after_refund(record, kind)
    if kind == "REVERSED":
        return {"type": kind}
    return {
        "type": kind,
        "authorization_code": f"{secrets.randbelow(1_000_000):06d}",
        "authorization_date": rules.utc_text(now),
        "nullified_amount": float(amount),
        "balance": float(rules.charged(record) - rules.refunded(record)),
        "response_code": 0,
    }


def _refund_in(transaction: Transaction, token: str, body: Json) -> Response:
    now = clock.utcnow()
    record = transaction.get(KIND, token)
    if record is None:
        return refuse(rules.NOT_FOUND)
    amount = rules.parse_amount(body.get("amount"))
    problem = rules.refund_refusal(record, amount, now)
    if problem or amount is None:
        return refuse(problem or "Invalid value for parameter: amount")
    answer = _refund(record, amount, now)
    transaction.save(KIND, token, record)
    return reply(answer)


@blueprint.post(f"{_BASE}/<token>/refunds")
@operation("webpay_refund")
def refund(token: str) -> Response:
    body = body_as_object()
    if body is None:
        return refuse("Invalid request body", 400)
    with current().store.writing() as transaction:
        return _refund_in(transaction, token, body)
