"""The application for a WSGI server."""

from portal import create_app
from portal.worker.watch_service import watch_from_first_request

app = create_app()
watch_from_first_request(app, app.extensions["portal_settings"])
