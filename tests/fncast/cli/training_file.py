"""A file of readings to train on, and the flags of a short training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

SHORT = ["--window", "24", "--horizon", "6", "--units", "8", "--epochs", "1"]


SMALL = ["--keep-trained", "--no-refit", *SHORT]  # trained too little to be better than the base model


def csv_file(folder: Path, readings: int = 300) -> Path:
    path = folder / "shop.csv"
    values = 10 + np.sin(2 * np.pi * np.arange(readings) / 12) + np.arange(readings) * 0.01
    lines = [f"{1_700_000_000 + 300 * i},{value:.4f}" for i, value in enumerate(values)]
    path.write_text("timestamp,value\n" + "\n".join(lines))
    return path
