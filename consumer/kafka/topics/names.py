"""The names of the topics that one consumer reads and writes; pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TopicNames:
    """outages, state: empty for none. more_outputs: topics that interceptors' events name."""

    inputs: tuple[str, ...]
    output: str
    dead_letters: str
    outages: str = ""
    state: str = ""
    more_outputs: tuple[str, ...] = ()

    def needed_outputs(self) -> list[str]:
        """The topics without which neither results nor state can be published."""
        return [name for name in (self.output, *self.more_outputs, self.dead_letters, self.state) if name]

    def watched(self) -> list[str]:
        """Each input topic and each needed output topic, once."""
        return list(dict.fromkeys((*self.inputs, *self.needed_outputs())))
