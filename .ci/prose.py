"""Check the pages for long lines, long table cells and phrases that the house style avoids: prose.py PAGE...

codespell checks single words (.ci/words.txt). This script checks what codespell cannot: phrases and layout. It does not
check code blocks and link definitions.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

MAX_LINE = 130  # characters; the pages wrap at 110, words of links and code may run over
MAX_CELL = 100
PHRASES = {
    r"\bunder way\b": "running",
    r"\bof its own\b": "separate",
    r"\bof (your|our|their) own\b": "yours, ours, theirs",
    r"\bwho asks\b": "the caller",
    r"\bnothing of it\b": "no part",
    r"\bwhat it is\b": "name it",
    r"\b(is|are) no (?!longer)[a-z]": "is not a",
    r"\b(tells?|told)\b": "say, report, name",
    r"\bgo(es)? on\b": "continue",
}
ALLOWED = re.compile(r"\bthere (is|are) no\b", re.IGNORECASE)
CODE = re.compile(r"`[^`]*`")
LINK = re.compile(r"\]\([^)]*\)")


def problems(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and problem."""
    is_code = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        if is_code or line.lstrip().startswith("```") or re.match(r"\[[^\]]+\]: |!\[", line):
            continue
        prose = ALLOWED.sub("", LINK.sub("]", CODE.sub("", line)))
        for pattern, better in PHRASES.items():
            if found := re.search(pattern, prose, re.IGNORECASE):
                yield number, f'"{found[0]}": write {better}'
        if line.startswith("|"):
            for cell in LINK.sub("]", line).split(" | "):
                if len(cell.strip("| ")) > MAX_CELL:
                    yield (
                        number,
                        f"a table cell has {len(cell.strip('| '))} characters; {MAX_CELL} fit on a line",
                    )
        elif len(LINK.sub("]", line)) > MAX_LINE:
            yield number, f"the line has {len(line)} characters; wrap it at 110"


def main(pages: list[str]) -> int:
    """Print the problems of all pages; return the exit code."""
    found = [(page, *problem) for page in pages for problem in problems(Path(page).read_text("utf-8"))]
    for page, number, problem in found:
        print(f"{page}, line {number}: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
