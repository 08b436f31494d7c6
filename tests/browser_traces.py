"""What a page leaves in the browser: where it may be looked for, and what may be there.

The portal keeps nothing in a browser but its cookies, which no script reads, and
htmx's own mark in the history. Whatever else is found is a trace.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request

_KEPT = """async () => {
  const history_state = JSON.stringify(history.state);
  const found = {
    localStorage: JSON.stringify({...localStorage}),
    sessionStorage: JSON.stringify({...sessionStorage}),
    indexedDB: JSON.stringify((await indexedDB.databases()).map(it => it.name)),
    cacheStorage: JSON.stringify(await globalThis.caches?.keys() ?? []),
    workers: String((await navigator.serviceWorker?.getRegistrations() ?? []).length),
    cookie: document.cookie,
    window_name: window.name,
    history_state: history_state === '{"htmx":true}' ? "null" : history_state,
  };
  const empty = ["", "0", "{}", "[]", "null"];
  return Object.entries(found).filter(([, text]) => !empty.includes(text));
}"""
# The files of a profile that pages write; its history of addresses is the reader's own.
_CACHES = ("Cache", "Code Cache", "GPUCache", "DawnGraphiteCache", "DawnWebGPUCache")
_STORES = (
    *("Local Storage", "Session Storage", "IndexedDB", "Service Worker"),
    *("WebStorage", "File System", "blob_storage", "shared_proto_db"),
)
_ADDRESS = re.compile(rb"https?://[\w.:-]+/[^\x00-\x20\x7f-\xff<>\"']*")


def kept_by(page: Page) -> dict[str, str]:
    """Everything that scripts of the page's origin can find again, by where it lies."""
    return dict(page.evaluate(_KEPT))


def tells_on(request: Request) -> str:
    """What the request tells of the page it comes from to any other place, or ''."""
    referer = request.headers.get("referer", "")
    # The simulator, which stands for others' sites, lives at 127.0.0.1.
    return f"{request.url} heard {referer}" if "//localhost:" in referer else ""


def is_to_another(request: Request, url: str) -> bool:
    """Whether the request leaves the origin of `url`."""
    return urlsplit(request.url)[:2] != urlsplit(url)[:2]


def cached_addresses(profile: Path) -> set[str]:
    """Every address whose answer a closed browser has kept on its disk."""
    return {
        found.decode("latin-1")
        for path in _files(profile, _CACHES)
        for found in _ADDRESS.findall(path.read_bytes())
    }


def stored_bytes(profile: Path) -> bytes:
    """All that a closed browser's caches and stores hold, joined."""
    return b"\n".join(
        path.read_bytes() for path in _files(profile, (*_CACHES, *_STORES))
    )


def _files(profile: Path, folders: tuple[str, ...]) -> list[Path]:
    return [
        path
        for path in profile.rglob("*")
        if path.is_file() and set(path.relative_to(profile).parts[:-1]) & set(folders)
    ]
