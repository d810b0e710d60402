"""What the outputs of a testbed say about its inputs: which have a forecast, how often, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable


def attribute(message, name: str) -> str:
    """The last header of this name, as text."""
    return dict(message.headers())[name].decode()


def inputs_of(messages) -> list[str]:
    """The id of each output's input."""
    return [attribute(message, "ce_causationid") for message in messages]


def out_of_order(ids: list[str]) -> list[str]:
    """The ids KEY:NUMBER that come after a larger number of their key. Repeats are left out."""
    last: dict[str, int] = {}
    found = []
    for id_ in dict.fromkeys(ids):
        key, number = id_.split(":")
        if int(number) <= last.get(key, -1):
            found.append(id_)
        last[key] = int(number)
    return found


def check_forecasts(testbed, ids, *, repeats: bool) -> None:
    """Check that every input has its forecast, in order for each key. repeats: whether it may have several."""
    outputs = inputs_of(testbed.read_all(testbed.forecasts))
    counts = Counter(outputs)
    assert set(counts) == set(ids)
    if not repeats:
        assert max(counts.values()) == 1
    assert out_of_order(outputs) == []


def all_have_forecasts(testbed, ids) -> Callable[[], bool]:
    """A condition for `until`: each of these inputs has a forecast."""
    return lambda: set(inputs_of(testbed.read_all(testbed.forecasts))) >= set(ids)


def check_delivery(testbed, ids, *, repeats: bool) -> None:
    """Check that the inputs are in order for each key, and that every input has its forecast, in the same order."""
    assert out_of_order([attribute(message, "ce_id") for message in testbed.read_all(testbed.metrics)]) == []
    check_forecasts(testbed, ids, repeats=repeats)
