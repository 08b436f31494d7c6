"""Every component in every state on one page (demo only), and the app's manifest."""

from datetime import timedelta

from flask import Blueprint, Response, abort, jsonify
from flask_wtf import FlaskForm
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal import clock
from portal.web import business, fragment, page, settings, static_url

bp = Blueprint("gallery", __name__)

ERROR_STATUSES = (400, 403, 404, 405, 409, 413, 422, 429, 500, 503)


class SampleForm(FlaskForm):  # type: ignore[misc]
    """One field of each kind; nothing is kept of what it is sent."""

    name = StringField(
        "Nombre y apellido",
        [InputRequired("Escriba su nombre."), Length(min=3, message="Es muy corto.")],
    )
    phone = StringField(
        "Teléfono de contacto",
        [InputRequired("Escriba un teléfono, como 9 8765 4321.")],
    )
    company = StringField("Nombre del negocio")
    commune = SelectField("Comuna", choices=["Santiago", "Providencia", "Ñuñoa"])
    problem = TextAreaField("¿Qué le pasa?", [InputRequired("Cuéntenos qué le pasa.")])
    windows_bits = RadioField(
        "¿Su Windows es de 32 bits?",
        [InputRequired("Elija una respuesta.")],
        choices=[
            SelectChoice("32", "Sí, de 32 bits"),
            SelectChoice("64", "No, de 64"),
            SelectChoice("unknown", "No lo sé"),
        ],
    )
    accept_terms = BooleanField(
        "Acepto los términos", [InputRequired("Debe aceptar los términos.")]
    )


def _require_demo() -> None:
    if not settings().is_demo:
        abort(404)


@bp.get("/demo/componentes")
def gallery() -> Response:
    """Every component, from the same macros that the pages use."""
    _require_demo()
    refused = SampleForm(formdata=None, prefix="mal-", meta={"csrf": False})
    refused.commune.data = "Santiago"
    refused.validate()
    return page(
        "storefront/gallery.html",
        form=SampleForm(formdata=None),
        refused=refused,
        in_minutes=lambda minutes: clock.utcnow() + timedelta(minutes=minutes),
        statuses=ERROR_STATUSES,
    )


@bp.get("/demo/componentes/tablero")
def board_gallery() -> Response:
    """The board's parts, dark, in every state."""
    _require_demo()
    return page(
        "storefront/gallery_board.html",
        in_minutes=lambda minutes: clock.utcnow() + timedelta(minutes=minutes),
    )


@bp.get("/demo/componentes/error/<int:status>")
def error_gallery(status: int) -> Response:
    """An error page as a customer would see it; the gallery itself found it: 200."""
    _require_demo()
    if status not in ERROR_STATUSES:
        abort(404)
    return page("errors/error.html", status=status, message="")


@bp.post("/demo/componentes/campo/<name>")
def check_field(name: str) -> Response:
    """The sample's field again, checked as one leaves it."""
    _require_demo()
    form = SampleForm()
    if name not in form or name == "csrf_token":
        abort(404)
    form[name].validate(form)
    return fragment("storefront/_gallery_field.html", f=form[name])


@bp.get("/manifest.webmanifest")
def manifest() -> Response:
    """What a phone needs to put the portal on its home screen."""
    name = business().business_name
    response = jsonify(
        name=f"Soporte {name}",
        short_name="Soporte",
        lang="es-CL",
        start_url="/",
        display="minimal-ui",
        background_color="#f3f6f8",
        theme_color="#0b4f75",
        icons=[_icon(192, "any"), _icon(512, "any"), _icon(512, "maskable")],
    )
    response.content_type = "application/manifest+json"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _icon(size: int, purpose: str) -> dict[str, str]:
    return {
        "src": static_url(f"icon-{size}.png"),
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }
