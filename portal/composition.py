"""The composition root: what the application is made of, and no rules."""

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Flask

from portal import assets, cli, clock, migrate_command, web
from portal.accounts import access_views
from portal.accounts import mails as accounts_mails
from portal.accounts import views as accounts_views
from portal.admin import (
    canned_views,
    catalog_views,
    check_views,
    hours_views,
    proof_views,
    publishing_views,
    search_views,
    settings_views,
    staff_views,
    wording_views,
)
from portal.admin import money_views as admin_money_views
from portal.admin import views as admin_views
from portal.audit import mails as audit_mails
from portal.backups import mails as backups_mails
from portal.board import errand_views, history_views, screens_views
from portal.board import version_queries as board_version_queries
from portal.board import views as board_views
from portal.buffer import MAX_BODY_BYTES
from portal.config import Settings, settings_from_environment
from portal.contact import (
    acts_views,
    data_views,
    receipt_views,
    remote_views,
    version_queries,
)
from portal.contact import views as contact_views
from portal.db import db, engine_options, prepare_engine
from portal.hours import views as demo_views
from portal.mail import views as mail_views
from portal.mail.mails import Renderers
from portal.orders import mails as orders_mails
from portal.orders import models as _orders  # noqa: F401 (the terms refer to it)
from portal.orders import views as orders_views
from portal.payments import mails as payments_mails
from portal.payments import views as payments_views
from portal.payments.gateways import build_gateways
from portal.privacy import breaches_views as privacy_breaches_views
from portal.privacy import mails as privacy_mails
from portal.privacy import owner_views as privacy_owner_views
from portal.privacy import papers_views
from portal.privacy import queries as privacy_queries
from portal.privacy import views as privacy_views
from portal.reports import match_views
from portal.reports import views as reports_views
from portal.storefront import gallery_views
from portal.storefront import views as storefront_views
from portal.support import mails as support_mails
from portal.support import turn_queries
from portal.terms import views as terms_views
from portal.worker import mails as worker_mails
from portal.worker import metrics_views
from portal.worker import queries as worker_queries
from portal.worker import views as worker_views

_PAGES = (
    accounts_views,
    board_views,
    errand_views,
    screens_views,
    history_views,
    terms_views,
    storefront_views,
    contact_views,
    acts_views,
    data_views,
    receipt_views,
    remote_views,
    payments_views,
    gallery_views,
    demo_views,
    mail_views,
    orders_views,
    privacy_views,
    privacy_owner_views,
    privacy_breaches_views,
    papers_views,
    worker_views,
    metrics_views,
    reports_views,
    match_views,
    admin_views,
    admin_money_views,
    catalog_views,
    canned_views,
    hours_views,
    proof_views,
    publishing_views,
    wording_views,
    search_views,
    settings_views,
    staff_views,
    check_views,
)


def compose(settings: Settings | None) -> Flask:
    """Build the application. Raises ConfigurationError with every problem at once."""
    settings = settings or settings_from_environment()
    clock.configure(settings.clock_file, settings.portal_now)
    app = web.Portal("portal", static_folder=None)
    app.extensions["portal_settings"] = settings
    app.extensions["portal_gateways"] = build_gateways(settings)
    app.config.update(_flask_config(settings))
    db.init_app(app)
    with app.app_context():
        prepare_engine(db.engine)
    migrate_command.init_app(app)
    assets.init_app(app)
    web.init_app(app)
    access_views.init_app(app)
    demo_views.init_app(app)
    cli.register(app, compose)
    for pages in _PAGES:
        app.register_blueprint(pages.bp)
    app.extensions["mail_renderers"] = _mail_renderers()
    app.extensions["portal_rests"] = (
        version_queries.rows_of_many,
        board_version_queries.versions_of_many,
        turn_queries.turns_of_many,
    )
    app.extensions["portal_pulse"] = worker_queries.take_pulse
    app.extensions["portal_requests"] = privacy_queries.count_due
    return app


def _mail_renderers() -> Renderers:
    """Which feature turns which kind of outbox row into a mail."""
    return {
        **accounts_mails.RENDERERS,
        **orders_mails.RENDERERS,
        **support_mails.RENDERERS,
        **payments_mails.RENDERERS,
        **audit_mails.RENDERERS,
        **backups_mails.RENDERERS,
        **worker_mails.RENDERERS,
        **privacy_mails.RENDERERS,
    }


def _trusted_hosts(settings: Settings) -> list[str]:
    """The names by which the portal may be asked; any other one gets 400.

    Besides the public one, those of this machine: a monitor asks `/salud` by them.
    """
    public = urlsplit(settings.public_url).hostname or "localhost"
    return list(dict.fromkeys((public, "localhost", "127.0.0.1")))


def _flask_config(settings: Settings) -> dict[str, object]:
    secure = settings.public_url.startswith("https://")
    return {
        "SECRET_KEY": settings.secret_keys[0],
        "TRUSTED_HOSTS": _trusted_hosts(settings),
        "SECRET_KEY_FALLBACKS": list(settings.secret_keys[1:]),
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": engine_options(settings.database_url),
        "SESSION_COOKIE_NAME": "__Host-portal" if secure else "portal",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(hours=12),
        # The token lives as long as the session: a stressed customer may take an hour.
        "WTF_CSRF_TIME_LIMIT": None,
        "WTF_CSRF_SSL_STRICT": False,
        "MAX_CONTENT_LENGTH": MAX_BODY_BYTES,
        "MAX_FORM_MEMORY_SIZE": MAX_BODY_BYTES,
        "MAX_FORM_PARTS": 100,
    }
