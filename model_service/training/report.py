"""An evaluation as a table of text."""

from __future__ import annotations

from collections.abc import Sequence

from model_service.training.evaluation import Evaluation

COLUMNS = ("relative_mae", "mase", "wql", "coverage")
HEADINGS = ("relative MAE", "MASE", "wQL", "80 % band")
# More series than these are told by the overall lines alone.
MAX_SERIES_LINES = 40
# The band of a method that runs away (AutoETS on bursts) must not widen its column to sixty digits.
TOO_WIDE = 1e6


def overall_table(evaluation: Evaluation) -> str:
    """One line a method: the means over all series."""
    rows = [
        [method, *(_number(evaluation.overall(method)[column]) for column in COLUMNS)]
        for method in evaluation.methods
    ]
    return table(["", *HEADINGS], rows)


def series_table(evaluation: Evaluation, measure: str = "relative_mae") -> str:
    """One line a series, one column a method, of one measure."""
    rows = [
        [
            one.name,
            str(one.season),
            str(len(one.backtest)),
            *(_number(one.scores[method].as_json()[measure]) for method in evaluation.methods),
        ]
        for one in evaluation.series[:MAX_SERIES_LINES]
    ]
    return table(["series", "season", "origins", *evaluation.methods], rows)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; the first to the left, the others to the right."""
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
