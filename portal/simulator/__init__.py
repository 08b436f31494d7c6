"""The two gateways' HTTP APIs and pages, for the demo and the tests; no real money.

It is a program of its own, with its own database, and knows of the portal only its
configuration and its clock. It is also the independent ledger of what the gateways did.
"""

from flask import Flask

from portal import clock
from portal.config import ROOT, Settings, settings_from_environment
from portal.errors import ConfigurationError
from portal.simulator import (
    control,
    mercadopago,
    mercadopago_lists,
    mp_pages,
    panel,
    webpay,
    webpay_pages,
)
from portal.simulator.faults import FaultPlan
from portal.simulator.gateway import Gateway, install
from portal.simulator.store import Store
from portal.simulator.webpay_pages import prepare_templates

MAX_BODY_BYTES = 256 * 1024


def create_simulator(settings: Settings) -> Flask:
    """The simulator's application. Raises ConfigurationError in production."""
    if not settings.is_demo:
        raise ConfigurationError(["The gateway simulator never runs in production."])
    portal = ROOT / "portal"
    app = Flask(
        __name__,
        template_folder=str(portal / "templates"),
        static_folder=str(portal / "static"),
    )
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    app.json.sort_keys = False  # type: ignore[attr-defined]
    prepare_templates(app)
    install(app, Gateway(settings, Store(settings.simulator_database), FaultPlan()))
    for blueprint in (
        webpay.blueprint,
        webpay_pages.blueprint,
        mercadopago.blueprint,
        mercadopago_lists.blueprint,
        mp_pages.blueprint,
        control.blueprint,
        panel.blueprint,
    ):
        app.register_blueprint(blueprint)
    return app


def create_from_environment() -> Flask:
    """The simulator of this environment, following the demo's clock."""
    settings = settings_from_environment()
    clock.configure(settings.clock_file, settings.portal_now)
    return create_simulator(settings)
