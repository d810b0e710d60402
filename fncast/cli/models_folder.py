"""The folder of models, as the flags of commands give it."""

from __future__ import annotations

import argparse
from pathlib import Path


def models_folder(text: str) -> Path:
    """Raises argparse.ArgumentTypeError for an empty one, as an unset variable of a shell leaves it: `Path` would take
    the current folder."""
    if not text:
        raise argparse.ArgumentTypeError("is empty; the current folder is '.'")
    return Path(text)
