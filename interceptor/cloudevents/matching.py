"""Matches the events of an answer to the input events of the call.

Each output names its input in `causationid` and `causationsource`. If these are absent or ambiguous, exactly one output
per input is matched by position. Any other answer is invalid.
"""

from __future__ import annotations

from collections.abc import Sequence

from interceptor.cloudevents.answers import Output
from interceptor.cloudevents.attributes import quoted
from interceptor.cloudevents.event import Event
from interceptor.errors import RetriableError


def match(inputs: Sequence[Event], outputs: Sequence[Output]) -> list[list[Output]]:
    """Return the outputs of each input, in input order. Raises RetriableError if the outputs cannot be assigned."""
    if len(outputs) == len(inputs):
        for event, output in zip(inputs, outputs, strict=True):
            attributes = event.attributes
            if output.causationid != attributes["id"] or output.causationsource != attributes["source"]:
                break
        else:
            return [[output] for output in outputs]
    return _match_by_name(inputs, outputs)


def _match_by_name(inputs: Sequence[Event], outputs: Sequence[Output]) -> list[list[Output]]:
    positions: dict[tuple[object, object], int] = {
        (event.attributes["source"], event.attributes["id"]): position
        for position, event in enumerate(inputs)
    }
    has_names = all(output.causationid and output.causationsource for output in outputs)
    if not has_names or len(positions) < len(inputs):
        if len(outputs) != len(inputs):
            raise RetriableError(
                f"{len(outputs)} output events for {len(inputs)} input events, and causationid and causationsource"
                " do not assign them"
            )
        return [[output] for output in outputs]
    matched: list[list[Output]] = [[] for _ in inputs]
    last = -1
    for output in outputs:
        position = positions.get((output.causationsource, output.causationid))
        if position is None:
            raise RetriableError(
                f"an output event has the causationid {quoted(output.causationid)}, which was not sent"
            )
        if position != last and matched[position]:
            raise RetriableError(f"the output events for {quoted(output.causationid)} are not consecutive")
        matched[position].append(output)
        last = position
    for event, own_outputs in zip(inputs, matched, strict=True):
        if not own_outputs:
            raise RetriableError(f"no output event for the input event {quoted(event.attributes['id'])}")
    return matched
