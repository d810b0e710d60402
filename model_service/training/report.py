"""An evaluation as a table of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fncast.foreign_text import clean
from model_service.training.evaluation import MODEL, Evaluation

COLUMNS = ("relative_mae", "mase", "wql", "coverage")
HEADINGS = ("relative MAE", "MASE", "wQL", "80 % band")
# Of these the smallest is the best; a band should hold 80 %, neither less nor more.
ERRORS = COLUMNS[:3]
BEST = "*: best beside the model"
# More series than these are told by the overall lines alone.
MAX_SERIES_LINES = 40
# The band of a method that runs away (AutoETS on bursts) must not widen its column to sixty digits.
TOO_WIDE = 1e6
MAX_CELL = 80  # characters of a name


def overall_table(evaluation: Evaluation) -> str:
    """One line a method: the means over all series."""
    means = {method: evaluation.overall(method) for method in evaluation.methods}
    columns = [
        _cells({method: means[method][column] for method in means}, marked=column in ERRORS)
        for column in COLUMNS
    ]
    return table([BEST, *HEADINGS], [[method, *(cells[method] for cells in columns)] for method in means])


def series_table(evaluation: Evaluation, measure: str = "relative_mae") -> str:
    """One line a series, one column a method, of one measure."""
    rows = []
    for one in evaluation.series[:MAX_SERIES_LINES]:
        values = {method: one.scores[method].as_json()[measure] for method in evaluation.methods}
        cells = _cells(values, marked=measure in ERRORS)
        rows.append([one.name, str(one.season), str(len(one.backtest)), *cells.values()])
    return table(["series", "season", "origins", *evaluation.methods], rows)


def series_tables(evaluation: Evaluation) -> str:
    """All measures of each series, and how many series have no line."""
    texts = [
        f"{heading}{f' ({BEST})' if column in ERRORS else ''}:\n{series_table(evaluation, column)}"
        for column, heading in zip(COLUMNS, HEADINGS, strict=True)
    ]
    more = len(evaluation.series) - MAX_SERIES_LINES
    if more > 0:
        texts.append(f"… and {more} more series, without a line here; --json tells all")
    return "\n\n".join(texts)


def _cells(values: Mapping[str, float | None], marked: bool) -> dict[str, str]:
    """The numbers by method, the smallest of those beside the model with a star."""
    others = [value for method, value in values.items() if method != MODEL and value is not None]
    best = min(others) if others and marked else None
    return {
        method: _number(value) + ("*" if method != MODEL and best is not None and value == best else " ")
        for method, value in values.items()
    }


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; the first to the left, the others to the right."""
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
