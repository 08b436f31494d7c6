"""`/reenviar-enlace`: for who lost the mail with the secret link."""

from flask import Blueprint, Response

from portal import clock
from portal.orders import resend_service
from portal.orders.forms import ResendForm
from portal.web import limiter, page

bp = Blueprint("orders", __name__)

# A phone company puts many customers behind one address.
RESEND_LIMIT = "30 per hour"


@bp.get("/reenviar-enlace")
def resend() -> Response:
    """The form."""
    return page("orders/resend.html", form=ResendForm())


@bp.post("/reenviar-enlace")
@limiter.limit(RESEND_LIMIT)
def ask_again() -> Response:
    """The same neutral answer, whether the address bought something or not."""
    form = ResendForm()
    if not form.validate_on_submit():
        return page("orders/resend.html", 422, form=form)
    resend_service.ask_links(str(form.email.data), now=clock.utcnow())
    return page("orders/resend_done.html", days=resend_service.RESEND_DAYS)
