"""Progress and result messages of a training."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from fncast.cli.output.messages import say

if TYPE_CHECKING:
    from model_service.training.trained import Epoch, Trained

BAR_WIDTH = 20
# The folder of plots, in the folder of the version.
PLOTS = "plots"


def progress(kind: str, candidate: str) -> Callable[[Epoch], None]:
    """A function that prints each epoch on stderr.

    kind: `text`, or `json` to print an object for each epoch on stdout as well. candidate: the model that is trained.
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
