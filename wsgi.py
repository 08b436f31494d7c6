"""The application for a WSGI server."""

from portal import create_app, logs, watchdog
from portal.web import settings_of
from portal.worker.watch_service import watch_from_first_request

app = create_app()
logs.to_json(settings_of(app))
watchdog.attach(app, settings_of(app).request_limit)
watch_from_first_request(app, settings_of(app))
