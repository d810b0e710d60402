"""The base model that comes with fncast has the figures that docs/base-model.md states."""

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality import unseen
from benchmarks.quality.base_tables import (
    gaps,
    histories,
    kinds,
    negatives,
)
from benchmarks.quality.methods import base_method, last_value, median_of_12, seasonal_naive
from fncast import models
from model_service.serving.version_folder import scan

PAGE = Path(__file__).parents[3] / "docs" / "base-model.md"
SMALL = 20  # series of each kind
METHODS = {
    "base model": base_method(),
    "last value": last_value,
    "seasonal naive": seasonal_naive,
    "quantiles of 12": median_of_12,
}


def stated(figure: str) -> float:
    """The figure of the small set that the page states."""
    found = re.search(rf"\| {re.escape(figure)} \| ([0-9.]+) \|", PAGE.read_text("utf-8"))
    assert found is not None, figure
    return float(found.group(1))


def test_its_files_match_their_hashes_and_are_small() -> None:
    [folder] = scan(models.FOLDER)
    folder.check_whole([])
    assert sum(path.stat().st_size for path in folder.path.iterdir()) <= 4 << 20


def test_unseen_kinds_have_the_stated_loss() -> None:
    _, found = kinds(METHODS, SMALL)
    assert found["mean"]["base model"] == pytest.approx(stated("unseen kinds"), abs=0.002)
    assert found["mean"]["band"] == pytest.approx(stated("their 80 % band"), abs=0.002)


def test_an_outage_and_short_histories_have_the_stated_errors() -> None:
    _, by_gap = gaps(METHODS, SMALL)
    assert by_gap[12] == pytest.approx(stated("12 of 48 missing"), abs=0.01)
    _, by_history = histories(METHODS, SMALL)
    assert by_history[16] == pytest.approx(stated("16 readings"), abs=0.01)


def test_no_series_that_was_never_negative_gets_a_negative_forecast() -> None:
    assert negatives(METHODS["base model"], SMALL) == 0


def test_an_outage_in_a_pure_season_does_not_matter() -> None:
    at = np.arange(60)
    season = 100 + 20 * np.sin(2 * np.pi * at / 24)
    broken = season[np.newaxis, :48].copy()
    broken[0, 24:36] = np.nan
    forecast = METHODS["base model"](broken, 12)[0, :, 4]
    assert np.abs(forecast - season[48:]).mean() < 1.0


def test_the_unseen_kinds_are_finite() -> None:
    for kind in unseen.KINDS:
        assert np.isfinite(kind(np.random.default_rng(0), 100)).all()
