"""A visit of the live page in a browser, and scripts that read what it shows."""

from __future__ import annotations

from typing import Any

from browser_tab import BrowserTab

# The colour of a CSS variable, in the form of computed styles.
COLOUR = """(name) => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(--${name})`;
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}"""

# The number of pixels of the first chart with about the colour of a CSS variable.
DRAWN = """(name) => {
  const probe = document.body.appendChild(document.createElement("i"));
  probe.style.color = `var(--${name})`;
  const colour = getComputedStyle(probe).color.match(/[0-9.]+/g).slice(0, 3).map(Number);
  probe.remove();
  const canvas = document.querySelector(".card canvas");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] > 200 && colour.every((part, k) => Math.abs(part - data[at + k]) < 24)) count++;
  }
  return count;
}"""


class Visit(BrowserTab):
    """The page in a new tab, once its first charts are drawn."""

    def __init__(self, browser: Any, url: str, **context: Any) -> None:
        super().__init__(browser, url, **context)
        self.until(f"document.querySelector('.card')?.card.chart && {card('cpu')}?.series.actual.length > 40")


def card(name: str) -> str:
    """The card of a series, in the page's script."""
    return f"[...document.querySelectorAll('.card')].map((one) => one.card).find((one) => one.series.name === {name!r})"
