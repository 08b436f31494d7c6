"""`flask user add`, `flask user password`."""

import pytest
from sqlalchemy import select

from portal.accounts.models import Staff, StaffSession

GOOD = {"role": "owner", "email": "Rosa@Demo.cl", "name": "Rosa"}


def run(app, password="una-clave-larga\n", **options):
    arguments = ["user", "add", "--password-stdin"]
    for name, value in (GOOD | options).items():
        arguments += [f"--{name}", value]
    return app.test_cli_runner().invoke(args=arguments, input=password)


def test_account_can_log_in_with_the_password_from_standard_input(app, client) -> None:
    result = run(app)
    assert (result.exit_code, result.output) == (0, "Account 1 added: owner.\n")
    answer = client.post(
        "/ingresar", data={"email": "rosa@demo.cl", "password": "una-clave-larga"}
    )
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("password", "options", "said"),
    [
        ("corta\n", {}, "contraseña"),
        ("", {}, "contraseña"),
        ("itplusnet2026\n", {}, "adivinar"),
        ("una-clave-larga\n", {"email": "rosa"}, "correo"),
        ("una-clave-larga\n", {"name": " "}, "nombre"),
        ("una-clave-larga\n", {"role": "boss"}, "boss"),
    ],
)
def test_malformed_account_is_refused(app, session, password, options, said) -> None:
    result = run(app, password, **options)
    assert result.exit_code != 0
    assert said in result.output
    assert session.scalars(select(Staff)).all() == []


def test_second_account_with_one_address_is_refused(app) -> None:
    run(app)
    result = run(app, email="ROSA@demo.cl")
    assert result.exit_code == 1
    assert "Ya hay una cuenta" in result.output


@pytest.mark.parametrize(
    "args",
    [
        ["user", "add", "--role", "owner", "--email", "a@b.cl", "--name", "A"],
        ["user", "password", "--email", "a@b.cl"],
    ],
)
def test_password_is_never_an_argument(app, args) -> None:
    result = app.test_cli_runner().invoke(args=args)
    assert result.exit_code == 2


def change(app, password, email="Rosa@Demo.cl"):
    return app.test_cli_runner().invoke(
        args=["user", "password", "--email", email, "--password-stdin"], input=password
    )


def log_in(client, password):
    return client.post(
        "/ingresar", data={"email": "rosa@demo.cl", "password": password}
    ).status_code


def test_owner_who_forgot_hers_is_given_another_password(app, client, session) -> None:
    run(app)
    assert log_in(client, "una-clave-larga") == 303
    result = change(app, "otra-clave-distinta\n")
    assert (result.exit_code, result.output) == (
        0,
        "Account 1 has another password.\n",
    )
    assert session.scalars(select(StaffSession)).all() == []
    client.delete_cookie("session")
    assert log_in(client, "una-clave-larga") == 422
    assert log_in(client, "otra-clave-distinta") == 303


@pytest.mark.parametrize(
    ("password", "email", "said"),
    [
        ("corta\n", "rosa@demo.cl", "contraseña"),
        ("rosa@demo.cl\n", "rosa@demo.cl", "adivinar"),
        ("otra-clave-distinta\n", "ana@demo.cl", "No hay una cuenta"),
    ],
)
def test_password_that_will_not_do_changes_nothing(
    app, client, password, email, said
) -> None:
    run(app)
    result = change(app, password, email)
    assert result.exit_code == 1
    assert said in result.output
    assert log_in(client, "una-clave-larga") == 303
