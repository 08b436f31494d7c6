"""What is taken out of a request before anything reads it."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

from flask import Flask
from werkzeug.datastructures import ImmutableMultiDict


def read_only_forms(app: Flask) -> None:
    """Let a body be a form of texts, or nothing.

    Flask-WTF would take JSON, however deep, and uploaded files for fields as well,
    around the gate that every text has; no page of the portal reads either.
    """

    class FormRequest(app.request_class):  # type: ignore[name-defined, misc]
        @property
        def is_json(self) -> bool:
            return False

        def _load_form_data(self) -> None:
            super()._load_form_data()
            form = self.__dict__["form"]
            if None in form:  # a part without a name, which Flask-WTF would trip over
                named = [it for it in form.items(multi=True) if it[0] is not None]
                self.__dict__["form"] = ImmutableMultiDict(named)

        @property
        def files(self) -> ImmutableMultiDict[str, Any]:
            return ImmutableMultiDict()

        def _get_file_stream(self, *_about: object, **_more: object) -> BytesIO:
            return BytesIO()  # of a bounded body, and never a file on the disk

    app.request_class = FormRequest


def without_nul(wsgi_app: Callable[..., Any]) -> Callable[..., Any]:
    """Put the sign of what cannot be read in place of a NUL in an address.

    No address of ours has one, and PostgreSQL takes none in a text.
    """
    unreadable = "\ufffd".encode().decode("latin-1")

    def clean(environ: dict[str, Any], start_response: Any) -> Any:
        environ["PATH_INFO"] = environ["PATH_INFO"].replace("\0", unreadable)
        query = environ.get("QUERY_STRING", "").replace("\0", "%00")
        environ["QUERY_STRING"] = query.replace("%00", "%EF%BF%BD")
        return wsgi_app(environ, start_response)

    return clean
