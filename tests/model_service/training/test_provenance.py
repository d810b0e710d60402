from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np

from fncast.series.step import Step
from model_service.training import provenance
from model_service.training.settings import TrainingSettings
from model_service.training.trained import Epoch, Trained
from tests.model_service.training.series_of import series_of

SETTINGS = TrainingSettings(window=4, horizon=1, test_share=0.3, validation_share=0.15, seasons=(12,))
SHOP = series_of(np.arange(100.0))


def trained(*errors: float, best_epoch: int = 0) -> Trained:
    """A result with an epoch for each validation error."""
    history = [
        Epoch(number, len(errors), 0.5, error, 0.9, 1.0, 0.1) for number, error in enumerate(errors, 1)
    ]
    return Trained(None, SETTINGS, history, best_epoch, initial_error=0.7, final_error=0.1234567)


def test_the_fingerprint_of_a_series_does_not_depend_on_its_name() -> None:
    assert provenance.sha256(SHOP) == provenance.sha256(replace(SHOP, name="renamed"))


def test_another_start_step_or_reading_changes_the_fingerprint() -> None:
    changed = [
        replace(SHOP, start=SHOP.start + timedelta(seconds=1)),
        replace(SHOP, step=Step.seconds(60)),
        replace(SHOP, values=SHOP.values + 1e-9),
    ]
    assert len({provenance.sha256(series) for series in [SHOP, *changed]}) == 4


def test_the_description_names_data_split_and_errors() -> None:
    described = provenance.describe(trained(0.6, 0.4000000001, best_epoch=2), [SHOP], {"file": "shop.csv"})
    assert (described["step_s"], described["season"]) == (300, 12)
    data = described["training"]["data"]
    assert (data["file"], data["series_count"], data["readings"], data["missing"]) == ("shop.csv", 1, 100, 0)
    (listed,) = data["series"]
    assert listed["sha256"] == provenance.sha256(SHOP)
    assert listed["start"] < listed["train_until"] < listed["validation_until"] < listed["end"]
    assert described["metrics"] == {"validation_error": 0.4, "validation_naive_error": 0.9}


def test_weights_that_no_epoch_has_improved_have_the_initial_error() -> None:
    described = provenance.describe(trained(0.8, best_epoch=0), [SHOP], {})
    assert described["metrics"]["validation_error"] == 0.7
    assert provenance.describe(trained(), [SHOP], {})["metrics"] == {}


def test_series_of_different_steps_have_no_common_step_and_generated_ones_are_not_listed() -> None:
    other = replace(SHOP, step=Step.seconds(60))
    assert "step_s" not in provenance.describe(trained(), [SHOP, other], {})
    generated = provenance.describe(trained(), [SHOP], {"generated": {}})
    assert "step_s" not in generated
    assert generated["training"]["data"]["series"] == []


def test_the_candidate_with_the_smallest_error_is_chosen() -> None:
    choice = provenance.choice_of({"trained": 0.5, "base": 0.25})
    assert choice == {"chosen": "base", "validation_errors": {"trained": 0.5, "base": 0.25}}


def test_a_copy_of_the_base_model_has_the_error_of_the_base_model() -> None:
    described: dict[str, Any] = {"metrics": {"validation_error": 0.5, "validation_naive_error": 0.9}}
    members, errors = provenance.describe_copy(trained(), described, 0.3)
    assert members["metrics"] == {"validation_error": 0.3, "validation_naive_error": 0.9}
    assert errors == {"validation_error": 0.3, "trained_validation_error": 0.123457}
    assert described["metrics"]["validation_error"] == 0.5
