"""A breach of personal data, as the owner writes it down."""

from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import Form, HiddenField
from wtforms.validators import DataRequired, Length, Optional, ValidationError

from portal.orders.fields_forms import LongTextField, TextField
from portal.privacy.breaches_service import BreachDraft
from portal.privacy.models import DataBreach

_MAX_PEOPLE = 10_000_000


def _is_day(_form: Form, field: TextField) -> None:
    try:
        date.fromisoformat(field.data)
    except ValueError as error:
        raise ValidationError("Escriba un día.") from error


def _is_count(_form: Form, field: TextField) -> None:
    typed = field.data.replace(".", "")
    if not (typed.isascii() and typed.isdigit() and int(typed) <= _MAX_PEOPLE):
        raise ValidationError("Escriba un número, como 120.")


def _day(label: str, *validators: Any) -> TextField:
    return TextField(
        label,
        limit=10,
        validators=[*validators, _is_day],
        render_kw={"type": "date"},
    )


def _text(label: str, hint: str, required: str = "") -> LongTextField:
    checks = (
        [DataRequired(required), Length(min=10, message="Explíquelo un poco más.")]
        if required
        else []
    )
    return LongTextField(
        label,
        limit=2000,
        description=hint,
        validators=checks,
        render_kw={"rows": 3, "maxlength": 2000},
    )


class BreachForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """What is known of a breach; `seen` is the version that the page showed."""

    class Meta:
        # Flask-WTF's CSRFProtect checks every post of the portal, this one too.
        csrf = False

    seen = HiddenField(default="0")
    noticed_on = _day("Día en que se supo", DataRequired("Escriba el día en que supo."))
    occurred = TextField(
        "Cuándo ocurrió",
        limit=120,
        description="Como se sepa: un día, unas fechas, «no se sabe».",
        render_kw={"maxlength": 120},
    )
    cause = _text(
        "Qué pasó y por qué",
        "Pérdida, filtración o acceso indebido, y su causa.",
        "Escriba qué pasó.",
    )
    affected = _text(
        "Qué datos, y de quiénes",
        "Sin copiar los datos mismos.",
        "Escriba qué datos y de quiénes.",
    )
    people = TextField(
        "Cuántas personas, más o menos",
        limit=12,
        validators=[Optional(), _is_count],
        render_kw={"inputmode": "numeric", "maxlength": 12},
    )
    effects = _text("Qué efectos puede tener", "Para las personas.")
    measures = _text("Qué se hizo y qué falta", "Medidas tomadas y por tomar.")
    agency_on = _day("Día en que se avisó a la Agencia", Optional())
    people_on = _day("Día en que se avisó a las personas", Optional())
    untold_reason = _text(
        "Si no se avisó, por qué", "Por ejemplo, que no hay riesgo razonable."
    )

    @staticmethod
    def stored(row: DataBreach) -> dict[str, Any]:
        """Field -> what it shows of a row."""
        days = {
            name: day.isoformat() if (day := getattr(row, name)) else ""
            for name in ("noticed_on", "agency_on", "people_on")
        }
        texts = {
            name: getattr(row, name)
            for name in ("occurred", "cause", "affected", "effects", "measures")
        }
        return {
            **days,
            **texts,
            "seen": str(row.version),
            "people": "" if row.people is None else str(row.people),
            "untold_reason": row.untold_reason,
        }

    def is_good_on(self, today: date) -> bool:
        """Whether all of it may be kept; no day may lie after `today` (Santiago)."""
        if not self.validate():
            return False
        for field in (self.noticed_on, self.agency_on, self.people_on):
            day = _as_day(field.data)
            if day is not None and day > today:
                field.errors = ["Escriba un día hasta hoy."]
        return not self.errors

    def version_seen(self) -> int:
        """The version that the page showed; 0, which no row has, for nonsense."""
        typed = str(self.seen.data or "")
        return (
            int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 9 else 0
        )

    def draft(self) -> BreachDraft:
        """What was written; the form must be valid."""
        return BreachDraft(
            noticed_on=date.fromisoformat(self.noticed_on.data),
            occurred=self.occurred.data,
            cause=self.cause.data,
            affected=self.affected.data,
            people=int(self.people.data.replace(".", "")) if self.people.data else None,
            effects=self.effects.data,
            measures=self.measures.data,
            agency_on=_as_day(self.agency_on.data),
            people_on=_as_day(self.people_on.data),
            untold_reason=self.untold_reason.data,
        )


def _as_day(typed: str) -> date | None:
    return date.fromisoformat(typed) if typed else None
