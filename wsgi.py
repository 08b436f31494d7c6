"""The application for a server: `app` by WSGI, `buffered` by granian's RSGI."""

import gc
import sys

# What the imports make lives for ever: to look through it for garbage again and again
# is a tenth of the start.
gc.disable()

from portal import create_app, logs, watchdog  # noqa: E402
from portal.buffer import Buffered  # noqa: E402
from portal.errors import ConfigurationError  # noqa: E402
from portal.launch import BAD_CONFIGURATION  # noqa: E402
from portal.web import quiet_of, settings_of  # noqa: E402
from portal.worker.watch_service import watch_from_first_request  # noqa: E402

try:
    app = create_app()
except ConfigurationError as error:
    print(error, file=sys.stderr)
    sys.exit(BAD_CONFIGURATION)
logs.to_json(settings_of(app))
watchdog.attach(app, settings_of(app).request_limit)
watch_from_first_request(app, settings_of(app))
buffered = Buffered(app, quiet_of(app).at_once)
gc.freeze()
gc.enable()
