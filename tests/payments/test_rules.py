"""The pure rules of money, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from portal.orders.rules import fingerprint
from portal.payments import refund_rules, rules, states

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
KEY, OLD = "k" * 40, "o" * 40


# Machines ----------------------------------------------------------------

END = {
    "failed": "approved",
    "aborted": "approved",
    "timed_out": "approved",
    "rejected": "approved",
    "unknown": "approved rejected",
}
AFTER = {
    "approved": "partly_refunded refunded charged_back",
    "partly_refunded": "refunded charged_back",
    "refunded": "",
    "charged_back": "",
}
MACHINES = {
    "webpay": {
        "created": "redirected failed unknown",
        "redirected": "committing aborted timed_out",
        "committing": "approved rejected unknown",
        **END,
        **AFTER,
    },
    "mercadopago": {
        "created": "redirected failed unknown",
        "redirected": "pending approved timed_out",
        "pending": "approved rejected",
        **END,
        **AFTER,
    },
    "manual": {"created": "approved", **AFTER},
}


@pytest.mark.parametrize("gateway", MACHINES)
def test_each_gateway_has_these_moves_and_no_other(gateway: str) -> None:
    table = MACHINES[gateway]
    assert states.TRANSITIONS[gateway] == {
        state: frozenset(to.split()) for state, to in table.items()
    }


@pytest.mark.parametrize(
    ("gateway", "amount", "name"),
    [
        ("mercadopago", 19_990, "Mercado Pago"),
        ("webpay", 19_990, "Webpay"),
        ("webpay", 0, "Webpay"),
        ("manual", 19_990, "Transferencia"),
        ("manual", 1, "Transferencia"),
        ("manual", 0, "Sin costo"),
    ],
)
def test_each_way_of_paying_has_its_name(gateway: str, amount: int, name: str) -> None:
    assert states.medium_name(gateway, amount) == name


WORDS = ("approved", "pending", "rejected", *states.SETTLED)
# (gateway, state, word): the road. What is not here moves nothing.
ROADS = {
    ("webpay", "created", "approved"): "redirected committing approved",
    ("webpay", "redirected", "approved"): "committing approved",
    ("webpay", "redirected", "rejected"): "committing rejected",
    ("webpay", "committing", "approved"): "approved",
    ("webpay", "committing", "rejected"): "rejected",
    ("webpay", "committing", "partly_refunded"): "approved partly_refunded",
    ("webpay", "committing", "refunded"): "approved refunded",
    ("webpay", "committing", "charged_back"): "approved charged_back",
    ("webpay", "unknown", "partly_refunded"): "approved partly_refunded",
    ("webpay", "unknown", "refunded"): "approved refunded",
    ("webpay", "unknown", "charged_back"): "approved charged_back",
    ("mercadopago", "created", "approved"): "redirected approved",
    ("mercadopago", "created", "partly_refunded"): (
        "redirected approved partly_refunded"
    ),
    ("mercadopago", "created", "refunded"): "redirected approved refunded",
    ("mercadopago", "created", "charged_back"): "redirected approved charged_back",
    ("mercadopago", "redirected", "pending"): "pending",
    ("mercadopago", "pending", "rejected"): "rejected",
    **{
        ("mercadopago", state, "approved"): "approved"
        for state in ("redirected", "pending")
    },
    **{
        ("mercadopago", state, gone): f"approved {gone}"
        for state in ("redirected", "pending", *END)
        for gone in ("partly_refunded", "refunded", "charged_back")
    },
    **{
        (gateway, state, "approved"): "approved"
        for gateway in ("webpay", "mercadopago")
        for state in END
    },
    **{
        (gateway, "unknown", "rejected"): "rejected"
        for gateway in ("webpay", "mercadopago")
    },
    **{
        (gateway, state, word): word
        for gateway in ("webpay", "mercadopago", "manual")
        for state, to in AFTER.items()
        for word in to.split()
    },
}


@pytest.mark.parametrize("gateway", ["webpay", "mercadopago"])
def test_every_word_in_every_state_goes_this_road_and_no_other(gateway: str) -> None:
    for state in states.TRANSITIONS[gateway]:
        for word in (*WORDS, "open"):
            wanted = ROADS.get((gateway, state, word), "")
            found = " ".join(states.path(gateway, state, word))
            assert found == wanted, (gateway, state, word)


def test_every_road_is_made_of_moves() -> None:
    for (gateway, state, _word), road in ROADS.items():
        for following in road.split():
            assert following in states.TRANSITIONS[gateway][state]
            state = following


def test_groups_of_states() -> None:
    assert set(states.STATES) == set().union(*MACHINES.values())
    assert set(AFTER) == states.SETTLED
    assert set(states.LIVING) == {"created", "redirected", "committing"}
    assert set(states.DISPOSITIONS) == {"applied", "surplus", "late", "mismatch"}


# References and secrets --------------------------------------------------


def test_buy_orders_fit_webpay_and_never_repeat() -> None:
    made = {rules.new_buy_order() for _ in range(2000)}
    assert len(made) == 2000
    assert all(len(one) == 19 and one.startswith("ITP") for one in made)
    assert all(one.isascii() and one.isalnum() and one.isupper() for one in made)


def test_a_reference_is_secret_stable_and_found_under_an_older_key() -> None:
    reference = rules.reference_of(OLD, "seed")
    assert reference == rules.reference_of(OLD, "seed")
    assert reference != rules.reference_of(KEY, "seed")
    assert reference != rules.reference_of(OLD, "seeds")
    assert len(reference) == 43
    assert reference.startswith("itp")
    stored = fingerprint(reference)
    assert rules.find_reference((KEY, OLD), "seed", stored) == reference
    says = "^no current key makes this payment's reference$"
    with pytest.raises(LookupError, match=says):
        rules.find_reference((KEY,), "seed", stored)
    # What gateways already have must be found by every later version.
    assert rules.reference_of(KEY, "a" * 32) == OF_ALL_VERSIONS


OF_ALL_VERSIONS = "itp17a5c76c013ab231315a5815a551e31d65b1c0cc"
SEALED = (
    "gAAAAABrBkzOggvB4iyrzbv9Kg0Q5GHljHhrtqe5lH_sbl09VDriibgLFcWDMdyB5cy_DsUxh177qRBX"
    "H9z15x0M16jqlOOJXQ=="
)


def test_a_sealed_token_opens_under_an_older_key_only() -> None:
    sealed = rules.seal((OLD,), "token")
    assert "token" not in sealed
    assert rules.unseal((KEY, OLD), sealed) == "token"
    with pytest.raises(LookupError, match=r"^no current key opens this token$"):
        rules.unseal((KEY,), sealed)
    assert rules.unseal((KEY,), SEALED) == "token"
    assert rules.unseal((KEY,), rules.seal((KEY, OLD), "token")) == "token"


TOKEN = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "text", ["", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), f"{TOKEN}\n", "é" * 64, "../x"]
)
def test_only_webpays_own_form_is_a_token(text: str) -> None:
    assert rules.is_webpay_token(TOKEN)
    assert not rules.is_webpay_token(text)


@pytest.mark.parametrize("text", ["", "1" * 21, "1 ", "-1", "1.0", "١", "1\n", "x"])
def test_only_digits_are_a_payment_id(text: str) -> None:
    assert rules.is_mercadopago_id("1" * 20)
    assert rules.is_mercadopago_id("7")
    assert not rules.is_mercadopago_id(text)


# Returns -----------------------------------------------------------------

_IDS = ("TBK_ID_SESION", "TBK_ORDEN_COMPRA")
_OTHER_IDS = ("TBK_ID_SESSION", "TBK_ORDEN_COMPRA")


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        ((), "invalid"),
        (("token_ws",), "normal"),
        (("TBK_TOKEN",), "aborted"),
        (("TBK_TOKEN", *_IDS), "aborted"),
        (("TBK_TOKEN", *_OTHER_IDS), "aborted"),
        (("TBK_TOKEN", "TBK_ORDEN_COMPRA"), "aborted"),
        (("TBK_TOKEN", "TBK_ID_SESION"), "aborted"),
        (_IDS, "timeout"),
        (_OTHER_IDS, "timeout"),
        (("TBK_ID_SESION",), "invalid"),
        (("TBK_ID_SESSION",), "invalid"),
        (("TBK_ORDEN_COMPRA",), "invalid"),
        (("token_ws", "TBK_TOKEN"), "form_error"),
        (("token_ws", "TBK_TOKEN", *_IDS), "form_error"),
        (("token_ws", "TBK_ORDEN_COMPRA"), "invalid"),
        (("token_ws", "TBK_ID_SESION"), "invalid"),
        (("token_ws", "TBK_ID_SESSION"), "invalid"),
        (("token_ws", *_IDS), "invalid"),
        (("else",), "invalid"),
    ],
)
def test_the_parameters_that_came_tell_which_return_it_is(
    names: tuple[str, ...], kind: str
) -> None:
    params = {name: ["x"] for name in names}
    assert rules.classify_return(params) == kind
    # A parameter that came empty did not come; one that came twice spoils them all.
    empty = {"token_ws": [], "TBK_TOKEN": [], "TBK_ID_SESION": []}
    assert rules.classify_return({**empty, **params}) == kind
    for name in names:
        if name != "else":
            doubled = {**params, name: ["x", "x"]}
            assert rules.classify_return(doubled) == "invalid"


# Evidence ----------------------------------------------------------------


def _expected(gateway: str, **values: object) -> rules.Expected:
    return rules.Expected(
        **{  # type: ignore[arg-type]
            "gateway": gateway,
            "amount": 19_990,
            "reference": "itp",
            "buy_order": "ITP1",
            "account": "7",
            "live": True,
            **values,
        }
    )


def _said(**values: object) -> rules.Said:
    return rules.Said(
        **{  # type: ignore[arg-type]
            "amount": 19_990,
            "amount_is_whole": True,
            "currency": "CLP",
            "reference": "itp",
            "buy_order": "ITP1",
            "account": "7",
            "live": True,
            **values,
        }
    )


@pytest.mark.parametrize(
    ("changed", "webpay", "mercadopago"),
    [
        ({}, (), ()),
        ({"amount": 19_991}, ("amount",), ("amount",)),
        ({"amount": None}, ("amount",), ("amount",)),
        ({"amount_is_whole": False}, ("amount",), ("amount",)),
        ({"reference": "itq"}, ("reference",), ("reference",)),
        ({"reference": None}, ("reference",), ("reference",)),
        ({"buy_order": "ITP2"}, ("buy_order",), ()),
        ({"currency": "USD"}, (), ("currency",)),
        ({"account": "8"}, (), ("account",)),
        ({"account": None}, (), ("account",)),
        ({"live": False}, (), ("live_mode",)),
        ({"live": None}, (), ("live_mode",)),
        (
            {"amount": 1, "reference": "", "buy_order": "", "currency": ""},
            ("amount", "reference", "buy_order"),
            ("amount", "reference", "currency"),
        ),
    ],
)
def test_disagreements(
    changed: dict[str, object], webpay: tuple[str, ...], mercadopago: tuple[str, ...]
) -> None:
    said = _said(**changed)
    assert rules.disagreements(_expected("webpay"), said) == webpay
    assert rules.disagreements(_expected("mercadopago"), said) == mercadopago


def test_what_the_attempt_does_not_know_is_not_compared() -> None:
    unknown = _expected("mercadopago", account=None, live=None)
    assert rules.disagreements(unknown, _said(account="9", live=False)) == ()


@pytest.mark.parametrize(
    ("order", "word", "wanted"),
    [
        ("awaiting_payment", "approved", "applied"),
        ("awaiting_payment", "partly_refunded", "applied"),
        ("awaiting_payment", "refunded", "late"),
        ("awaiting_payment", "charged_back", "late"),
        ("expired", "approved", "late"),
        ("cancelled", "approved", "late"),
        ("paid", "approved", "surplus"),
        ("refunded", "approved", "surplus"),
        ("charged_back", "approved", "surplus"),
    ],
)
def test_what_approved_money_does(order: str, word: str, wanted: str) -> None:
    assert rules.disposition(order, (), word) == wanted
    assert rules.disposition(order, ("amount",), word) == "mismatch"


# Asking again ------------------------------------------------------------

PAUSES = (20, 20, 20, 30, 30, 60, 60, 120, 300, 300, 600, 900, 1800, 3600, 7200)


def test_questions_come_at_growing_pauses_until_the_window_ends() -> None:
    far = NOW + timedelta(days=9)
    asked = [rules.next_check(number, NOW, far) for number in range(17)]
    seconds = [*PAUSES, 21_600, 21_600]
    assert asked == [NOW + timedelta(seconds=pause) for pause in seconds]
    assert rules.next_check(0, NOW, NOW + timedelta(seconds=20)) is not None
    assert rules.next_check(0, NOW, NOW + timedelta(seconds=19)) is None


def test_windows_forms_and_leases() -> None:
    assert rules.window_end("webpay", NOW) == NOW + timedelta(days=7)
    assert rules.window_end("mercadopago", NOW) == NOW + timedelta(days=30)
    assert timedelta(minutes=10) == rules.WEBPAY_FORM
    assert timedelta(minutes=3) == rules.WEBPAY_REUSE
    # Longer than a commit and a status may take: 3 + 15 s, twice.
    assert timedelta(seconds=40) == rules.COMMIT_LEASE


# Refunds -----------------------------------------------------------------


def _problem(**values: object) -> str | None:
    return refund_rules.problem(
        **{  # type: ignore[arg-type]
            "gateway": "webpay",
            "state": "approved",
            "paid": 1000,
            "refunded": 0,
            "amount": 1000,
            "payment_type": "VN",
            "approved_at": NOW,
            "now": NOW,
            **values,
        }
    )


GONE = "Este pago ya no se puede devolver."
AMOUNT = "El monto debe ser mayor que cero y no pasar de lo que queda."
BY_HAND = "Este pago se hizo por transferencia: devuélvalo por el mismo medio."
DEBIT = "Las ventas con débito se devuelven solo completas."
PREPAID = "Las ventas con prepago se devuelven solo completas."
PARTS = "Las ventas en cuotas se devuelven solo completas."


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, None),
        ({"amount": 1}, None),
        ({"state": "partly_refunded", "refunded": 400, "amount": 600}, None),
        ({"state": "partly_refunded", "refunded": 400, "amount": 601}, AMOUNT),
        ({"amount": 0}, AMOUNT),
        ({"amount": -1}, AMOUNT),
        ({"amount": 1001}, AMOUNT),
        ({"state": "rejected"}, GONE),
        ({"state": "refunded"}, GONE),
        ({"gateway": "manual"}, BY_HAND),
        ({"now": NOW + timedelta(days=90)}, None),
        (
            {"now": NOW + timedelta(days=90, seconds=1)},
            "Pasaron los 90 días del medio de pago.",
        ),
        ({"gateway": "mercadopago", "now": NOW + timedelta(days=180)}, None),
        (
            {"gateway": "mercadopago", "now": NOW + timedelta(days=180, seconds=1)},
            "Pasaron los 180 días del medio de pago.",
        ),
        ({"approved_at": None}, None),
        ({"payment_type": "VD"}, None),
        ({"payment_type": "VD", "amount": 999}, DEBIT),
        ({"payment_type": "VP", "amount": 999}, PREPAID),
        ({"payment_type": "VC", "amount": 999}, PARTS),
        ({"payment_type": "SI", "amount": 999}, PARTS),
        ({"payment_type": "S2", "amount": 999}, PARTS),
        ({"payment_type": "NC", "amount": 999}, PARTS),
        ({"gateway": "mercadopago", "payment_type": "VD", "amount": 999}, None),
    ],
)
def test_what_may_be_given_back(values: dict[str, object], says: str | None) -> None:
    assert _problem(**values) == says


def test_a_refund_has_these_moves_and_no_other() -> None:
    assert {state: sorted(to) for state, to in refund_rules.TRANSITIONS.items()} == {
        "requested": ["sent"],
        "sent": ["confirmed", "rejected"],
        "rejected": ["paid_by_hand", "requested"],
        "confirmed": [],
        "paid_by_hand": [],
    }
    assert refund_rules.IN_FLIGHT == ("requested", "sent")
    assert refund_rules.GIVABLE == ("approved", "partly_refunded")
    assert timedelta(minutes=1) == refund_rules.SECOND_TAP
    assert refund_rules.MAX_TRIES == 6


@pytest.mark.parametrize(
    ("amounts", "back", "count"),
    [
        ([], 0, 0),
        ([], 10, 0),
        ([10], 9, 0),
        ([10], 10, 1),
        ([10], 11, 1),
        ([10, 5], 10, 1),
        ([10, 5], 14, 1),
        ([10, 5], 15, 2),
        # Oldest first: a small one behind a large one waits for it.
        ([10, 5], 5, 0),
    ],
)
def test_pesos_back_account_for_the_oldest_refunds(
    amounts: list[int], back: int, count: int
) -> None:
    assert refund_rules.covered(amounts, back) == count


@pytest.mark.parametrize(
    ("detail", "words"),
    [
        (
            "unreadable",
            "El medio de pago ya no dice si la hizo. Búsquela antes en su panel (en "
            "Webpay, el portal de Transbank): si figura hecha, anótela; si no, intente "
            "de nuevo.",
        ),
        (
            "unconfirmed",
            "El medio de pago nunca la confirmó. Búsquela en su panel.",
        ),
        (
            "no_key",
            "El portal ya no puede abrir este pago: se cambió la clave SECRET_KEY. "
            "Devuélvalo en el portal de Transbank o por transferencia.",
        ),
        ("HTTP 422", "El medio de pago no la aceptó (HTTP 422)."),
        ("", "El medio de pago no la aceptó (sin detalle)."),
        (None, "El medio de pago no la aceptó (sin detalle)."),
    ],
)
def test_the_owner_reads_why_a_refund_was_rejected(
    detail: str | None, words: str
) -> None:
    assert refund_rules.rejection_words(detail) == words


def test_a_sent_refund_is_asked_about_at_growing_pauses() -> None:
    pauses = [15, 60, 300, 1800, 7200, 21_600, 21_600]
    found = [refund_rules.next_try(number, NOW) - NOW for number in range(7)]
    assert found == [timedelta(seconds=pause) for pause in pauses]
