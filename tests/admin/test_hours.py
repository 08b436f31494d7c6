"""The week and the days: refused in words, warned before anybody is stranded."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from conftest import TUESDAY_NOON, FrozenClock
from flask import Flask
from flask.testing import FlaskClient
from owner_forms import inside, read, send, text_of, values_of
from shop_forms import stock
from sqlalchemy import select
from support_cases import add_attention, add_order

from portal.admin import hours_rules
from portal.admin.fields_forms import parse_day, parse_hour
from portal.db import transaction
from portal.hours.queries import DEFAULT_CALENDAR, load_calendar
from portal.hours.rules import (
    DEFAULT_WEEKLY,
    Calendar,
    DayOverride,
    Window,
    holidays_of,
)
from portal.journal.models import JournalEntry
from portal.support.models import Attention, Errand
from portal.support.service import open_for_order
from portal.terms import queries as terms_queries

HOURS = "/administrar/horario"
WEEK, DAY, REMOVE = f"{HOURS}/semana", f"{HOURS}/dia", f"{HOURS}/dia/quitar"
EVE = date(2026, 12, 24)


@pytest.fixture(autouse=True)
def stocked(app: Flask) -> None:
    stock(app)


def overrides(app: Flask) -> dict[date, DayOverride]:
    return dict(inside(app, load_calendar).overrides)


def errors(answer) -> str:  # type: ignore[no-untyped-def]
    lines = read(answer).select(".field__error")
    return " ".join(line.get_text(" ", strip=True) for line in lines)


# The week --------------------------------------------------------------


def test_week_is_shown_saved_and_published(app: Flask, owner: FlaskClient) -> None:
    values = values_of(read(owner.get(WEEK)), WEEK)
    assert (values["d0w0-opens"], values["d0w0-closes"]) == ("09:00", "18:31")
    assert values["d0w1-kind"] == "special"
    changes = {"d5w0-opens": "11.00", "d5w0-closes": "2030"}
    assert send(owner, WEEK, **changes).status_code == 303
    week = inside(app, load_calendar).weekly
    assert week[5] == (Window("special", time(11), time(20, 30)),)
    assert {day: week[day] for day in range(5)} == {
        day: DEFAULT_WEEKLY[day] for day in range(5)
    }
    assert inside(app, terms_queries.current_number) == 2
    assert "11:00 a 20:30" in text_of(owner.get(HOURS))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"d0w1-opens": "18:30"}, "empieza antes de que termine el anterior"),
        ({"d0w0-closes": "08:00"}, "debe terminar más tarde"),
        ({"d0w0-closes": "09:00"}, "debe terminar más tarde"),
        ({"d0w0-closes": ""}, "desde y hasta"),
        ({"d0w0-opens": "25:00"}, "como 18:31"),
        ({"d0w0-opens": "9"}, "como 18:31"),
        ({"d0w0-kind": "gratis"}, "normal o especial"),
        (
            {
                f"d{day}w{row}-{end}": ""
                for day in range(7)
                for row in range(3)
                for end in ("opens", "closes")
            },
            "al menos un día",
        ),
    ],
)
def test_wrong_week_is_refused_in_words_and_kept(
    app: Flask, owner: FlaskClient, changes: dict[str, str], words: str
) -> None:
    answer = send(owner, WEEK, **changes)
    assert answer.status_code == 422
    assert words in errors(answer)
    shown = values_of(read(answer), WEEK)
    typed = {name: text for name, text in changes.items() if "kind" not in name}
    assert {name: shown[name] for name in typed} == typed
    assert inside(app, load_calendar) == DEFAULT_CALENDAR


def test_second_owner_of_the_week_sees_both(app: Flask, owner: FlaskClient) -> None:
    old = values_of(read(owner.get(WEEK)), WEEK)
    send(owner, WEEK, **{"d6w0-opens": "11:00"})
    answer = owner.post(WEEK, data={**old, "d6w0-opens": "12:00"})
    assert answer.status_code == 409
    assert "11:00 a 14:00" in text_of(answer)
    again = values_of(read(answer), WEEK)
    assert again["d6w0-opens"] == "12:00"
    assert owner.post(WEEK, data=again).status_code == 303
    assert inside(app, load_calendar).weekly[6][0].opens == time(12)


# Days ------------------------------------------------------------------


def test_day_is_closed_for_its_reason_and_given_back(
    app: Flask, owner: FlaskClient, client: FlaskClient, clock: FrozenClock
) -> None:
    path = f"{DAY}?dia=2026-11-25"
    answer = send(owner, path, state="closed", note="Inventario")
    assert answer.status_code == 303
    day = date(2026, 11, 25)
    assert overrides(app) == {day: DayOverride(day, "closed", (), "Inventario")}
    assert inside(app, terms_queries.current_number) == 1
    clock.set(TUESDAY_NOON + timedelta(days=1))
    assert "Inventario" in text_of(client.get("/"))
    assert "Quitar el horario propio" in text_of(owner.get(path))
    early = values_of(read(owner.get(path)), REMOVE)
    assert send(owner, path, note="Balance").status_code == 303
    late = owner.post(REMOVE, data=early)
    assert late.status_code == 409
    assert "Otra persona cambió este día" in text_of(late)
    assert "Balance" in late.text
    assert send(owner, path, REMOVE).status_code == 303
    assert overrides(app) == {}
    assert owner.post(REMOVE, data={"day": "2026-11-25"}).status_code == 404
    assert owner.post(REMOVE, data={"day": "ayer"}).status_code == 422
    rows = inside(
        app,
        lambda session: session.scalars(
            select(JournalEntry).where(JournalEntry.object_kind == "day_override")
        ).all(),
    )
    assert [row.action for row in rows] == [
        "day_override.set",
        "day_override.set",
        "day_override.removed",
    ]
    first, second = ({"windows": [], "note": it} for it in ("Inventario", "Balance"))
    assert [row.data["before"] for row in rows] == [None, first, second]


def test_range_of_days_gets_its_own_windows(app: Flask, owner: FlaskClient) -> None:
    answer = send(
        owner,
        f"{DAY}?dia=2026-12-24",
        last="2026-12-26",
        state="open",
        **{"ow0-kind": "normal", "ow0-opens": "10:00", "ow0-closes": "13:00"},
        **{"ow1-opens": "", "ow1-closes": ""},
    )
    assert answer.status_code == 303
    found = overrides(app)
    assert sorted(found) == [EVE + timedelta(days=n) for n in range(3)]
    assert found[EVE].windows == (Window("normal", time(10), time(13)),)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"first": ""}, "Escriba el día"),
        ({"first": "31-02-2027"}, "como 24-12-2026"),
        ({"first": "2026-11-23"}, "ya pasó"),
        ({"last": "2026-12-23"}, "va después"),
        ({"last": "2027-12-24"}, "a lo más 62"),
        ({"first": "9999-12-31"}, "próximos 3 años"),
        ({"state": "feriado"}, "cerrado o abierto"),
        ({"state": "open", "ow0-closes": "08:00"}, "terminar más tarde"),
        (
            {
                "state": "open",
                **{f"ow{n}-{end}": "" for n in range(3) for end in ("opens", "closes")},
            },
            "al menos un tramo",
        ),
        ({"note": "x" * 201}, "200 caracteres"),
        ({"note": "a\x07"}, "caracteres"),
    ],
)
def test_wrong_day_is_refused_in_words(
    app: Flask, owner: FlaskClient, changes: dict[str, str], words: str
) -> None:
    answer = send(owner, f"{DAY}?dia=2026-12-24", **changes)
    assert answer.status_code == 422
    assert words in errors(answer)
    assert overrides(app) == {}


def test_second_owner_of_a_day_is_told(app: Flask, owner: FlaskClient) -> None:
    path = f"{DAY}?dia=2026-12-24"
    old = values_of(read(owner.get(path)), path)
    send(owner, path, note="Primera")
    answer = owner.post(path, data={**old, "note": "Segunda"})
    assert answer.status_code == 409
    assert "Primera" in text_of(answer)
    assert overrides(app)[EVE].note == "Primera"
    again = values_of(read(answer), path)
    assert owner.post(path, data=again).status_code == 303
    assert overrides(app)[EVE].note == "Segunda"


# Whom a change strands -------------------------------------------------


@pytest.fixture
def promised(app: Flask) -> dict[str, str]:
    """Paid orders with something promised: number by what it waits for."""
    now, numbers = TUESDAY_NOON, {}
    thursday = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)  # 09:00 in Santiago
    with app.app_context(), transaction() as session:
        waiting = add_attention(session, now=now, name="Uno")
        deferred = add_attention(session, now=now, name="Dos")
        deferred.state, deferred.deferred_to = "deferred", thursday
        order = add_order(session, now=now, service_slug="asistencia-terreno")
        open_for_order(session, order, now=now)
        errand = session.scalars(select(Errand)).one()
        errand.state, errand.scheduled_for = "scheduled", thursday
        kept = add_attention(session, now=now, name="Cuatro")
        kept.state = "cancelled"
        for name, it in (("waiting", waiting), ("deferred", deferred)):
            numbers[name] = str(1000 + it.order_id)
        numbers["errand"] = order.number
    return numbers


def affected(answer) -> str:  # type: ignore[no-untyped-def]
    found = read(answer).select_one("#afectados")
    return found.get_text(" ", strip=True) if found else ""


def test_closing_a_day_with_paid_orders_names_them_and_waits_for_a_yes(
    app: Flask, owner: FlaskClient, promised: dict[str, str]
) -> None:
    path = f"{DAY}?dia=2026-11-26"
    answer = send(owner, path, note="Cerrado")
    assert answer.status_code == 422
    told = affected(answer)
    assert f"Pedido {promised['deferred']}" in told
    assert f"Pedido {promised['errand']}" in told
    assert f"Pedido {promised['waiting']}" not in told
    assert overrides(app) == {}
    again = values_of(read(answer), path)
    assert owner.post(path, data={**again, "confirm": "y"}).status_code == 303
    assert list(overrides(app)) == [date(2026, 11, 26)]


def test_closing_today_names_who_waits_now(
    owner: FlaskClient, promised: dict[str, str]
) -> None:
    told = affected(send(owner, f"{DAY}?dia=2026-11-24"))
    assert f"Pedido {promised['waiting']}" in told
    assert f"Pedido {promised['deferred']}" not in told


def test_a_week_that_strands_names_them_and_one_that_does_not_is_saved(
    app: Flask, owner: FlaskClient, promised: dict[str, str]
) -> None:
    answer = send(owner, WEEK, **{"d3w0-opens": "10:00"})
    assert answer.status_code == 422
    assert f"Pedido {promised['deferred']}" in affected(answer)
    assert inside(app, load_calendar) == DEFAULT_CALENDAR
    again = values_of(read(answer), WEEK)
    assert again["d3w0-opens"] == "10:00"
    assert owner.post(WEEK, data={**again, "confirm": "y"}).status_code == 303
    assert send(owner, WEEK, **{"d4w0-opens": "10:00"}).status_code == 303


def test_giving_a_day_back_that_strands_asks_first(
    app: Flask, owner: FlaskClient
) -> None:
    christmas = datetime(2026, 12, 25, 13, 0, tzinfo=UTC)
    path = f"{DAY}?dia=2026-12-25"
    send(
        owner,
        path,
        state="open",
        **{"ow0-opens": "09:00", "ow0-closes": "12:00"},
        **{"ow1-opens": "", "ow1-closes": ""},
    )
    with app.app_context(), transaction() as session:
        it = add_attention(session, now=TUESDAY_NOON)
        session.get_one(Attention, it.id).state = "deferred"
        it.deferred_to = christmas
    answer = send(owner, path, REMOVE)
    assert answer.status_code == 422
    assert affected(answer)
    assert owner.post(REMOVE, data=values_of(read(answer), REMOVE)).status_code == 303
    assert overrides(app) == {}


# The calendar ----------------------------------------------------------


def test_calendar_tells_the_origin_of_each_day() -> None:
    own = Window("special", time(10), time(12))
    calendar = Calendar(
        DEFAULT_WEEKLY,
        {
            EVE: DayOverride(EVE, "closed", note="Víspera"),
            date(2027, 1, 1): DayOverride(date(2027, 1, 1), "open", (own,)),
        },
    )
    months = hours_rules.months_from(calendar, date(2026, 11, 24))
    assert [month.title for month in (months[0], months[-1])] == [
        "noviembre de 2026",
        "abril de 2028",
    ]
    found = {day.day: day for month in months for day in month.special}
    assert (found[EVE].origin, found[EVE].text) == ("shut", "Cerrado. Víspera")
    assert found[date(2027, 1, 1)].origin == "own"
    assert found[date(2026, 12, 25)].origin == "holiday"
    named = {day for day in found if found[day].origin == "holiday"}
    assert {day for day in holidays_of(2027) if day != date(2027, 1, 1)} <= named
    squares = [day for month in months for week in month.weeks for day in week if day]
    assert [day.day for day in squares] == [
        date(2026, 11, 1) + timedelta(days=n) for n in range(len(squares))
    ]
    assert all(len(week) == 7 for month in months for week in month.weeks)
    assert all(
        day is None or day.day.weekday() == at
        for month in months
        for week in month.weeks
        for at, day in enumerate(week)
    )


def test_calendar_suggests_election_sundays_and_the_owner_decides() -> None:
    months = hours_rules.months_from(DEFAULT_CALENDAR, date(2028, 5, 1))
    election = [d for m in months for d in m.special if d.origin == "election"]
    assert [day.day for day in election][:2] == [date(2028, 6, 11), date(2028, 10, 29)]
    sunday = election[0].day
    closed = Calendar(DEFAULT_WEEKLY, {sunday: DayOverride(sunday, "closed")})
    (day,) = (
        it
        for m in hours_rules.months_from(closed, date(2028, 5, 1))
        for it in m.special
        if it.day == sunday
    )
    assert day.origin == "shut"


def test_page_of_the_calendar_links_every_day_from_today(owner: FlaskClient) -> None:
    page = read(owner.get(HOURS))
    links = {str(a["href"]) for a in page.select(".month a")}
    assert f"{DAY}?dia=2026-11-24" in links
    assert f"{DAY}?dia=2026-11-23" not in links
    assert len(page.select(".month")) == 18
    assert "Feriado" in page.get_text()


@pytest.mark.parametrize("text", ["24-12-2026", "2026-12-24", "24/12/2026"])
def test_day_is_read_as_people_write_it(text: str) -> None:
    assert parse_day(text) == EVE


@pytest.mark.parametrize("text", ["", "x", "24-12-26-1", "2026-13-01", "١-١-٢٠٢٧-"])
def test_what_is_no_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="24-12-2026"):
        parse_day(text)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("18:31", time(18, 31)),
        ("9:05", time(9, 5)),
        ("900", time(9)),
        ("18.31", time(18, 31)),
    ],
)
def test_hour_is_read_as_people_write_it(text: str, hour: time) -> None:
    assert parse_hour(text) == hour
