"""Publishing the terms, accepting them, and changing the numbers that they quote.

A number that the text quotes is written here and nowhere else: the value and the next
version are one transaction, so that text and behaviour cannot drift apart. A published
version is never changed, neither here nor, by a trigger, in the database.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.catalog import service as catalog_service
from portal.db import transaction
from portal.errors import RefusedError, StaleStateError
from portal.hours import service as hours_service
from portal.hours.rules import Windows
from portal.journal.service import CUSTOMER, SYSTEM, Actor, record
from portal.settings import service as settings_service
from portal.terms import proof_service, queries
from portal.terms.models import TermsAcceptance, TermsVersion
from portal.terms.proof_rules import ACCEPTED, instant
from portal.terms.rules import (
    CHECKOUT_TEMPLATE,
    DOCUMENT,
    LOCALE,
    checkbox_text,
    text_hash,
)

_AGENT_LENGTH = 300
_RULE_LENGTH = 120


def lock(session: Session) -> None:
    """Let one publisher pass at a time (PostgreSQL; SQLite has one writer anyway)."""
    session.execute(
        select(TermsVersion.id).where(TermsVersion.number == 1).with_for_update()
    )


def publish_in(session: Session, *, actor: Actor, now: datetime) -> TermsVersion:
    """Publish the next version in the caller's transaction if the text differs.

    Returns the version in force, new or not.
    """
    lock(session)
    body = queries.preview(session)
    sha256 = text_hash(body)
    before = queries.current(session)
    if before is not None and before.sha256 == sha256:
        return before
    number = before.number + 1 if before else 1
    version = TermsVersion(number=number, body=body, sha256=sha256, published_at=now)
    session.add(version)
    session.flush()
    record(
        session,
        at=now,
        actor=actor,
        action="terms.published",
        object_kind="terms_version",
        object_id=version.id,
        to_state="published",
        data={"number": number, "sha256": sha256},
    )
    settings_service.bump_revision(session, now)
    return version


def publish(*, actor: Actor, now: datetime, seen: str | None = None) -> int:
    """Publish the next version if the text differs; the number in force.

    `seen` is the SHA-256 of the preview. Raises StaleStateError when the text to be
    published is another by now.
    """
    with transaction() as session:
        lock(session)
        if seen is not None and seen != text_hash(queries.preview(session)):
            raise StaleStateError("El texto cambió mientras usted lo leía.")
        return publish_in(session, actor=actor, now=now).number


def ensure_first_version(session: Session, now: datetime) -> TermsVersion:
    """Version 1 if there is none, in the caller's transaction; the one in force."""
    return queries.current(session) or publish_in(session, actor=SYSTEM, now=now)


def set_up(now: datetime) -> int:
    """Services, topics and version 1 where they are missing; the version in force."""
    with transaction() as session:
        catalog_service.ensure_defaults(session, now)
        return ensure_first_version(session, now).number


def accept(
    session: Session,
    *,
    order_id: int,
    version_number: int,
    now: datetime,
    address: str,
    user_agent: str,
    price_shown: int,
    regime_kind: str,
    regime_rule: str,
    template_version: str = CHECKOUT_TEMPLATE,
    session_sha256: str = "",
    shown: Mapping[str, Any] | None = None,
) -> TermsAcceptance:
    """Keep the proof that the buyer ticked the box under this version, and chain it.

    `price_shown` in pesos; `shown` is what else stood on the page, for the chain alone.
    Raises RefusedError when the version is not the one in force (the buyer must read
    the new text). The caller has checked that the box was ticked.
    """
    version = queries.current(session)
    if version is None or version.number != version_number:
        raise RefusedError(
            "Los términos cambiaron mientras usted compraba. Léalos otra vez y, si "
            "está de acuerdo, vuelva a marcar la casilla."
        )
    acceptance = TermsAcceptance(
        order_id=order_id,
        document=DOCUMENT,
        version=version.number,
        sha256=version.sha256,
        accepted_at=now,
        checkbox_text=checkbox_text(version.number),
        checked=True,
        address=address,
        user_agent=user_agent.replace("\0", "")[:_AGENT_LENGTH],
        price_shown=price_shown,
        regime_kind=regime_kind,
        regime_rule=regime_rule[:_RULE_LENGTH],
        locale=LOCALE,
        template_version=template_version,
    )
    session.add(acceptance)
    session.flush()
    record(
        session,
        at=now,
        actor=CUSTOMER,
        action="terms.accepted",
        object_kind="terms_acceptance",
        object_id=acceptance.id,
        order_id=order_id,
        to_state="accepted",
        data={"number": version.number, "sha256": version.sha256},
    )
    values = _proof_values(acceptance, version, session_sha256, shown or {})
    proof_service.append(session, order_id=order_id, kind=ACCEPTED, values=values)
    return acceptance


