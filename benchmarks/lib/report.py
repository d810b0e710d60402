"""docs/performance.md: each program writes its own section, between two markers, and leaves the rest alone."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
PLOTS = PAGE.parent / "performance"


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table: the first column to the left, the others to the right."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def plots(print_only: bool) -> Path | None:
    """Where plots go: nowhere if the page is left alone."""
    return None if print_only else PLOTS


def write(section: str, text: str, page: Path = PAGE) -> None:
    """Put `text` on stdout, and in the place of what stands between the section's markers. Raises ValueError."""
    print(text)
    begin, end = f"<!-- begin {section} -->", f"<!-- end {section} -->"
    whole = page.read_text("utf-8")
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(whole)) != 1:
        raise ValueError(f"{page} has not one pair of markers of {section}")
    page.write_text(pattern.sub(lambda _: f"{begin}\n{text.strip()}\n{end}", whole), "utf-8")
    print(f"written to {page.name}, section {section}", file=sys.stderr)
