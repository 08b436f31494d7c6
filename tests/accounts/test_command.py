"""`flask user add`."""

import pytest
from sqlalchemy import select

from portal.accounts.models import Staff

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


def test_password_is_never_an_argument(app) -> None:
    result = app.test_cli_runner().invoke(
        args=["user", "add", "--role", "owner", "--email", "a@b.cl", "--name", "A"]
    )
    assert result.exit_code == 2
