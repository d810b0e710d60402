"""The goals of the forecast quality, and what was reached."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model_service.training.evaluation.report import table


@dataclass(frozen=True)
class Target:
    """The goals and the result for one data set.

    measure: the name of the error, a key of `Evaluation.overall`. goal: the largest error of the model. share_goal: the
    largest ratio of its error to that of the best classical or naive method. others: the errors of these methods. band:
    the least and the largest coverage. seconds: of the run.
    """

    data: str
    measure: str
    goal: float
    share_goal: float
    model: float
    others: dict[str, float]
    coverage: float | None
    seconds: float
    band: tuple[float, float] | None = None

    @property
    def best(self) -> str:
        """The classical or naive method with the smallest error."""
        return min(self.others, key=lambda method: self.others[method])

    @property
    def is_reached(self) -> bool:
        is_as_good = self.model <= self.goal and self.model <= self.share_goal * self.others[self.best]
        if self.band is None:
            return is_as_good
        low, high = self.band
        return is_as_good and self.coverage is not None and low <= self.coverage <= high


def summary(targets: Sequence[Target]) -> str:
    """A table with a row for each data set."""
    headings = [
        "data",
        "measure",
        "model",
        "goal",
        "best other",
        "model / best other",
        "goal",
        "80 % band",
        "goal",
        "reached",
        "min",
    ]
    rows = [
        [
            target.data,
            target.measure,
            f"{target.model:.3f}",
            f"≤ {target.goal:.2f}",
            f"{target.others[target.best]:.3f} {target.best}",
            f"{target.model / target.others[target.best]:.3f}",
            f"≤ {target.share_goal:.2f}",
            "-" if target.coverage is None else f"{target.coverage:.3f}",
            "-" if target.band is None else f"{target.band[0]:.2f}-{target.band[1]:.2f}",
            "yes" if target.is_reached else "no",
            f"{target.seconds / 60:.1f}",
        ]
        for target in targets
    ]
    return table(headings, rows)
