"""Static files under hashed names, and compressed answers.

Every static file is read once at start. `static_url("app.css")` gives
`/static/app.<hash>.css`, which browsers may keep for a year; the plain name answers
too, but must be asked again each time. Bodies are compressed once per coding.

Compressed pages hold secrets, so BREACH was weighed: Flask-WTF signs its token with the
second of the rendering, hence no two answers carry the same one for long; the session
cookie is SameSite=Lax, so a foreign page cannot ask with it unseen; and whoever
can ask for a secret link's page already knows the link.
"""

import gzip
import hashlib
import mimetypes
from functools import lru_cache
from pathlib import Path

import brotli
from flask import Flask, Response, abort, request

MIN_COMPRESSED_BYTES = 500
_YEAR = "public, max-age=31536000, immutable"
_CSP = "default-src 'none'; frame-ancestors 'none'"
_PAGE_BROTLI_QUALITY = 5
# A full board, drawn for many screens at once: a third of the time, a tenth more bytes.
_LARGE_BYTES, _LARGE_BROTLI_QUALITY = 100_000, 3
_PAGE_GZIP_LEVEL = 6
_TYPES = {".webmanifest": "application/manifest+json", ".js": "text/javascript"}
_TEXT = ("text/", "application/json", "application/manifest+json", "image/svg+xml")


class StaticFiles:
    """The static folder as it was at start, by plain and by hashed name."""

    def __init__(self, folder: Path) -> None:
        self._bodies: dict[str, bytes] = {}
        self._hashed: dict[str, str] = {}
        self._plain: dict[str, str] = {}
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            name = path.relative_to(folder).as_posix()
            self._bodies[name] = path.read_bytes()
            digest = hashlib.sha256(self._bodies[name]).hexdigest()[:8]
            hashed = f"{name.removesuffix(path.suffix)}.{digest}{path.suffix}"
            self._hashed[name] = hashed
            self._plain[hashed] = name
        self.encoded = lru_cache(maxsize=None)(self._encode)

    def url(self, name: str) -> str:
        """The address of a static file. Raises KeyError when there is no such file."""
        return f"/static/{self._hashed[name]}"

    def _encode(self, name: str, coding: str) -> bytes:
        return encode(self._bodies[name], coding, brotli_quality=11, gzip_level=9)

    def answer(self, filename: str) -> Response:
        """The file under its hashed or plain name, in a coding the client accepts."""
        name = self._plain.get(filename, filename)
        if name not in self._bodies:
            abort(404)
        content_type = content_type_of(name)
        coding = accepted_coding() if content_type.startswith(_TEXT) else ""
        response = Response(self.encoded(name, coding), content_type=content_type)
        if coding:
            response.headers["Content-Encoding"] = coding
        response.vary.add("Accept-Encoding")
        immutable = filename in self._plain
        response.headers["Cache-Control"] = _YEAR if immutable else "no-cache"
        response.headers["Content-Security-Policy"] = _CSP
        if not immutable:
            response.add_etag()
            response.make_conditional(request)
        return response


def content_type_of(name: str) -> str:
    """The media type of a static file, with its charset where it is text."""
    suffix = Path(name).suffix
    guessed = _TYPES.get(suffix) or mimetypes.guess_type(name)[0]
    content_type = guessed or "application/octet-stream"
    is_text = content_type.startswith("text/")
    return f"{content_type}; charset=utf-8" if is_text else content_type


def accepted_coding() -> str:
    """`br`, `gzip` or nothing: the best coding that this request accepts."""
    accepted = request.accept_encodings
    best = max(("br", "gzip"), key=lambda coding: accepted[coding])
    return best if accepted[best] > 0 else ""


def encode(
    body: bytes,
    coding: str,
    brotli_quality: int = _PAGE_BROTLI_QUALITY,
    gzip_level: int = _PAGE_GZIP_LEVEL,
) -> bytes:
    """`body` in `coding`; as it is when there is none."""
    if coding == "br":
        packed: bytes = brotli.compress(body, quality=brotli_quality)
        return packed
    if coding == "gzip":
        return gzip.compress(body, gzip_level, mtime=0)
    return body


def _compress_answer(response: Response) -> Response:
    """Compress a page of some size; what is streamed or already coded stays."""
    headers = response.headers
    if (
        response.status_code == 204
        or response.direct_passthrough
        or response.is_streamed
        or "Content-Encoding" in headers
        or not response.content_type.startswith(_TEXT)
    ):
        return response
    response.vary.add("Accept-Encoding")
    body = response.get_data()
    coding = accepted_coding()
    if coding and len(body) >= MIN_COMPRESSED_BYTES:
        large = len(body) > _LARGE_BYTES
        quality = _LARGE_BROTLI_QUALITY if large else _PAGE_BROTLI_QUALITY
        response.set_data(encode(body, coding, quality))
        headers["Content-Encoding"] = coding
    return response


def init_app(app: Flask) -> None:
    """Serve static files and compress answers.

    It must hang before any other `after_request`: Flask runs them from last to first,
    and the body is compressed when all others have seen it.
    """
    files = StaticFiles(Path(app.root_path) / "static")
    app.add_url_rule("/static/<path:filename>", "static", files.answer)
    app.extensions["portal_static_files"] = files
    app.jinja_env.globals["static_url"] = files.url
    app.after_request(_compress_answer)