def _proof_values(
    acceptance: TermsAcceptance,
    version: TermsVersion,
    session_sha256: str,
    shown: Mapping[str, Any],
) -> dict[str, Any]:
    """What the first link of an order says; its names are read by `flask verify`."""
    return {
        "que": "aceptación de los términos",
        "pedido": 1000 + acceptance.order_id,
        "documento": "Términos del servicio, con el retracto (sección 11)",
        "version": version.number,
        "vigente_desde": instant(version.published_at),
        "texto_sha256": version.sha256,
        "texto_en": f"/terminos/{version.number}?formato=texto",
        "aceptado_en": instant(acceptance.accepted_at),
        "casillas": {acceptance.checkbox_text: "marcada por el cliente"},
        "direccion_ip": acceptance.address,
        "navegador": acceptance.user_agent,
        "sesion_sha256": session_sha256,
        "precio_mostrado": acceptance.price_shown,
        "tarifa": acceptance.regime_kind,
        "regla_de_la_tarifa": acceptance.regime_rule,
        "mostrado": dict(shown),
        "idioma": acceptance.locale,
        "plantilla_de_la_pagina": acceptance.template_version,
    }


def change_settings(
    values: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    version: int | None = None,
) -> int:
    """Set several of the owner's values and publish; the version in force.

    Raises ValueError for a name that is no setting, and StaleStateError when they were
    changed since `version` was read (`settings.queries.version_of`).
    """
    with transaction() as session:
        lock(session)
        settings_service.write_all(
            session, values, actor=actor, now=now, version=version
        )
        return publish_in(session, actor=actor, now=now).number


def change_setting(name: str, value: Any, *, actor: Actor, now: datetime) -> int:
    """Set one of the owner's values and publish; the version in force."""
    return change_settings({name: value}, actor=actor, now=now)


def change_price(
    slug: str,
    price_normal: int,
    price_special: int | None = None,
    *,
    actor: Actor,
    now: datetime,
    seen: str | None = None,
) -> int:
    """Set a service's prices (pesos with IVA) and publish; the version in force.

    Raises what `catalog.service.set_prices` raises.
    """
    with transaction() as session:
        lock(session)
        catalog_service.set_prices(
            session, slug, price_normal, price_special, actor=actor, now=now, seen=seen
        )
        return publish_in(session, actor=actor, now=now).number


def replace_weekly(
    weekly: Mapping[int, Windows],
    *,
    actor: Actor,
    now: datetime,
    seen: str | None = None,
) -> int:
    """Set the week's windows (0 is Monday) and publish; the version in force.

    `seen` is the `hours.rules.week_mark` of the week shown. Raises RefusedError
    when a window is wrong, StaleStateError when the week was changed since.
    """
    with transaction() as session:
        lock(session)
        hours_service.require_week(session, seen)
        hours_service.replace_weekly(session, weekly, actor=actor, now=now)
        return publish_in(session, actor=actor, now=now).number
