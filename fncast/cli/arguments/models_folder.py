"""The flag `--models`: a folder of models."""

from __future__ import annotations

import argparse
from pathlib import Path


def models_folder(text: str) -> Path:
    """The folder as a path. Raises argparse.ArgumentTypeError for an empty text, as an unset shell variable gives it:
    `Path("")` would be the current folder.
    """
    if not text:
        raise argparse.ArgumentTypeError("is empty; the current folder is '.'")
    return Path(text)
