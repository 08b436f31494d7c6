"""The week and the owner's days, as she writes them."""

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Form, HiddenField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice

from portal.admin.fields_forms import TypedField, parse_day, parse_hour
from portal.hours.rules import DayOverride, Kind, Window, Windows, check_windows
from portal.hours.service import NOTE_LIMIT

ROWS = 3
YEARS_AHEAD = 3
WEEKDAYS = ("Lunes", "Martes", "Miércoles", "Jueves", "Viernes", "Sábado", "Domingo")
_KINDS = [SelectChoice("normal", "Normal"), SelectChoice("special", "Especial")]
Sent = MultiDict[str, str] | None


def _hour(label: str) -> TypedField:
    return TypedField(
        label,
        limit=8,
        parse=parse_hour,
        show=lambda hour: f"{hour:%H:%M}",
        empty=None,
        inputmode="numeric",
        autocomplete="off",
    )


class WindowForm(Form):  # type: ignore[misc]  # WTForms ships no types
    """One window: unused while both hours are empty."""

    kind = SelectField(
        "Horario", choices=_KINDS, invalid_choice_message="Elija normal o especial."
    )
    opens = _hour("Desde")
    closes = _hour("Hasta")

    def window(self) -> Window | None:
        """The window; None when the row is unused. The row must be valid."""
        if self.opens.value is None or self.closes.value is None:
            return None
        return Window(cast(Kind, self.kind.data), self.opens.value, self.closes.value)

    def problem(self) -> str:
        """What is wrong in the row alone, in Spanish; empty when nothing is."""
        if not self.validate():
            return next(str(errors[0]) for errors in self.errors.values())
        if (self.opens.value is None) != (self.closes.value is None):
            return "Escriba desde y hasta qué hora, o deje ambas en blanco."
        return ""


class WindowRows:
    """The windows of one day: ROWS rows, and what is wrong with them together."""

    def __init__(self, name: str, sent: Sent, windows: Windows) -> None:
        self.error = ""
        self.rows = [
            WindowForm(sent, prefix=f"{name}w{at}-", data=_row_values(windows, at))
            for at in range(ROWS)
        ]

    def windows(self) -> Windows:
        """The used rows, in order of the clock; the rows must be valid."""
        used = [window for row in self.rows if (window := row.window()) is not None]
        return tuple(sorted(used, key=lambda window: window.opens))

    def validate(self) -> bool:
        """Check each row, and that they neither overlap nor end before they begin."""
        problems = [problem for row in self.rows if (problem := row.problem())]
        if not problems and (windows := self.windows()):
            problems = check_windows(windows)
        self.error = " ".join(dict.fromkeys(problems))
        return not problems


def _row_values(windows: Windows, at: int) -> dict[str, Any]:
    if at >= len(windows):
        return {}
    window = windows[at]
    return {"kind": window.kind, "opens": window.opens, "closes": window.closes}


class WeekForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The whole week; `seen` marks the one that the page showed."""

    seen = HiddenField()
    confirm = BooleanField("Sé a quiénes afecta: cambiar igual")

    def fill(self, sent: Sent, weekly: Mapping[int, Windows]) -> None:
        """The seven days: as they were sent, or as they are."""
        self.days = [
            WindowRows(f"d{day}", sent, weekly.get(day, ())) for day in range(7)
        ]

    def weekly(self) -> dict[int, Windows]:
        """The week that was written; it must be valid."""
        return {day: rows.windows() for day, rows in enumerate(self.days)}

    def validate_days(self) -> bool:
        """Check every day; at least one is open."""
        valid = all([rows.validate() for rows in self.days])
        if valid and not any(self.weekly().values()):
            self.days[0].error = "Deje al menos un día de la semana con atención."
            return False
        return valid


def day_field(label: str, **kw: Any) -> TypedField:
    """One day of the calendar."""
    return TypedField(
        label,
        limit=10,
        parse=parse_day,
        show=lambda day: day.isoformat(),
        empty=None,
        type="date",
        **kw,
    )


class DayForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """The owner's word for a day, or for each day of a range."""

    seen = HiddenField()
    first = day_field("Día", required="Escriba el día.")
    last = day_field("Hasta (si son varios días)")
    state = RadioField(
        "Qué pasa ese día",
        choices=[
            SelectChoice("closed", "Cerrado"),
            SelectChoice("open", "Abierto con este horario"),
        ],
        default="closed",
        invalid_choice_message="Elija cerrado o abierto.",
    )
    note = TypedField(
        "Motivo",
        limit=NOTE_LIMIT,
        description="Lo leen los clientes, como «Elecciones» o «Inventario».",
    )
    confirm = BooleanField("Sé a quiénes afecta: cambiar igual")

    def fill(self, sent: Sent, windows: Windows) -> None:
        """The windows of an open day."""
        self.rows = WindowRows("o", sent, windows)

    @property
    def until(self) -> date:
        """The last day of the range; the form must be valid."""
        return cast(date, self.last.value or self.first.value)

    def override(self) -> DayOverride:
        """What was written of the first day; the form must be valid."""
        is_open = self.state.data == "open"
        return DayOverride(
            self.first.value,
            "open" if is_open else "closed",
            self.rows.windows() if is_open else (),
            self.note.value,
        )

    def validate_range(self, today: date, most: int) -> bool:
        """Check the fields, the range and, for an open day, its windows."""
        valid = bool(self.validate())
        if self.state.data == "open":
            valid = self.rows.validate() and valid
            if valid and not self.rows.windows():
                self.rows.error = "Indique al menos un tramo de atención."
                return False
        if not valid:
            return False
        if self.first.value < today:
            self.first.errors = ["Ese día ya pasó."]
        elif self.until < self.first.value:
            self.last.errors = ["El último día va después del primero."]
        elif (self.until - self.first.value).days >= most:
            self.last.errors = [f"Indique a lo más {most} días de una vez."]
        elif self.until.year > today.year + YEARS_AHEAD:
            self.first.errors = [f"Indique un día de los próximos {YEARS_AHEAD} años."]
        return not (self.first.errors or self.last.errors)
