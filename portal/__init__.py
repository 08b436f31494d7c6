"""The paid-support portal, a program of several processes."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from portal.config import Settings


def create_app(settings: "Settings | None" = None) -> "Flask":
    """Build the application. Raises ConfigurationError with every problem at once."""
    # Not above: Python runs this file for any part of the portal, and the launcher and
    # the simulator take a few small ones, for which they would import every feature.
    from portal.composition import compose

    return compose(settings)
