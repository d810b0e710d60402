from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.lib import report
from benchmarks.lib.spread import Spread, figure, percentile


def test_only_the_section_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- begin a -->\nold\n<!-- end a -->\nafter\n")
    report.write("a", "new \\1 text", page)
    assert page.read_text() == "before\n<!-- begin a -->\nnew \\1 text\n<!-- end a -->\nafter\n"


def test_a_page_without_the_markers_stays_unchanged_and_the_figures_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n")
    with pytest.raises(ValueError, match="markers for the section 'a'"):
        report.write("a", "new", page)
    assert page.read_text() == "before\n"
    assert capsys.readouterr().out == "new\n"


def test_a_table_is_markdown() -> None:
    assert (
        report.table(("what", "how much"), [("a", "1")]) == "| what | how much |\n| --- | ---: |\n| a | 1 |"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [(34_812.4, "34,812"), (287.4, "287"), (28.74, "28.7"), (0.834, "0.83"), (float("nan"), "not measured")],
)
def test_a_figure_has_three_digits_or_more(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_spread_is_median_and_range() -> None:
    assert str(Spread.of([3.0, 1.0, 2.0])) == "2.00 [1.00-3.00]"


def test_a_range_that_rounds_to_one_figure_is_left_out() -> None:
    assert str(Spread.of([7.001, 7.0, 6.999])) == "7.00"


def test_a_percentile_is_one_of_the_values() -> None:
    values = [float(number) for number in range(100)]
    assert (percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1.0)) == (50.0, 99.0, 99.0)
