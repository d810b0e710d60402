"""The part of model.json about the training: data, split, epochs, errors."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from fncast.series.rfc3339 import format_time
from fncast.series.time_series import TimeSeries
from model_service.training.dataset import split
from model_service.training.evaluation.evaluation import MODEL, Evaluation
from model_service.training.settings import TrainingSettings
from model_service.training.trained import Trained

# The most series listed in model.json. The common fingerprint covers all series.
MAX_LISTED_SERIES = 200


def sha256(series: TimeSeries) -> str:
    """A fingerprint of the start, step and readings of a series, without its name."""
    digest = hashlib.sha256(f"{format_time(series.start)} {series.step.as_json()}".encode())
    digest.update(series.values.tobytes())
    return digest.hexdigest()


def describe(trained: Trained, series: Sequence[TimeSeries], source: dict[str, Any]) -> dict[str, Any]:
    """The members of model.json besides shapes and hashes. source: the origin of the series."""
    settings = trained.settings
    steps = {str(each.step.as_json()): each.step for each in series}
    described: dict[str, Any] = {}
    if len(steps) == 1 and "generated" not in source:
        [step] = steps.values()
        described.update(step.as_json())
    if settings.seasons:
        described["season"] = settings.seasons[0]
    described["training"] = {
        "settings": settings.as_json(),
        "data": {
            **source,
            "sha256": hashlib.sha256("".join(map(sha256, series)).encode()).hexdigest(),
            "series_count": len(series),
            "readings": sum(len(each) for each in series),
            "missing": sum(each.missing for each in series),
            "series": [_described(each, settings) for each in series[:MAX_LISTED_SERIES]]
            if "generated" not in source
            else [],
        },
        "split": {
            "test_share": settings.test_share,
            "validation_share": settings.validation_share,
            "train_windows": trained.train_windows,
            "validation_windows": trained.validation_windows,
            "bridged_windows": trained.bridged_windows,
        },
        "best_epoch": trained.best_epoch,
        "stopped": trained.stopped,
        "history": [{name: _short(value) for name, value in asdict(e).items()} for e in trained.history],
    }
    errors = {0: trained.initial_error, **{epoch.epoch: epoch.validation_error for epoch in trained.history}}
    metrics: dict[str, Any] = {}
    if trained.history and errors[trained.best_epoch] is not None:
        metrics = {
            "validation_error": _short(errors[trained.best_epoch]),
            "validation_naive_error": _short(trained.history[-1].naive_error),
        }
    return {**described, "metrics": metrics}


def choice_of(errors: dict[str, float]) -> dict[str, Any]:
    """The member of model.json about the choice. errors: on the validation part, by candidate."""
    return {
        "chosen": min(errors, key=lambda name: errors[name]),
        "validation_errors": {name: _short(error) for name, error in errors.items()},
    }


def describe_copy(
    trained: Trained, described: dict[str, Any], base_error: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The members of model.json of a copy of the base model, and its errors beside those of the trained model.

    described: the members for the trained model. base_error: of the base model on the validation part, which is the
    validation error of the version.
    """
    errors = {
        "validation_error": _short(base_error),
        "trained_validation_error": _short(trained.final_error),
    }
    metrics = {**described["metrics"], "validation_error": errors["validation_error"]}
    return {**described, "metrics": metrics}, errors


def test_metrics(evaluation: Evaluation) -> dict[str, Any]:
    """The metrics of the evaluation on the test part."""
    return {
        "test": {
            "series": len(evaluation.series),
            "origins": evaluation.origins,
            "stride": evaluation.stride,
            **{method: _shortened(evaluation.overall(method)) for method in evaluation.methods},
        },
        "test_relative_mae": _short(evaluation.overall(MODEL)["relative_mae"]),
    }


def _described(series: TimeSeries, settings: TrainingSettings) -> dict[str, Any]:
    cut = split(len(series), settings.test_share, settings.validation_share)

    def moment(index: int) -> str:
        return format_time(series.time(index))

    return {
        "name": series.name,
        **series.step.as_json(),
        "start": moment(0),
        "train_until": moment(cut.train),
        "validation_until": moment(cut.validation),
        "end": moment(len(series)),
        "readings": len(series),
        "missing": series.missing,
        "sha256": sha256(series),
    }


def _shortened(values: dict[str, float | None]) -> dict[str, float | None]:
    return {name: _short(value) for name, value in values.items()}


def _short(value: Any) -> Any:
    return float(f"{value:.6g}") if isinstance(value, float) else value
