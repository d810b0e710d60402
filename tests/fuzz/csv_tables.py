"""Random tables of readings in many dialects, and a check that the reader returns their true numbers."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from fncast.series.csv.file import CsvError, CsvOptions, read_csv_file
from fncast.series.csv.summary import Summary

_DAY = timedelta(days=1)
_TIMES = {
    "iso": lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ"),
    "blank": lambda t: t.strftime("%Y-%m-%d %H:%M:%S"),
    "slashes": lambda t: t.strftime("%Y/%m/%d %H:%M"),
    "german": lambda t: t.strftime("%d.%m.%Y %H:%M"),
    "american": lambda t: t.strftime("%m/%d/%Y %I:%M %p"),
    "offset": lambda t: (t + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+02:00"),
    "seconds": lambda t: str(int(t.timestamp())),
    "milliseconds": lambda t: str(int(t.timestamp()) * 1000),
    "microseconds": lambda t: str(int(t.timestamp()) * 10**6),
    "nanoseconds": lambda t: str(int(t.timestamp()) * 10**9),
    "hours": lambda t: t.strftime("%Y%m%d%H"),
    "minutes": lambda t: t.strftime("%Y%m%d%H%M"),
    "compact": lambda t: t.strftime("%Y%m%d%H%M%S"),
    "excel": lambda t: f"{(t - datetime(1899, 12, 30, tzinfo=UTC)) / _DAY:.6f}",
    "named": lambda t: t.strftime("%d-%b-%Y %H:%M"),
}
_MISSING = ("", "NA", "nan", "null", "None", "-", "--", ".", "\\N", "#N/A", "unavailable", "unknown", "n/a")
_NAMES = (
    "load",
    "Temperatur, außen",
    "a b",
    "2026",
    "x;y",
    'say "hi"',
    "kW",
    "value",
    "Wert",
    "y",
    "z1",
    "101",
)


@dataclass
class RandomTable:
    """A table with its true numbers.

    content: the file. times: (rows,). numbers: those of each column, (rows,), None for a missing one.
    """

    content: bytes
    times: list[datetime]
    numbers: dict[str, list[float | None]] = field(default_factory=dict)


def random_table(randomly: random.Random) -> RandomTable:
    """Return a table with a column for each series in a random dialect, with gaps, and rows in any order."""
    count = randomly.randint(2, 60)
    step = timedelta(hours=randomly.choice((1, 1, 2, 24)))
    start = datetime(
        randomly.randint(2001, 2027), randomly.randint(1, 12), randomly.randint(1, 28), tzinfo=UTC
    )
    places = [at for at in range(count) if at in (0, 1, count - 1) or randomly.random() < 0.95]
    times = [start + step * at for at in places]
    write_time = randomly.choice(list(_TIMES.values()))
    delimiter = randomly.choice(",,,;;\t|")
    has_decimal_comma = delimiter != "," and randomly.random() < 0.4
    names = randomly.sample(_NAMES, randomly.randint(1, 4))
    columns = {name: _column(randomly, len(times), has_decimal_comma) for name in names}
    texts = [
        [write_time(time) for time in times],
        *([text for text, _ in cells] for cells in columns.values()),
    ]
    header = [randomly.choice(("time", "timestamp", "Zeit", "when")), *names]
    order = list(range(len(header)))
    if randomly.random() < 0.3:
        randomly.shuffle(order)
    rows = list(range(len(times)))
    if randomly.random() < 0.2:
        randomly.shuffle(rows)
    elif randomly.random() < 0.2:
        rows.reverse()
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=randomly.choice(("\n", "\r\n")))
    if randomly.random() < 0.1:
        out.write(f"sep={delimiter}\n")
    if randomly.random() < 0.1:
        out.write("# a comment, with a comma\n")
    writer.writerow([header[at] for at in order])
    for row in rows:
        if randomly.random() < 0.02:
            out.write("\n")
        writer.writerow([texts[at][row] for at in order])
    encoding = randomly.choice(("utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"))
    numbers = {name: [value for _, value in cells] for name, cells in columns.items()}
    return RandomTable(out.getvalue().encode(encoding, "replace"), times, numbers)


def _column(randomly: random.Random, count: int, has_decimal_comma: bool) -> list[tuple[str, float | None]]:
    """Return the cells of a column with their true numbers."""
    digits = randomly.choice((0, 0, 1, 2, 3, 3))
    size = randomly.choice((1.0, 100.0, 2000.0, 1e6))
    grouped = randomly.random() < 0.5
    unit = randomly.choice(("", "", "", "%", " °C", " kW"))
    gaps = randomly.choice((0.0, 0.0, 0.2))
    cells: list[tuple[str, float | None]] = []
    for _ in range(count):
        if randomly.random() < gaps:
            cells.append((randomly.choice(_MISSING), None))
            continue
        value = round(randomly.uniform(-size, size), digits)
        text = f"{value:{',' if grouped else ''}.{digits}f}"
        if has_decimal_comma:
            text = text.translate(str.maketrans(",.", ".,"))
        cells.append((text + unit, value))
    return cells


def check(table: RandomTable, folder: Path) -> str:
    """Read the table. Returns `series` or `rejected`. Raises AssertionError if a number is lost, changed or moved."""
    path = folder / "table.csv"
    path.write_bytes(table.content)
    try:
        summary = read_csv_file(path, CsvOptions())
    except CsvError as error:
        sentence = str(error)
    else:
        _check_series(summary, table)
        return "series"
    assert sentence.startswith(str(path)), sentence
    assert "\n" not in sentence, sentence
    return "rejected"


def _check_series(summary: Summary, table: RandomTable) -> None:
    for line in summary.lines():
        assert "\n" not in line, line
    reported = " ".join((*summary.skipped, *summary.skipped.values()))
    has_one_column = len(table.numbers) == 1
    by_name = {each.name: each for each in summary.series}
    for name, numbers in table.numbers.items():
        series = by_name.get("table" if has_one_column else name) or by_name.get(name)
        if series is None:
            assert name in reported or repr(name) in reported or all(value is None for value in numbers), name
            continue
        by_time = {series.time(index): value for index, value in enumerate(series.values)}
        for time, value in zip(table.times, numbers, strict=True):
            got = by_time.get(time)
            if value is None:
                assert got is None or np.isnan(got), f"{name} at {time}: {got} for a missing reading"
            elif got is None or not np.isclose(got, value, rtol=1e-12, atol=0):
                assert summary.moved or summary.repeated, f"{name} at {time}: {got}, not {value}"
    assert summary.rows == len(table.times)
    assert min(each.start for each in summary.series) == min(table.times)
