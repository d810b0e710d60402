"""Formats an evaluation as text tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fncast.foreign_text import clean
from model_service.training.evaluation.evaluation import MODEL, Evaluation

COLUMNS = ("relative_mae", "mase", "wql", "coverage")
HEADINGS = ("relative MAE", "MASE", "wQL", "80 % band")
# Columns in which the smallest value is the best. The coverage should be 80 %, neither less nor more.
ERRORS = COLUMNS[:3]
BEST = "*: best beside the model"
# The most series with a line each.
MAX_SERIES_LINES = 40
# Larger values are shown in exponential notation, so that a diverging method does not widen its column.
TOO_WIDE = 1e6
MAX_CELL = 80  # characters of a name


def overall_table(evaluation: Evaluation) -> str:
    """One line per method: the means over all series."""
    means = {method: evaluation.overall(method) for method in evaluation.methods}
    columns = [
        _cells({method: means[method][column] for method in means}, marked=column in ERRORS)
        for column in COLUMNS
    ]
    return table([BEST, *HEADINGS], [[method, *(cells[method] for cells in columns)] for method in means])


def series_table(evaluation: Evaluation, measure: str = "relative_mae") -> str:
    """One line per series and one column per method, for one measure."""
    rows = []
    for each in evaluation.series[:MAX_SERIES_LINES]:
        values = {method: each.scores[method].as_json()[measure] for method in evaluation.methods}
        cells = _cells(values, marked=measure in ERRORS)
        rows.append([each.name, str(each.season), str(len(each.backtest)), *cells.values()])
    return table(["series", "season", "origins", *evaluation.methods], rows)


def series_tables(evaluation: Evaluation) -> str:
    """The tables of all measures, and the number of series that are left out."""
    texts = [
        f"{heading}{f' ({BEST})' if column in ERRORS else ''}:\n{series_table(evaluation, column)}"
        for column, heading in zip(COLUMNS, HEADINGS, strict=True)
    ]
    more = len(evaluation.series) - MAX_SERIES_LINES
    if more > 0:
        texts.append(f"… and {more} more series; --json lists all")
    return "\n\n".join(texts)


def _cells(values: Mapping[str, float | None], marked: bool) -> dict[str, str]:
    """The formatted numbers by method. The smallest, except for the model, has a star."""
    others = [value for method, value in values.items() if method != MODEL and value is not None]
    best = min(others) if others and marked else None
    return {
        method: _number(value) + ("*" if method != MODEL and best is not None and value == best else " ")
        for method, value in values.items()
    }


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A text table. The first column is aligned left, the others right."""
    headings = [clean(cell, MAX_CELL) for cell in headings]
    rows = [[clean(cell, MAX_CELL) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in (headings, *rows)) for i in range(len(headings))]

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ]
        return "  ".join(aligned).rstrip()

    return "\n".join([line(headings), *(line(row) for row in rows)])


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < TOO_WIDE else f"{value:.1e}"
