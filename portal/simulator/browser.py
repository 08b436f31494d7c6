"""Where a gateway sends the payer's browser."""

from dataclasses import asdict, dataclass, field
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from portal.simulator.store import Json


@dataclass(frozen=True)
class BrowserReturn:
    """Where the payer's browser goes; method NONE means that it never comes back."""

    method: str
    url: str = ""
    params: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> Json:
        return asdict(self)

    @property
    def address(self) -> str:
        """The whole address of a return by GET."""
        return with_query(self.url, self.params)


NEVER = BrowserReturn("NONE")


def with_query(url: str, params: dict[str, str]) -> str:
    """The URL with these parameters added to those it has."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True) + list(params.items())
    return urlunsplit(parts._replace(query=urlencode(query)))
