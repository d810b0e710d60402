"""Writes a fine-tuned base model as the next version of a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fncast.series.window import MIN_HISTORY, MISSING
from model_service.serving.version_folder import HASHES, hashes_of
from model_service.training.base.fine_tune import FineTuned
from model_service.training.base.folder import write_litert
from model_service.training.base.shape import QUANTILES
from model_service.training.version_writer import libraries, next_version, weights_sha256

# The member of model.json that names the version from which a fine-tuning started.
FINE_TUNED = "fine_tuned_from"


def write_fine_tuned(
    tuned: FineTuned,
    start: dict[str, Any],
    models: Path,
    name: str,
    description: dict[str, Any],
    extra_files: Callable[[Path], None] = lambda folder: None,
) -> tuple[Path, dict[str, Any]]:
    """Write a fine-tuned model as the next version, like a base model of one size.

    start: name and version of the model that the fine-tuning started from. Otherwise as `write_version`.
    """

    def fill(temporary: Path) -> dict[str, Any]:
        write_litert(tuned.network, tuned.size, temporary)
        tuned.save_weights(temporary)
        return {
            "window": None,
            "sizes": [{"window": tuned.size.window, "horizon": tuned.settings.horizon}],
            "missing": MISSING,
            "least_history": MIN_HISTORY,
            "quantiles": list(QUANTILES),
            **description,
            FINE_TUNED: start,
            "parameters": tuned.network.count_params(),
            "weights_sha256": weights_sha256(tuned.network),
            HASHES: hashes_of(temporary),
            "libraries": libraries(),
        }

    return next_version(models, name, fill, extra_files)
