import numpy as np

from model_service.training.evaluation.evaluation import (
    LAST_VALUE,
    SEASONAL,
    add_model,
    prepare,
)
from model_service.training.evaluation.report import (
    MAX_SERIES_LINES,
    overall_table,
    series_table,
    series_tables,
    table,
)
from tests.model_service.training.series_of import series_of


def test_the_first_column_is_aligned_left_and_others_right() -> None:
    assert table(["", "b"], [["long", "1"], ["x", "22"]]) == "       b\nlong   1\nx     22"


def test_a_diverging_method_does_not_widen_its_column() -> None:
    evaluation = prepare([series_of(np.arange(60) % 6)], 12, 3, test_share=0.3)
    evaluation.series[0].add("astray", np.full((*evaluation.series[0].backtest.actuals.shape, 3), 1e60))
    assert "e+59" in overall_table(evaluation)
    assert max(map(len, overall_table(evaluation).splitlines())) < 80


def test_the_best_other_method_is_marked_in_each_error_column() -> None:
    noise = np.random.default_rng(0).normal(scale=0.1, size=200)
    evaluation = prepare([series_of(np.arange(200) % 6 + noise)], 12, 3, test_share=0.3, seasons=(6,))
    add_model(evaluation, lambda windows: np.zeros((len(windows), 3, 3), np.float32))
    stars = {line[:24].strip(): line[24:].count("*") for line in overall_table(evaluation).splitlines()}
    assert stars.pop(SEASONAL) == 3
    assert not any(stars.values())
    assert series_table(evaluation, "mase").count("*") == 1
    assert "*" not in series_table(evaluation, "coverage")


def test_series_without_a_line_are_counted() -> None:
    many = [series_of(np.arange(100) % 6, f"shop-{i}") for i in range(MAX_SERIES_LINES + 2)]
    text = series_tables(prepare(many, 12, 3, test_share=0.3, seasons=(6,)))
    assert f"shop-{MAX_SERIES_LINES - 1} " in text
    assert f"shop-{MAX_SERIES_LINES} " not in text
    assert text.endswith("… and 2 more series; --json lists all")


def test_a_method_that_failed_on_a_series_is_named() -> None:
    evaluation = prepare([series_of(np.arange(100) % 6, name) for name in "ab"], 12, 3, test_share=0.3)
    evaluation.series[0].add("Theta", evaluation.series[0].forecasts[LAST_VALUE])
    assert "Theta" not in evaluation.methods
    assert evaluation.incomplete == evaluation.as_json()["incomplete"] == {"Theta": ["b"]}
