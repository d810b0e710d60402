"""Check for phrases that the house style avoids, and pages for long lines and table cells: prose.py FILE...

codespell checks single words (.ci/words.txt). This script checks what codespell cannot: phrases and layout. In Python
files it checks comments, docstrings, messages and the names of functions. In pages it does not check link definitions,
and of code blocks only the length of the lines.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

MAX_LINE = 130  # characters; the pages wrap at 110, words of links and code may run over
MAX_CODE = 110
MAX_CELL = 100
PHRASES = {
    r"\bunder way\b": "running",
    r"\bof its own\b": "separate",
    r"\bof (your|our|their) own\b": "yours, ours, theirs",
    r"\bwho asks\b": "the caller",
    r"\bnothing of it\b": "no part",
    r"\bwhat it is\b": "name it",
    r"\b(is|are) no (?!longer)[a-z]": "is not a",
    r"\bt(ells?|old)\b": "say, report, name",
    r"\bgo(es)? on\b": "continue",
    r"\bthat which\b": "name it",
    r"\b(die|dies|died) of\b": "fail with",
    r"\bfor ever\b": "forever",
    r"\bput(s|ting)? off\b": "defer",
    r"[,(] say,": "for example",
}
ALLOWED = re.compile(r"\bthere (is|are) no\b", re.IGNORECASE)
CODE = re.compile(r"`[^`]*`")
LINK = re.compile(r"\]\([^)]*\)")


def phrases(line: str, before: str = "") -> Iterator[str]:
    """Yield a problem for each phrase in a line of prose. before: the line above, in which the phrase may begin."""
    prose = plain(line)
    above = f"{plain(before).rstrip()} " if before.strip() else ""
    for pattern, better in PHRASES.items():
        found = re.search(pattern, prose, re.IGNORECASE) or match_across(pattern, above, prose.lstrip())
        if found:
            yield f'"{found[0]}": write {better}'


def match_across(pattern: str, above: str, line: str) -> re.Match[str] | None:
    """Return a match that begins in the line above and ends in the line. above: ends with a blank, or is empty."""
    for match in re.finditer(pattern, above + line, re.IGNORECASE):
        if match.start() < len(above) < match.end():
            return match
    return None


def plain(line: str) -> str:
    """Return the line without code, addresses and allowed phrases."""
    return ALLOWED.sub("", LINK.sub("]", CODE.sub("", line)))


def code_problems(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and problem for the comments, docstrings, messages and function names of a Python file."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield from ((token.start[0], problem) for problem in phrases(token.string))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ((node.lineno, problem) for problem in phrases(node.name.replace("_", " ")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str):  # docstrings, too
            before = ""
            for number, line in enumerate(node.value.splitlines()):
                yield from ((node.lineno + number, problem) for problem in phrases(line, before))
                before = line


def problems(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and problem for a page."""
    is_code = False
    before = ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        if is_code and len(line) > MAX_CODE:
            yield number, f"the line of code has {len(line)} characters; the site shows {MAX_CODE}"
        if is_code or line.lstrip().startswith("```") or re.match(r"\[[^\]]+\]: |!\[", line):
            before = ""
            continue
        is_row = line.startswith("|")
        yield from ((number, problem) for problem in phrases(line, "" if is_row else before))
        before = "" if is_row else line
        if is_row:
            for cell in LINK.sub("]", line).split(" | "):
                if len(cell.strip("| ")) > MAX_CELL:
                    yield (
                        number,
                        f"a table cell has {len(cell.strip('| '))} characters; {MAX_CELL} fit on a line",
                    )
        elif len(LINK.sub("]", line)) > MAX_LINE:
            yield number, f"the line has {len(line)} characters; wrap it at 110"


def line_problems(text: str) -> Iterator[tuple[int, str]]:
    """Yield line number and problem for any other text."""
    for number, line in enumerate(text.splitlines(), 1):
        yield from ((number, problem) for problem in phrases(line))


CHECKS = {".py": code_problems, ".md": problems}


def main(files: list[str]) -> int:
    """Print the problems of all files; return the exit code."""
    found = []
    for file in files:
        check = CHECKS.get(Path(file).suffix, line_problems)
        found += [(file, *problem) for problem in check(Path(file).read_text("utf-8"))]
    for page, number, problem in found:
        print(f"{page}, line {number}: {problem}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
