"""Figures that have a goal, and their table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model_service.training.evaluation.report import table


@dataclass(frozen=True)
class Figure:
    """A measured figure with a goal. goal: the largest value that meets it."""

    name: str
    value: float
    goal: float

    @property
    def is_met(self) -> bool:
        return self.value <= self.goal


def goals(figures: Sequence[Figure]) -> str:
    """The table of the figures that have a goal."""
    rows = [
        [figure.name, f"{figure.value:.3f}", f"≤ {figure.goal:.2f}", "yes" if figure.is_met else "no"]
        for figure in figures
    ]
    return "Goals\n\n" + table(["figure", "base model", "goal", "met"], rows)
