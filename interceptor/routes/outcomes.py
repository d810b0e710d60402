"""Decides how a delivery ends from the events that the function returned for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fncast.foreign_text import clean
from fncast.series.window import TOO_FEW
from interceptor.cloudevents.answers import (
    NONE_TYPE,
    REJECTED_TYPE,
    SETTLING_TYPES,
    Output,
    data_object,
)
from interceptor.cloudevents.output_event import to_output_event
from interceptor.delivery import Delivery
from interceptor.errors import RetriableError
from interceptor.outcome import DeadLetter, Forecast, Outcome, Skipped
from interceptor.routes.backoff import MAX_RETRY_AFTER_S
from interceptor.routes.redaction import redacted
from interceptor.routes.short_windows import skip_short_window

NO_EVENT = Skipped("no event to publish")
# The live page recognises an unavailable function by these words: the function answers, so it is not down itself.
UNAVAILABLE_REASON = "the function is unavailable"
_MAX_REASON_CHARACTERS = 1024  # of a reason that a function gave; the dead letter's header holds no more


def outcome_of(delivery: Delivery, outputs: Sequence[Output]) -> Outcome:
    """Return the outcome for the delivery's own outputs, at least one.

    Raises RetriableError if the function is unavailable, or if the outputs contradict each other.
    """
    if outputs[0].type in SETTLING_TYPES:
        if len(outputs) > 1:
            raise RetriableError(f"{outputs[0].type} beside other events for the same input")
        return _settled(outputs[0], delivery)
    if len(outputs) > 1 and any(output.type in SETTLING_TYPES for output in outputs):
        raise RetriableError("a rejection beside other events for the same input")
    assert delivery.route is not None
    event, route_name = delivery.opened, delivery.route.name
    return Forecast(
        [to_output_event(event, output, route_name, index) for index, output in enumerate(outputs)]
    )


def _settled(output: Output, delivery: Delivery) -> Outcome:
    if output.type == NONE_TYPE:
        return NO_EVENT
    data = data_object(output)
    reason = reason_in(data)
    if output.type == REJECTED_TYPE:
        return rejected(reason, delivery)
    raise unavailable(reason, data.get("retry_after_s"), delivery)


def reason_in(data: Mapping[str, object]) -> str:
    """Return the reason in the data of an event of the type `rejected` or `unavailable`."""
    return str(data.get("reason") or "the function gave no reason")


def rejected(reason: str, delivery: Delivery) -> DeadLetter | Skipped:
    """Return the outcome of an event that the function rejects. reason: as the function gave it.

    An assembled window with too few readings is not an error: the series gets a forecast once it has more.
    """
    if delivery.parent is not None and reason.startswith(TOO_FEW):
        return skip_short_window(delivery.record.topic, _shown(reason, delivery))
    return DeadLetter(_shown(reason, delivery), attempts=delivery.attempts + 1, kind="refused_by_function")


def unavailable(reason: str, after_s: object, delivery: Delivery) -> RetriableError:
    """Return the error of a function that cannot answer now. reason, after_s: as the function gave them."""
    text = f"{UNAVAILABLE_REASON}: {_shown(reason, delivery)}"
    if isinstance(after_s, int | float) and 0 <= after_s <= MAX_RETRY_AFTER_S:
        return RetriableError(text, float(after_s))
    return RetriableError(text)


def _shown(reason: str, delivery: Delivery) -> str:
    assert delivery.route is not None
    return clean(redacted(reason, delivery.route), _MAX_REASON_CHARACTERS)
