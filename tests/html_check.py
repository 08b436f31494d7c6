"""A small judge of HTML: nesting, ids and references. The whole one is `make pages`."""

from html.parser import HTMLParser

_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input"))
_VOID |= {"link", "meta", "source", "wbr"}
# What may not stand inside a paragraph.
_BLOCKS = frozenset(("address", "article", "aside", "details", "div", "dl", "fieldset"))
_BLOCKS |= {"footer", "form", "h1", "h2", "h3", "h4", "header", "hr", "main", "nav"}
_BLOCKS |= {"ol", "p", "pre", "section", "table", "ul"}
_INTERACTIVE = frozenset(("a", "button", "details", "input", "label", "select"))
_REFERENCES = ("for", "aria-labelledby", "aria-describedby", "aria-controls")


class _Judge(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.problems: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if len(known) != len(attrs):
            self.problems.append(f"<{tag}> repeats an attribute")
        if known.get("id"):
            self.ids.append(str(known["id"]))
        for name in _REFERENCES:
            self.references += str(known.get(name) or "").split()
        self._nesting(tag)
        if tag not in _VOID:
            self.open.append(tag)

    def _nesting(self, tag: str) -> None:
        if tag in _BLOCKS and "p" in self.open:
            self.problems.append(f"<{tag}> inside <p>")
        if tag == "form" and "form" in self.open:
            self.problems.append("<form> inside <form>")
        for outer in {"a", "button"} & set(self.open):
            if tag in _INTERACTIVE:
                self.problems.append(f"<{tag}> inside <{outer}>")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> closes <{self.open[-1:]}>")
        if tag in self.open:
            while self.open.pop() != tag:
                pass


def html_problems(source: str) -> list[str]:
    """What is wrong with a page's HTML; an empty list when nothing was found."""
    judge = _Judge()
    judge.feed(source)
    judge.close()
    repeated = {one for one in judge.ids if judge.ids.count(one) > 1}
    lost = set(judge.references) - set(judge.ids)
    return [
        *judge.problems,
        *(f"<{tag}> is never closed" for tag in judge.open),
        *(f"id {one} twice" for one in sorted(repeated)),
        *(f"nothing has the id {one}" for one in sorted(lost)),
    ]
