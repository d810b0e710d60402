from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.lib import report
from benchmarks.lib.spread import Spread, figure, percentile

TABLE = report.Table(
    "rates",
    ("pipeline", "events/s", "lost"),
    [("a", Spread(1.0, 2.0, 3.0), 0.0), ("b", float("nan"), "failed")],
)


def test_a_result_keeps_facts_figures_and_chart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks: list[report.Block | None] = [TABLE, None, "A note.", report.Chart("events a second", "a.svg")]
    report.save("a", {"date": "2026-01-01"}, blocks, tmp_path)
    result = report.load("a", tmp_path)
    assert result["date"] == "2026-01-01"
    assert (result["notes"], result["chart"]) == (["A note."], "a.svg")
    assert result["tables"]["rates"] == {
        "columns": ["pipeline", "events/s", "lost"],
        "rows": [["a", {"median": 2, "low": 1, "high": 3}, 0], ["b", None, "failed"]],
    }
    assert report.cell(result, "rates", "a", "events/s") == Spread(1.0, 2.0, 3.0)
    assert "A note.\n\n![events a second](performance/a.svg)" in capsys.readouterr().out


def test_a_cell_without_a_figure_is_an_error(tmp_path: Path) -> None:
    report.save("a", {}, [TABLE], tmp_path)
    with pytest.raises(KeyError, match="'failed' is not a figure"):
        report.cell(report.load("a", tmp_path), "rates", "b", "lost")


def test_a_table_is_markdown() -> None:
    table = report.Table("", ("what", "how much"), [("a", Spread.of([1.0]))])
    assert str(table).strip() == "| what | how much |\n| --- | ---: |\n| a | 1.00 |"


@pytest.mark.parametrize(
    ("value", "text"),
    [(34_812.4, "34,812"), (287.4, "287"), (28.74, "28.7"), (0.834, "0.83"), (float("nan"), "not measured")],
)
def test_a_figure_has_three_digits_or_more(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_spread_is_median_and_range() -> None:
    assert str(Spread.of([3.0, 1.0, 2.0])) == "2.00 [1.00-3.00]"


def test_a_range_whose_ends_look_the_same_is_not_shown() -> None:
    assert str(Spread.of([7.001, 7.0, 6.999])) == "7.00"


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(100)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1.0)) == (50.0, 99.0, 99.0)
