"""A file of readings to evaluate a model on."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def minutes_file(folder: Path, readings: int = 240) -> Path:
    """Readings of a wave with a season of 12 minutes, one a minute."""
    path = folder / "shop.csv"
    values = 10 + np.sin(2 * np.pi * np.arange(readings) / 12)
    path.write_text(
        "timestamp,value\n" + "\n".join(f"{1_700_000_000 + 60 * i},{v}" for i, v in enumerate(values))
    )
    return path
