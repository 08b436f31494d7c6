"""Static files under hashed names, and what is compressed."""

import gzip
import re

import brotli
import pytest
from flask import Flask, Response
from flask.testing import FlaskClient

LONG = "á" * 600


@pytest.fixture
def css_url(app: Flask) -> str:
    return str(app.jinja_env.globals["static_url"]("app.css"))


def test_static_url_names_the_content(css_url: str) -> None:
    assert re.fullmatch(r"/static/app\.[0-9a-f]{8}\.css", css_url)


def test_static_url_refuses_an_unknown_file(app: Flask) -> None:
    with pytest.raises(KeyError):
        app.jinja_env.globals["static_url"]("nothing.css")


def test_hashed_file_is_kept_for_a_year(client: FlaskClient, css_url: str) -> None:
    answer = client.get(css_url)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.content_type == "text/css; charset=utf-8"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in answer.headers


def test_plain_name_is_asked_again_each_time(client: FlaskClient) -> None:
    first = client.get("/static/app.css")
    assert first.headers["Cache-Control"] == "no-cache"
    known = {"If-None-Match": first.headers["ETag"]}
    again = client.get("/static/app.css", headers=known)
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("br", "br"),
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("gzip;q=1, br;q=0.1", "gzip"),
        ("br;q=0", None),
        ("identity", None),
    ],
)
def test_static_coding_is_the_best_accepted(
    client: FlaskClient, css_url: str, accepted: str, coding: str | None
) -> None:
    plain = client.get(css_url).data
    answer = client.get(css_url, headers={"Accept-Encoding": accepted})
    decode = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[coding]
    assert answer.headers.get("Content-Encoding") == coding
    assert decode(answer.data) == plain


def test_pictures_are_not_compressed_again(client: FlaskClient) -> None:
    answer = client.get("/static/icon-192.png", headers={"Accept-Encoding": "br"})
    assert answer.content_type == "image/png"
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/static/",
        "/static/app.00000000.css",
        "/static/../config.py",
        "/static/%2e%2e/config.py",
        "/static//etc/passwd",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_static_is_only_read(client: FlaskClient, css_url: str, method: str) -> None:
    assert client.open(css_url, method=method).status_code == 405


@pytest.fixture
def answers(app: Flask) -> FlaskClient:
    """Pages that show what is compressed."""
    app.add_url_rule("/corta", "short", lambda: "corta")
    app.add_url_rule("/larga", "long", lambda: LONG)
    app.add_url_rule(
        "/planilla", "sheet", lambda: Response(LONG, content_type="application/zip")
    )
    app.add_url_rule("/flujo", "stream", lambda: Response(iter([LONG])))
    return app.test_client()


def test_a_long_page_is_compressed(answers: FlaskClient) -> None:
    answer = answers.get("/larga", headers={"Accept-Encoding": "gzip, br"})
    assert answer.headers["Content-Encoding"] == "br"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert brotli.decompress(answer.data).decode() == LONG


@pytest.mark.parametrize("path", ["/corta", "/planilla", "/flujo"])
def test_short_coded_and_streamed_answers_stay(answers: FlaskClient, path: str) -> None:
    answer = answers.get(path, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in answer.headers


def test_a_browser_that_accepts_nothing_reads_plain_text(answers: FlaskClient) -> None:
    assert answers.get("/larga").text == LONG


def test_csrf_token_differs_between_seconds(client: FlaskClient, app: Flask) -> None:
    """Compressed pages must not repeat a secret for long (BREACH)."""
    tokens = set()
    for seconds in (0, 1):
        with app.test_request_context():
            from flask import session
            from flask_wtf.csrf import generate_csrf

            session["csrf_token"] = "0" * 40
            with pytest.MonkeyPatch.context() as patch:
                moment = 1_790_000_000 + seconds
                patch.setattr("itsdangerous.timed.time.time", lambda m=moment: m)
                tokens.add(generate_csrf())
    assert len(tokens) == 2
