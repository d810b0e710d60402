"""Parses one cell of a CSV file as a number with a unit, or as a missing reading."""

from __future__ import annotations

import re
from dataclasses import dataclass

# How programs write a missing reading: databases, spreadsheets, pandas, R, SAS, Home Assistant.
MISSING = frozenset(
    (
        "", "na", "n/a", "n.a.", "nan", "-nan", "null", "(null)", "none", "nil", "nat", "<na>", "<null>", "#n/a", "#na",
        "#n/a n/a", "#value!", "#ref!", "#div/0!", "#name?", "#num!", "#null!", "\\n", ".", "..", "-", "--", "---",
        "–", "—", "?", ":", "*", "unavailable", "unknown", "undefined", "missing", "void", "k.a.",
        "1.#qnan", "1.#ind", "-1.#ind",
    )
)  # fmt: skip

# Separators of thousands: space, no-break, narrow no-break, thin and figure space; and the Swiss apostrophe.
_GROUP = " \u00a0\u202f\u2009\u2007'’"
# Units that may follow a number without a space. Others need a space: `12a` is a name.
_CLOSE_UNIT = (
    r"%|‰|°[A-Za-z]?|º[A-Za-z]?|℃|℉|[€$£¥]|"
    r"[kMGTmµμnu]?(?:Wh|VAh|VAr|VA|W|V|A|Hz|Pa|bar|Ohm|Ω|J|lx|ppm|ppb|B|bit|bps|m|g|s|l|L|K)|"
    r"[KMGTkm]i?[Bb](?:/s|ps)?|km/h|m/s|mph|rpm|hPa|mmHg|kn|ppm|ppb|min|h|ms|[mck]?m[²³]|[µm]g/m[³3]"
)
_UNIT = rf"(?:{_CLOSE_UNIT}|[ \u00a0\u202f\u2009](?:{_CLOSE_UNIT}|[A-Za-zµμΩ°%²³/·*^()0-9_-]{{1,16}}))"
_CELL = re.compile(
    rf"(?P<before>[€$£¥])?\s*(?:(?P<sign>[+\-−])\s*)?(?:(?P<after>[€$£¥])\s*)?"
    rf"(?P<body>[0-9](?:[0-9.,]|[{_GROUP}](?=[0-9]))*|[.,][0-9]+)(?P<exponent>[eE][+-]?[0-9]{{1,4}})?"
    rf"(?P<unit>{_UNIT})?"
)
_GROUPED_BLANK = re.compile(rf"[0-9]{{1,3}}(?:([{_GROUP}])[0-9]{{3}})(?:\1[0-9]{{3}})*(?P<rest>[.,][0-9]+)?")
_POINT = re.compile(r"[0-9]*\.[0-9]*")
_COMMA = re.compile(r"[0-9]*,[0-9]+")
_MAY_GROUP = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
# In India the groups before the last three digits have two: 12,34,567.
_GROUPED_COMMA = re.compile(
    r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3})(?P<point>\.[0-9]*)?"
)
_GROUPED_POINT = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+(?P<comma>,[0-9]*)?")

POINT = "point"
COMMA = "comma"


@dataclass(frozen=True, slots=True)
class Number:
    """A number read with a decimal point and with a decimal comma; None if that is not possible.

    decimal_sign: `point` or `comma` if the cell alone shows it, else None. unit: empty for none.
    """

    point: float | None
    comma: float | None
    decimal_sign: str | None
    unit: str = ""

    @property
    def is_ambiguous(self) -> bool:
        """Whether the decimal sign changes the number."""
        return self.point is not None and self.comma is not None and self.point != self.comma


def is_missing(text: str) -> bool:
    """Whether a cell marks a missing reading."""
    return text.strip().lower() in MISSING


def parse_number(text: str) -> Number | None:
    """The number in a cell. None if the cell holds no finite number."""
    match = _CELL.fullmatch(text.strip())
    if match is None:
        return None
    body = _body(match["body"])
    if body is None:
        return None
    point, comma, decimal_sign = body
    sign = "-" if match["sign"] in ("-", "−") else ""
    exponent = match["exponent"] or ""
    unit = (match["unit"] or match["before"] or match["after"] or "").strip()
    if exponent and decimal_sign is None and point is not None and comma is not None and point != comma:
        comma = None if "." in match["body"] else comma  # thousands are not grouped before an exponent
        point = None if "," in match["body"] else point
        decimal_sign = POINT if comma is None else COMMA
    return Number(
        None if point is None else float(sign + point + exponent),
        None if comma is None else float(sign + comma + exponent),
        decimal_sign,
        unit,
    )


def _body(body: str) -> tuple[str | None, str | None, str | None] | None:
    """The digits read with a decimal point, those read with a decimal comma, and the decimal sign if it is certain."""
    if body.isdigit():
        return body, body, None
    if match := _GROUPED_BLANK.fullmatch(body):
        rest = match["rest"] or ""
        digits = "".join(c for c in body[: len(body) - len(rest)] if c.isdigit())
        if rest.startswith("."):
            return digits + rest, None, POINT
        if rest:
            return None, digits + rest.replace(",", "."), COMMA
        return digits, digits, None
    if _MAY_GROUP.fullmatch(body):
        digits = body.replace(".", "").replace(",", "")
        return (body, digits, None) if "." in body else (digits, body.replace(",", "."), None)
    if _POINT.fullmatch(body):
        return body, None, POINT
    if _COMMA.fullmatch(body):
        return None, body.replace(",", "."), COMMA
    if _GROUPED_COMMA.fullmatch(body):
        return body.replace(",", ""), None, POINT
    if _GROUPED_POINT.fullmatch(body):
        return None, body.replace(".", "").replace(",", "."), COMMA
    return None
