"""What is measured of one pipeline: the base of the benchmarks' results."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.lib.programs import Pipeline


@dataclass
class PipelineResult:
    """The result of one pipeline, under its name and delivery guarantee."""

    pipeline: Pipeline

    @property
    def name(self) -> str:
        return f"{self.pipeline.name}, {self.pipeline.delivery}"

    @property
    def environments(self) -> Sequence[str]:
        return self.pipeline.environments
