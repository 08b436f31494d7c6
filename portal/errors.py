"""Domain errors: facts that a service states and a view turns into an answer."""


class PortalError(Exception):
    """Base of all domain errors. `str(error)` is safe to show to a person."""


class ConfigurationError(PortalError):
    """The environment is missing something or holds something malformed.

    `problems` lists every fault found, one sentence each, never with a secret.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


class NotFoundError(PortalError):
    """The thing asked for does not exist, or is not the asker's to see."""


class ConflictError(PortalError):
    """The act came too late: somebody or something changed the state before it."""


class StaleStateError(ConflictError):
    """A compare-and-set found another state or version than the one expected."""


class RefusedError(PortalError):
    """A business rule forbids the act; the message says why, in Spanish."""


class BusyError(PortalError):
    """The database is locked or full: the caller may try again later (503)."""
