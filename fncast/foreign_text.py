"""Makes text from records, responses and requests safe to print in terminals, logs and pages.

Every package may import it.
"""

from __future__ import annotations

import json
import re

MARK = "\N{REPLACEMENT CHARACTER}"
CUT = "…"

# Characters read for each one shown, because escape sequences are removed.
_READ_PER_SHOWN = 4
# Terminal commands (ECMA-48): a control sequence, a control string with its end, a short escape. A control string ends
# before the start of another one, so that many starts without an end take linear time.
_ESCAPE = re.compile(
    r"(?:\x1b\[|\x9b)[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[\x20-\x2f]*[\x30-\x7e]"
)
_LINES = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]")
_SPACES = re.compile(r"\s")


def escaped(document: str) -> str:
    """The same JSON document with every character that is not printable as a JSON escape.

    JSON itself allows DEL, C1 controls and bidirectional overrides in strings. Line ends between values stay.
    """
    return document if document.isprintable() else _NOT_ASCII.sub(_json_escape, document)


def _json_escape(found: re.Match[str]) -> str:
    if found[0].isprintable():
        return found[0]
    return "\\u007f" if found[0] == "\x7f" else json.dumps(found[0])[1:-1]


def clean(text: str, limit: int) -> str:
    """`text` as one line of at most `limit` printable characters.

    Line ends, tabs and unusual spaces become a space. Escape sequences and other characters that are not printable
    (controls, bidirectional overrides, zero-width characters, lone surrogates) become U+FFFD. A text that is cut ends
    in "…".
    """
    if len(text) <= limit and text.isprintable():
        return text
    head = text[: limit * _READ_PER_SHOWN]
    head = _SPACES.sub(" ", _LINES.sub(" ", _ESCAPE.sub(MARK, head)))
    if not head.isprintable():
        head = "".join(letter if letter.isprintable() else MARK for letter in head)
    if len(head) <= limit and len(text) <= limit * _READ_PER_SHOWN:
        return head
    return head[: max(limit - len(CUT), 0)] + CUT
