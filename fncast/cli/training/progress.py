"""Progress and result messages of a training."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model_service.training.trained import Epoch, Trained

BAR_WIDTH = 20
SHOWN_SERIES = 3  # names of series in a message
# The folder of plots, in the folder of the version.
PLOTS = "plots"


def progress(kind: str, candidate: str) -> Callable[[Epoch], None]:
    """A function that prints each epoch on stderr. kind: `text`, or `json` for objects on stdout as well.

    candidate: the model that is trained.
    """

    def print_epoch(epoch: Epoch) -> None:
        done = "#" * round(BAR_WIDTH * epoch.epoch / epoch.epochs)
        say(
            f"epoch {epoch.epoch:3}/{epoch.epochs} [{done:<{BAR_WIDTH}}] error {epoch.train_error:.4f}"
            f"  validation {epoch.validation_error:.4f} (last value {epoch.naive_error:.4f})"
            f"  {epoch.seconds:.1f} s"
        )
        if kind == "json":
            print(json.dumps({"candidate": candidate, **asdict(epoch)}), flush=True)

    return print_epoch


def ending(trained: Trained) -> str:
    """Why the training ended and which weights are kept."""
    best = f"the weights of epoch {trained.best_epoch} are kept"
    if trained.best_epoch == 0:
        best = "no epoch was better than the version it started from: the weights of that version are kept"
    if trained.stopped == "interrupted":
        return f"interrupted: {best}"
    if trained.stopped == "early":
        return f"stopped early, since the validation error no longer falls: {best}"
    return f"finished: {best}"


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = f" and {len(names) - SHOWN_SERIES} more" if len(names) > SHOWN_SERIES else ""
    return ", ".join(names[:SHOWN_SERIES]) + more


def say(text: str) -> None:
    """Print a message on stderr: stdout is for data."""
    print(text, file=sys.stderr, flush=True)
