"""Reading the terms."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session, defer

from portal.catalog.queries import list_services
from portal.chile import format_phone, format_rut
from portal.hours.queries import load_calendar
from portal.hours.rules import weekly_text
from portal.settings.queries import load as load_business
from portal.terms.models import (
    ProofLink,
    TermsAcceptance,
    TermsVersion,
    TermsWording,
)
from portal.terms.rules import PriceLine, TermsFacts, render_terms
from portal.terms.wording_rules import fill, house_wording

DRAFT, IN_FORCE = "draft", "in_force"


def current(session: Session) -> TermsVersion | None:
    """The version in force, or None before the first."""
    return session.scalar(
        select(TermsVersion).order_by(TermsVersion.number.desc()).limit(1)
    )


def current_number(session: Session) -> int:
    """The number of the version in force; 0 before the first."""
    return session.scalar(select(func.max(TermsVersion.number))) or 0


def find_version(session: Session, number: int) -> TermsVersion | None:
    """The version with this number, or None."""
    return session.scalar(select(TermsVersion).where(TermsVersion.number == number))


def list_versions(session: Session) -> list[TermsVersion]:
    """Every version, newest first; a text is read only when it is asked for."""
    query = select(TermsVersion).order_by(TermsVersion.number.desc())
    return list(session.scalars(query.options(defer(TermsVersion.body))))


def find_acceptance(session: Session, order_id: int) -> TermsAcceptance | None:
    """The proof of acceptance of an order, or None."""
    return session.scalar(
        select(TermsAcceptance).where(TermsAcceptance.order_id == order_id)
    )


def proof_links(session: Session, order_id: int) -> list[ProofLink]:
    """The links of an order in the chain of proofs, oldest first."""
    query = select(ProofLink).where(ProofLink.order_id == order_id)
    return list(session.scalars(query.order_by(ProofLink.id)))


def _line(text: str) -> str:
    """The text in one line: a line feed would break the paragraphs."""
    return " ".join(text.split())


def load_facts(session: Session) -> TermsFacts:
    """What the text quotes, as the owner has it now."""
    business = load_business(session)
    prices = tuple(
        PriceLine(
            name=_line(service.name),
            price_normal=service.price_normal,
            price_special=service.price_special,
        )
        for service in list_services(session)
    )
    return TermsFacts(
        business_name=_line(business.business_name),
        product_name=_line(business.product_name),
        business_rut=format_rut(business.business_rut),
        business_address=_line(business.business_address),
        legal_representative=_line(business.legal_representative),
        business_email=_line(business.business_email),
        public_phone=format_phone(business.public_phone),
        prices=prices,
        weekly=tuple(weekly_text(load_calendar(session))),
        promise_minutes=business.promise_minutes,
        no_answer_minutes=business.no_answer_minutes,
        last_sale_minutes=business.last_sale_minutes,
        order_life_minutes=business.order_life_minutes,
        pause_limit_minutes=business.pause_limit_minutes,
        warranty_days=business.warranty_days,
        voucher_is_boleta=business.voucher_is_boleta,
    )


def preview(session: Session) -> str:
    """The text as it would be published now, in the wording in force."""
    wording = session.get(TermsWording, IN_FORCE)
    facts = load_facts(session)
    return fill(wording.body, facts) if wording else render_terms(facts)


def draft(session: Session) -> TermsWording | None:
    """The wording that the owner is working on, or None."""
    return session.get(TermsWording, DRAFT)


def wording_in_force(session: Session) -> str:
    """The owner's wording, or the program's own."""
    wording = session.get(TermsWording, IN_FORCE)
    return wording.body if wording else house_wording()


def draft_preview(session: Session) -> str:
    """The text as the draft would publish it; that in force without a draft."""
    wording = draft(session)
    return fill(wording.body, load_facts(session)) if wording else preview(session)
