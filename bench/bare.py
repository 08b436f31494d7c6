"""What the home page is compared with: Flask, one SELECT, a template of the same size.

BARE_URL is the database, BARE_BYTES the size of the answer. Compressed as the portal's
own pages are, when it is asked for, so that only the page itself differs.
"""

import os

import pysqlite3.dbapi2
from flask import Flask, Response, render_template_string
from sqlalchemy import create_engine, text

from portal.assets import accepted_coding, encode
from portal.buffer import Buffered

app = Flask(__name__)
engine = create_engine(os.environ["BARE_URL"], module=pysqlite3.dbapi2)
_ROWS = text("SELECT slug, title, covered FROM topics ORDER BY id LIMIT 25")
_PAGE = """<!doctype html><html lang="es"><head><title>{{ title }}</title></head><body>
<ul>{% for row in rows %}
<li id="{{ row.slug }}">{{ row.title }}{% if row.covered %} (sí){% endif %}</li>
{% endfor %}</ul>
<p>{{ padding }}</p></body></html>"""
_BYTES = int(os.environ["BARE_BYTES"])
# Words, not one letter: compressing them is work, as with any page.
_PADDING = " ".join(f"palabra{number * 7919 % 1009}" for number in range(4_000))


@app.get("/")
def page() -> str:
    with engine.connect() as connection:
        rows = connection.execute(_ROWS).all()
    return render_template_string(
        _PAGE, title="Página", rows=rows, padding=_PADDING[: _BYTES - 2_000]
    )


@app.after_request
def compress(response: Response) -> Response:
    if coding := accepted_coding():
        response.set_data(encode(response.get_data(), coding))
        response.headers["Content-Encoding"] = coding
    return response


@app.get("/salud")
def health() -> str:
    return "ok"


buffered = Buffered(app)
