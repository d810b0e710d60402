"""One row of the table of `fncast check`: a hop, its result and how to fix it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from fncast.foreign_text import clean, escaped

Result = Literal["ok", "warning", "failed", "not tried"]
MAX_CELL = 300  # characters
MAX_HOP = 60


@dataclass(frozen=True)
class Row:
    """hop: what was tried. detail: what was found. fix: what to do; empty if there is nothing to do."""

    hop: str
    result: Result
    detail: str
    fix: str = ""


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as lines in columns. A fix is a separate line below its row."""
    hops = [clean(row.hop, MAX_HOP) for row in rows]
    width = max(map(len, ["hop", *hops]))
    lines = [f"{'hop':{width}}  {'result':9}  what was found"]
    for hop, row in zip(hops, rows, strict=True):
        lines.append(f"{hop:{width}}  {row.result:9}  {clean(row.detail, MAX_CELL)}")
        if row.fix:
            lines.append(f"{'':{width}}  {'':9}  fix: {clean(row.fix, MAX_CELL)}")
    return lines


def json_lines(rows: Sequence[Row]) -> list[str]:
    """The rows as one JSON object a line."""
    return [escaped(json.dumps(asdict(row), ensure_ascii=False)) for row in rows]
