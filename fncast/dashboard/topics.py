"""The topics that the page reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PageTopics:
    """The topics that the page reads. An empty name means that the topic is not read."""

    inputs: tuple[str, ...] = ("metrics",)
    output: str = "forecasts"
    dead_letters: str = "dead-letters"
    outages: str = "outages"
    training: str = "training"
    accuracy: str = "accuracy"
    alerts: str = "alerts"

    def all(self) -> tuple[str, ...]:
        """All topic names, without empty ones."""
        topics = (*self.inputs, self.output, self.dead_letters, self.outages, self.training)
        return tuple(topic for topic in (*topics, self.accuracy, self.alerts) if topic)

    def as_json(self) -> dict[str, str]:
        """The topics that the page names, as JSON values."""
        return {"in": ", ".join(self.inputs), "out": self.output, "dead_letters": self.dead_letters}
