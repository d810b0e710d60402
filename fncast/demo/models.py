"""Finds the demo's model, its window and its evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_service.serving.runtimes.runtime import UnusableModel
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
        window = self.details.get("window")
        return window if isinstance(window, int) and window > 0 else DEFAULT_WINDOW

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
    """Find the model that the demo serves; None if there is none. Raises UnusableModel, OSError."""
    if not models.is_dir():
        return None
    for folder in scan(models):
        if folder.name == NAME and not folder.retired:
            return FoundModel(folder, folder.details())
    return None


__all__ = ["DEFAULT_WINDOW", "NAME", "FoundModel", "UnusableModel", "find"]
