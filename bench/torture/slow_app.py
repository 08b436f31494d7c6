"""The portal with one view more, that takes as long as it is told."""

import time

from flask import request

from portal import create_app, watchdog
from portal.buffer import Buffered
from portal.web import settings_of

app = create_app()
watchdog.attach(app, settings_of(app).request_limit)


@app.get("/lenta")
def slow() -> str:
    """`?s=`: how many seconds."""
    time.sleep(float(request.args["s"]))
    return "ok"


buffered = Buffered(app)
