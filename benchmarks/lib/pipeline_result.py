"""The result of one pipeline: the base class of the results of several benchmarks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.lib.programs import Pipeline


@dataclass
class PipelineResult:
    """The result of one pipeline. Its name includes the delivery guarantee."""

    pipeline: Pipeline

    @property
    def name(self) -> str:
        return f"{self.pipeline.name}, {self.pipeline.delivery}"

    @property
    def environments(self) -> Sequence[str]:
        return self.pipeline.environments
