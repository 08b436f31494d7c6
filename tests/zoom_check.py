"""A page zoomed in: 320 pixels wide (400 % of 1280), and text twice as large."""

from playwright.sync_api import Page

# Words that do not fit where they stand and are hidden there. What only a screen reader
# is told is hidden on purpose, and so is the end of a line that says so by its dots.
_CUT = """() => [...document.querySelectorAll('body *')].filter(el => {
  const style = getComputedStyle(el);
  return ['hidden', 'clip'].includes(style.overflowX) && el.textContent.trim()
    && style.clipPath === 'none' && style.textOverflow !== 'ellipsis'
    && el.checkVisibility() && el.scrollWidth > el.clientWidth + 1;
}).map(el => el.outerHTML.slice(0, 90))"""


def width_problems(page: Page, width: int) -> list[str]:
    """Wider than a screen of this width, or words cut off on it."""
    page.set_viewport_size({"width": width, "height": 740})
    wide = page.evaluate("document.documentElement.scrollWidth")
    found = [f"{wide} pixels wide on {width}"] if wide > width else []
    return [*found, *(f"cut on {width}: {html}" for html in page.evaluate(_CUT))]


def zoom_problems(page: Page) -> list[str]:
    """What does not fit at 320 pixels, or with text twice as large on 640."""
    found = width_problems(page, 320)
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    found += [f"text at 200 %: {text}" for text in width_problems(page, 640)]
    page.evaluate("document.documentElement.style.fontSize = ''")
    return found
