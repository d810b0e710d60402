"""Finds the demo's model, its window and its evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fncast import models as base_models
from model_service.serving.version_folder import VersionFolder, scan

NAME = "forecast"
DEFAULT_WINDOW = 48


@dataclass(frozen=True)
class FoundModel:
    """The newest version that is not retired.

    details: the content of its model.json.
    """

    folder: VersionFolder
    details: dict[str, Any]

    @property
    def window(self) -> int:
        """How many readings the model needs."""
        window = self.details.get("window")  # the base model has none: it takes any number
        return window if isinstance(window, int) and window > 0 else DEFAULT_WINDOW

    @property
    def is_base(self) -> bool:
        """Whether it is the base model, which comes with fncast."""
        return self.folder.path.is_relative_to(base_models.FOLDER)

    def evaluation(self) -> list[str]:
        """The errors on unseen data of the model and other methods, one line each; [] if model.json has none."""
        metrics = self.details.get("metrics")
        test = metrics.get("test") if isinstance(metrics, dict) else None
        if not isinstance(test, dict):
            return []
        errors = {
            method: scores["relative_mae"]
            for method, scores in test.items()
            if isinstance(scores, dict) and isinstance(scores.get("relative_mae"), float)
        }
        width = max(map(len, errors), default=0)
        return [
            f"{method:<{width}}  {error:.3f}"
            for method, error in sorted(errors.items(), key=lambda item: item[1])
        ]


def find(models: Path) -> FoundModel | None:
    """Find the trained model that the demo serves; None if there is none. Raises UnusableModel, OSError."""
    return _newest(models, NAME)


def find_base() -> FoundModel | None:
    """The base model; None if this installation has none. Raises UnusableModel, OSError."""
    return _newest(base_models.FOLDER, base_models.BASE)


def _newest(models: Path, name: str) -> FoundModel | None:
    if not models.is_dir():
        return None
    for folder in scan(models):
        if folder.name == name and not folder.is_retired:
            return FoundModel(folder, folder.details())
    return None
