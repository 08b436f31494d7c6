"""`make pages`: what each page weighs, scores and breaks, in the real demo.

Prints one row a page, writes docs/paginas.md and var/pages.json. `--only TEXT` measures
the pages whose name has the text; `--no-lighthouse` is quick; neither touches docs/.
`--resume` keeps the Lighthouse scores of a run that was cut off, and measures the rest.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from demo import ROOT, Demo, Sight, axe_findings, chrome, running_demo, stop_polling
from playwright.sync_api import Browser, BrowserContext, CDPSession, Request
from slow_link import slow_link
from tables import as_markdown, as_text

BENCH = ROOT / "bench"
KEPT = ROOT / "var" / "pages.json"
TOOLS = BENCH / "node_modules" / ".bin"
PHONE = {"viewport": {"width": 360, "height": 740}, "locale": "es-CL"}
CHROME_FLAGS = "--headless=new --no-sandbox --disable-quic --disable-gpu"
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
TRIES = 3
# Bits a second, milliseconds there and back; and how many times slower the processor.
NETWORKS = {"4g": (1_600_000, 150), "bad": (400_000, 400)}
SLOWER = 4
TIMED = {"inicio", "servicio-soporte-online", "revision", "espera", "reloj-en-curso"}
_LAST_PAINT = """() => new Promise(done => {
  let last = 0;
  new PerformanceObserver(list => list.getEntries().forEach(e => last = e.startTime))
    .observe({type: "largest-contentful-paint", buffered: true});
  setTimeout(() => done(last), 1500);
})"""
_SHIFT = """() => new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(e => sum += e.value))
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 200);
})"""


@dataclass
class Row:
    """What was measured of one page. Bytes; milliseconds; scores of 100."""

    name: str
    staff: bool
    bytes: int = 0
    requests: int = 0
    html: int = 0
    axe: list[str] = field(default_factory=list)
    invalid: list[str] = field(default_factory=list)
    shift: float = 0.0
    wide: bool = False
    scores: dict[str, int] = field(default_factory=dict)
    weak: list[str] = field(default_factory=list)
    paints: dict[str, float] = field(default_factory=dict)


class Traffic:
    """Counts what comes over the network, as the browser's own tools tell it."""

    def __init__(self, cdp: CDPSession) -> None:
        self.cdp = cdp
        self.urls: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        cdp.on("Network.requestWillBeSent", self._sent)
        cdp.on("Network.loadingFinished", self._finished)
        cdp.send("Network.enable")

    def _sent(self, event: dict[str, Any]) -> None:
        url = event["request"]["url"]
        if url.startswith("data:") or url.endswith("manifest.webmanifest"):
            return
        if event["type"] == "Document":
            self.urls.clear()
            self.sizes.clear()
        self.urls[event["requestId"]] = url

    def _finished(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self.urls:
            self.sizes[event["requestId"]] = int(event["encodedDataLength"])

    def empty_cache(self) -> None:
        self.cdp.send("Network.clearBrowserCache")


class Bench:
    """Measures each page in a browser of its own, then by Lighthouse."""

    def __init__(self, demo: Demo, browser: Browser, folder: Path, deep: bool) -> None:
        self.demo, self.browser, self.folder, self.deep = demo, browser, folder, deep
        self.cookies: dict[str, list[Any]] = {}
        self.kept: dict[str, dict[str, Any]] = {}

    def context(self, sight: Sight) -> BrowserContext:
        context = self.browser.new_context(**PHONE)  # type: ignore[arg-type]
        if sight.role:
            if sight.role not in self.cookies:
                self.demo.log_in(context.new_page(), sight.role)
                self.cookies[sight.role] = list(context.cookies())
                context.close()
                return self.context(sight)
            context.add_cookies(self.cookies[sight.role])
        return context

    def measure(self, sight: Sight) -> Row:
        row = Row(sight.name, staff=not sight.of_customer)
        context = self.context(sight)
        self._in_browser(sight, context, row)
        context.close()
        if sight.name in TIMED:
            for name in NETWORKS:
                seen = [self._paint(sight, name) for _ in range(TRIES)]
                row.paints[name] = statistics.median(seen)
        if kept := self.kept.get(sight.name, {}).get("scores"):
            row.scores, row.weak = kept, self.kept[sight.name]["weak"]
            row.paints["lighthouse"] = self.kept[sight.name]["paints"]["lighthouse"]
        elif self.deep and not sight.act:
            for _ in range(TRIES):
                self._lighthouse(sight, row)
                if row.scores.get("performance") == 100:
                    break
        return row

    def _in_browser(self, sight: Sight, context: BrowserContext, row: Row) -> None:
        page = context.new_page()
        traffic = Traffic(context.new_cdp_session(page))
        stop_polling(page)
        documents: list[Request] = []
        page.on(
            "requestfinished",
            lambda request: (
                documents.append(request) if request.is_navigation_request() else None
            ),
        )
        page.goto(self.demo.url + sight.path, wait_until="networkidle")
        if sight.act:
            traffic.empty_cache()
            sight.act(page)
            page.wait_for_load_state("networkidle")
        row.requests = len(traffic.urls)
        row.bytes = sum(traffic.sizes.values())
        row.html = documents[-1].sizes()["responseBodySize"]
        row.shift = round(page.evaluate(_SHIFT), 4)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            row.axe += axe_findings(page)
        row.wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
        (self.folder / f"{sight.name}.html").write_text(_source(documents[-1]))

    def _paint(self, sight: Sight, network: str) -> float:
        """When the largest piece was last painted, cold, in milliseconds."""
        context = self.context(sight)
        page = context.new_page()
        cdp = context.new_cdp_session(page)
        cdp.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        with slow_link(self.demo.stack.port, *NETWORKS[network]) as port:
            page.goto(f"http://localhost:{port}{sight.path}")
            painted = float(page.evaluate(_LAST_PAINT))
            context.close()
        return painted

    def _lighthouse(self, sight: Sight, row: Row) -> None:
        report = self.folder / f"{sight.name}.json"
        headers = {}
        if sight.role:
            cookies = self.cookies[sight.role]
            headers["Cookie"] = "; ".join(f"{c['name']}={c['value']}" for c in cookies)
        done = subprocess.run(
            [
                *("timeout", "120"),
                *(TOOLS / "lighthouse", self.demo.url + sight.path, "--quiet"),
                *("--output=json", f"--output-path={report}", "--ignore-status-code"),
                f"--only-categories={','.join(CATEGORIES)}",
                f"--chrome-flags={CHROME_FLAGS}",
                # A page that polls is never quiet; blocked, its polls read as errors.
                "--max-wait-for-load=9000",
                f"--extra-headers={json.dumps(headers)}",
            ],
            check=False,
            env={**os.environ, "CHROME_PATH": _chrome_path()},
        )
        if done.returncode == 0:  # else its browser stumbled: another try
            _read(json.loads(report.read_text()), sight, row)


def _source(document: Request) -> str:
    answer = document.response()
    assert answer is not None
    return answer.text()


def _chrome_path() -> str:
    from browser_watch import whole_chromium

    return whole_chromium()


def _read(report: dict[str, Any], sight: Sight, row: Row) -> None:
    """The scores, the best of all tries; what took points away in the last."""
    row.weak = []
    for name in CATEGORIES:
        if name == "seo" and not sight.indexed:
            continue
        category = report["categories"][name]
        score = round((category["score"] or 0) * 100)
        row.scores[name] = max(score, row.scores.get(name, 0))
        for ref in category["auditRefs"]:
            audit = report["audits"][ref["id"]]
            graded = ref["weight"] and audit["score"] is not None
            if graded and audit["score"] < 0.9:
                row.weak.append(ref["id"])
    lcp = report["audits"]["largest-contentful-paint"].get("numericValue")
    if lcp:
        row.paints["lighthouse"] = min(lcp, row.paints.get("lighthouse", lcp))


def validate(folder: Path, rows: list[Row]) -> None:
    """What html-validate says of each page's source."""
    answer = folder / "html-validate.json"
    with answer.open("w") as output:  # a pipe would lose what is beyond its buffer
        subprocess.run(
            [
                *(TOOLS / "html-validate", "--config", BENCH / "htmlvalidate.json"),
                *("--formatter", "json", f"{folder}/*.html"),
            ],
            stdout=output,
            check=False,
        )
    found: dict[str, list[str]] = {}
    for file in json.loads(answer.read_text()):
        found[Path(file["filePath"]).stem] = [
            f"{m['ruleId']} {m['line']}:{m['column']} {m['message']}"
            for m in file["messages"]
        ]
    for row in rows:
        row.invalid = found.get(row.name, [])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--no-lighthouse", action="store_true")
    parser.add_argument("--resume", action="store_true")
    options = parser.parse_args()
    rows: list[Row] = []
    with (
        tempfile.TemporaryDirectory() as name,
        running_demo() as demo,
        chrome() as browser,
    ):
        folder = Path(name)
        bench = Bench(demo, browser, folder, deep=not options.no_lighthouse)
        if options.resume:
            bench.kept = {row["name"]: row for row in json.loads(KEPT.read_text())}
        for sight in demo.sights():
            if options.only not in sight.name:
                continue
            sight.prepare()
            rows.append(bench.measure(sight))
            print(as_text(rows[-1]), flush=True)
            keep([*bench.kept.values(), *(asdict(row) for row in rows)])
        validate(folder, rows)
    write(rows, whole=not options.only and not options.no_lighthouse)
    problems = [f"{r.name}: {text}" for r in rows for text in (*r.axe, *r.invalid)]
    print("\n".join(problems))
    return 1 if problems else 0


def keep(rows: list[dict[str, Any]]) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n")


def write(rows: list[Row], whole: bool) -> None:
    keep([asdict(row) for row in rows])
    if whole:
        (ROOT / "docs" / "paginas.md").write_text(as_markdown(rows))


if __name__ == "__main__":
    sys.exit(main())
