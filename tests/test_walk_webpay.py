"""From the home page to the summary: a customer's phone and a technician's screen."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from browser_watch import slowness
from live_stack import LiveStack
from playwright.sync_api import Page, expect
from walk_steps import (
    DESK,
    Ordered,
    act,
    assert_clock_is_the_servers,
    buy,
    card_of,
    choose,
    close,
    demo_now,
    fill_in,
    log_in,
    look,
    mail_text,
    order,
    picture,
    press_pay,
    review,
    stay,
    stayed,
    write,
)

MakePage = Callable[..., Page]
MOBILES = ["tel:+56999999999", "tel:+56988888888"]
TWO_PRICES = re.compile(r"Pagar \$19\.990")


def at(text: str) -> datetime:
    """That hour of Tuesday 2026-11-24 in Santiago."""
    return datetime.fromisoformat(f"2026-11-24T{text}:00-03:00").astimezone(UTC)


def test_customer_buys_and_is_attended(
    page: Page, new_page: MakePage, live: LiveStack
) -> None:
    board = new_page(**DESK)
    log_in(board, live, "tecnico1")

    ordered = _buy_with_an_error_mended(page, live)
    _board_shows_it_in_time(board, live, ordered)
    look(page, "06-contact-waiting")
    stay(page)
    _attend(board, page, live, ordered)
    assert stayed(page)
    live.move_clock(demo_now(live) + timedelta(seconds=30))
    _mails_tell_it(new_page(), live, ordered)


def _buy_with_an_error_mended(page: Page, live: LiveStack) -> Ordered:
    page.goto(live.url)
    look(page, "01-home")
    page.get_by_role("link", name="Pedir atención").click()
    look(page, "02-service")
    fill_in(page, "Rosa Pérez", phone="98765")
    page.get_by_label("Su correo").blur()
    error = page.locator("#campo-phone #phone-error")
    expect(error).to_contain_text("9 dígitos")
    page.locator("#accept_terms").check()
    page.get_by_role("button", name="Continuar").click()
    expect(page.locator("#errores")).to_be_focused()
    expect(error).to_contain_text("9 dígitos")
    look(page, "03-form-error")
    page.get_by_label("Su teléfono").fill("9 8765 4321")
    page.locator("#accept_terms").check()
    page.get_by_role("button", name="Continuar").click()
    ordered = review(page)
    expect(page.get_by_role("button", name=TWO_PRICES)).to_have_count(2)
    look(page, "04-review")
    press_pay(page, "webpay")
    picture(page, "05-webpay")
    choose(page, "visa")
    return ordered


def _board_shows_it_in_time(board: Page, live: LiveStack, ordered: Ordered) -> None:
    card = card_of(board, ordered, live)
    expect(card).to_have_attribute("data-attention", "waiting")
    seen = demo_now(live)
    paid_at = ordered.paid_at(live)
    assert paid_at is not None
    assert seen - paid_at < timedelta(seconds=2) * slowness()
    look(board, "07-board-waiting")


def _attend(board: Page, page: Page, live: LiveStack, ordered: Ordered) -> None:
    card = card_of(board, ordered, live)
    act(card, "Tomar")
    expect(page.locator("main")).to_have_attribute("data-attention", "taken")
    look(page, "08-contact-taken")
    act(card, "Iniciar")
    expect(card).to_have_attribute("data-attention", "running")
    expect(page.locator("main")).to_have_attribute("data-attention", "running")
    for each in (card.locator(".countdown"), page.locator(".clock .countdown")):
        expect(each).to_have_text(re.compile(r"^(90:00|89:5\d)$"))
        assert_clock_is_the_servers(each, live)

    write(card, "anotar", "Revisaremos la conexión con el lector.", "Haremos")
    expect(page.locator(".log__entry--will")).to_contain_text("Revisaremos")
    write(card, "anotar", "Reparamos la base de datos.", "Hecho")
    pressed = time.monotonic()
    expect(page.locator(".log__entry--done")).to_contain_text("Reparamos la base")
    assert time.monotonic() - pressed < 3 * slowness()
    look(page, "09-contact-running")
    look(board, "10-board-running")

    close(card, "Resuelto", "Quedó cobrando con normalidad.")
    expect(page.locator("main")).to_have_attribute("data-attention", "closed")
    expect(page.get_by_role("heading", level=1)).to_have_text("Su atención terminó")
    expect(page.locator("main")).to_contain_text("Problema resuelto")
    expect(page.locator(".log")).to_contain_text("Quedó cobrando")
    look(page, "11-contact-closed")
    look(board, "12-board-closed")


def _mails_tell_it(page: Page, live: LiveStack, ordered: Ordered) -> None:
    page.goto(f"{live.url}/terminos/1")
    clauses = page.locator("#text :is(h1, h2, p, li)").all_inner_texts()
    assert len(clauses) > 20
    confirmed = mail_text(page, live, f"Recibimos su pago: pedido {ordered.number}")
    missing = [each for each in clauses if " ".join(each.split()) not in confirmed]
    assert missing == []
    summary = mail_text(page, live, f"Resumen de su atención: pedido {ordered.number}")
    assert "Reparamos la base de datos." in summary
    assert ordered.url in summary


def test_whole_path_works_without_scripts(new_page: MakePage, live: LiveStack) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(live.url)
    page.get_by_role("link", name="Pedir atención").click()
    fill_in(page, "Ana Sin Guion", phone="98765")
    page.locator("#accept_terms").check()
    page.get_by_role("button", name="Continuar").click()
    expect(page.locator("#phone-error")).to_contain_text("9 dígitos")
    page.get_by_label("Su teléfono").fill("987654321")
    page.locator("#accept_terms").check()
    page.get_by_role("button", name="Continuar").click()
    ordered = review(page)
    page.locator("#pagar-webpay button").click()
    picture(page, "21-hop-no-scripts")
    page.get_by_role("button", name="Ir a Webpay").click()
    choose(page, "visa")
    expect(page.locator("main")).to_have_attribute("data-attention", "waiting")
    picture(page, "22-contact-no-scripts")

    board = new_page(java_script_enabled=False, **DESK)
    log_in(board, live, "tecnico2")
    card = card_of(board, ordered, live)
    act(card, "Tomar")
    act(card, "Iniciar")
    expect(card).to_have_attribute("data-attention", "running")
    write(card, "anotar", "Cambiamos el puerto del lector.", "Hecho")
    picture(board, "23-board-no-scripts")
    close(card, "Resuelto", "Quedó bien.")
    expect(card).to_have_attribute("data-attention", "closed")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Su atención terminó")
    expect(page.locator(".log")).to_contain_text("Cambiamos el puerto del lector.")


def test_special_hours_show_two_mobiles_and_promise_nothing(
    page: Page, live: LiveStack
) -> None:
    live.move_clock(at("19:30"))
    buy(page, live, "Pedro Tarde")
    numbers = page.locator("main a[href^='tel:'], main a[href*='wa.me']")
    found = [each.get_attribute("href") for each in numbers.all()]
    assert found == MOBILES
    expect(page.locator("main")).to_contain_text("Llame usted a cualquiera de los dos")
    for never in ("llamaremos", "antes de las", "WhatsApp"):
        expect(page.locator("main")).not_to_contain_text(never, ignore_case=True)
    look(page, "31-contact-special")


def test_waiting_page_changes_by_itself_with_the_hours(
    page: Page, live: LiveStack
) -> None:
    live.move_clock(at("18:29"))
    buy(page, live, "Juan Frontera")
    expect(page.locator("#promesa")).to_have_text(
        "Le llamaremos antes de las 09:08 del miércoles 25 de noviembre"
    )
    look(page, "32-contact-last-normal-minute")
    stay(page)
    live.move_clock(at("18:32"))
    expect(page.locator("main")).to_contain_text("Llame usted a cualquiera de los dos")
    expect(page.locator("main")).not_to_contain_text("Le llamaremos antes")
    expect(page.locator("main a[href^='tel:']")).to_have_count(2)
    assert stayed(page)
    look(page, "33-contact-changed-to-special")


def test_two_technicians_press_at_once_and_the_other_reads_who_won(
    page: Page, new_page: MakePage, live: LiveStack
) -> None:
    ordered = buy(page, live, "Eva Disputada")
    boards = [new_page(**DESK), new_page(**DESK)]
    for board, who in zip(boards, ("tecnico1", "tecnico2"), strict=True):
        log_in(board, live, who)
        expect(
            card_of(board, ordered, live).get_by_role("button", name="Tomar")
        ).to_be_visible()
    instant = time.time() * 1000 + 400
    for board in boards:
        card_of(board, ordered, live).get_by_role("button", name="Tomar").evaluate(
            "(button, at) => { setTimeout(() => button.click(), at - Date.now()) }",
            instant,
        )
    for board in boards:
        expect(card_of(board, ordered, live)).to_have_attribute(
            "data-attention", "taken"
        )
    start = [
        card_of(each, ordered, live).get_by_role("button", name="Iniciar")
        for each in boards
    ]
    (winner,) = [index for index, each in enumerate(start) if each.count()]
    loser = boards[1 - winner]
    name = boards[winner].locator(".signed-in bdi").inner_text()
    # The next poll draws the card anew: the sentence stays, and so does the name.
    expect(loser.locator("#aviso")).to_contain_text(f"La tomó {name} a las")
    expect(loser.locator("#carril-curso")).to_contain_text(f"{name} · desde")
    expect(loser.locator("#aviso")).to_contain_text(f"La tomó {name} a las")
    picture(loser, "41-board-lost-the-race")


def test_aborted_webpay_charges_nothing_and_the_other_gateway_works(
    page: Page, live: LiveStack
) -> None:
    ordered = order(page, live, "Luz Arrepentida")
    press_pay(page, "webpay")
    choose(page, "aborted")
    expect(page.locator("main")).to_contain_text("No se hizo ningún cobro")
    expect(page.get_by_role("button", name=TWO_PRICES)).to_have_count(2)
    look(page, "51-review-after-abort")
    press_pay(page, "mercadopago")
    choose(page, "credit")
    expect(page.locator("main")).to_have_attribute("data-attention", "waiting")
    assert ordered.is_attended_once(live)
    assert ordered.payments(live) == [
        ("webpay", "aborted", None),
        ("mercadopago", "approved", "applied"),
    ]


def test_page_on_the_way_to_webpay_has_no_barrier(page: Page, live: LiveStack) -> None:
    order(page, live, "Tere Camino")
    # An answer without content leaves the browser where it is.
    page.route(f"{live.simulator_url}/**", lambda route: route.fulfill(status=204))
    page.locator("#pagar-webpay button").click()
    expect(page.get_by_role("heading", name="Le llevamos a Webpay")).to_be_visible()
    look(page, "53-hop")


def test_double_click_on_pay_opens_one_attempt(page: Page, live: LiveStack) -> None:
    ordered = order(page, live, "Ida Doble")
    page.locator("#pagar-webpay button").dblclick(no_wait_after=True)
    page.locator("[data-outcome]").first.wait_for()
    choose(page, "visa")
    assert ordered.is_attended_once(live)
    assert len(ordered.payments(live)) == 1


def test_back_from_the_gateway_and_back_again_pays_once(
    page: Page, live: LiveStack
) -> None:
    ordered = order(page, live, "Sol Vuelta")
    press_pay(page, "webpay")
    page.go_back()
    expect(page.get_by_role("button", name=TWO_PRICES)).to_have_count(2)
    look(page, "52-review-after-back")
    press_pay(page, "webpay")
    choose(page, "visa")
    expect(page.locator("main")).to_have_attribute("data-attention", "waiting")
    assert ordered.is_attended_once(live)
    assert [state for _, state, _ in ordered.payments(live)].count("approved") == 1


@pytest.mark.parametrize(
    ("gateway", "method", "outcome", "seen"),
    [
        ("webpay", "POST", "visa", "waiting"),
        ("webpay", "GET", "visa", "waiting"),
        ("webpay", "POST", "aborted", ""),
        ("mercadopago", "", "credit", "waiting"),
    ],
)
def test_payment_comes_back_in_the_browser_of_the_banks_app(
    page: Page,
    new_page: MakePage,
    live: LiveStack,
    gateway: str,
    method: str,
    outcome: str,
    seen: str,
) -> None:
    ordered = order(page, live, f"Ema Otro Navegador {gateway}")
    press_pay(page, gateway)
    address = page.url
    if gateway == "webpay":  # its form came by POST: the token is in the page
        token = page.locator("[name=token_ws]").first.get_attribute("value")
        address = f"{address}?token_ws={token}"
    bank = new_page()
    bank.goto(address)
    if method:
        bank.select_option("#method", method)
    choose(bank, outcome)
    # It knows nothing of the browser in which the order was made.
    assert bank.url == ordered.url
    expect(bank.locator("main")).to_have_attribute("data-attention", seen)
    if not seen:
        expect(bank.locator("main")).to_contain_text("No se hizo ningún cobro")
    # The first browser and any other one see the same by the secret link.
    for other in (page, new_page()):
        other.goto(ordered.url)
        expect(other.locator("main")).to_have_attribute("data-attention", seen)
    assert len(ordered.payments(live)) == 1
    assert ordered.is_attended_once(live) == bool(seen)


def test_what_the_walks_left_keeps_every_invariant(page: Page, live: LiveStack) -> None:
    buy(page, live, "Fin del Paseo")
    live.verify()
