"""The models that come with fncast: `base` forecasts any series without training. `make base-model` writes it."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).resolve().parent
BASE = "base"
