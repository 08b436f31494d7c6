"""Routes that compile what `url_for` needs when it is first asked of them."""

from collections.abc import Callable

from werkzeug.routing import Rule

Builder = Callable[..., tuple[str, str]]


class Route(Rule):
    """A rule of the address map.

    Werkzeug writes, parses and compiles two functions for each rule as it is added; for
    all of ours that was an eighth of a start, and most processes use a few of them.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Builder:
        compile_now = super()._compile_builder
        compiled: list[Builder] = []

        def build(route: Rule, /, **values: object) -> tuple[str, str]:
            if not compiled:
                compiled.append(compile_now(append_unknown))
            return compiled[0](route, **values)

        return build
