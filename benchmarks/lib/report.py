"""Writes docs/performance.md: each program replaces its own section, which is between two markers."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
PLOTS = PAGE.parent / "performance"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table. The first column is aligned left, the others right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plots(print_only: bool) -> Path | None:
    """The folder for plots; None with --print-only."""
    return None if print_only else PLOTS


def write(section: str, text: str, page: Path = PAGE) -> None:
    """Print `text` and replace the section on the page by it. Raises ValueError if the page lacks the markers."""
    print(text)
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    whole = page.read_text("utf-8")
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(whole)) != 1:
        raise ValueError(f"{page} must have exactly one pair of markers for the section {section!r}")
    page.write_text(pattern.sub(lambda _: f"{begin}\n{text.strip()}\n{end}", whole), "utf-8")
    print(f"written to {page.name}, section {section}", file=sys.stderr)
