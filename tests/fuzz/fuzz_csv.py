"""Files of readings: valid tables, whose numbers must be read, and damaged ones."""

from __future__ import annotations

import random
import tempfile
import time
from pathlib import Path

from csv_tables import check, random_table
from fuzz_bytes import mutated
from fuzz_report import Report, Until

from fncast.series.csv.file import CsvError, read_csv_file

_DAMAGED_SHARE = 0.5
_SLOW_S = 2.0


def run(randomly: random.Random, until: Until) -> Report:
    """Check that each file is read with all its numbers, or rejected with one sentence."""
    report = Report()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        while not until(report.count):
            table = random_table(randomly)
            content = table.content
            started = time.process_time()
            try:
                if randomly.random() < _DAMAGED_SHARE:
                    content = mutated(randomly, [content])
                    outcome = _read(content, folder / "damaged.csv")
                else:
                    outcome = check(table, folder)
            except Exception as error:
                report.crashed(error, content)
                continue
            if time.process_time() - started > _SLOW_S:
                report.fail(f"took {time.process_time() - started:.1f} s of CPU", content)
            else:
                report.passed(outcome)
    return report


def _read(content: bytes, path: Path) -> str:
    path.write_bytes(content)
    try:
        assert read_csv_file(path).series
        return "damaged, series"
    except CsvError as error:
        sentence = str(error)
    assert sentence.startswith(str(path)), sentence
    return "damaged, rejected"
