"""Calls of Kafka's client that may stay away for good, their time-outs notwithstanding: each in a thread of its own.

Seen of send_offsets_to_transaction with confluent-kafka 2.16: after a broker's death, and where the group's coordinator
is not there yet.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future

from confluent_kafka import KafkaError, KafkaException

LATE_S = 2.0  # librdkafka looks for what has timed out once a second


def ended_within(timeout_s: float, call: Callable[[], None], late_s: float | None = None) -> None:
    """Make a call that says to end within `timeout_s` in a thread that nobody joins. late_s: more that it gets.

    Raises what it raises, or KafkaException where it stays away.
    """
    try:
        in_a_thread(call).result(timeout_s + (LATE_S if late_s is None else late_s))
    except TimeoutError:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT, "the client's call does not end")) from None


def in_a_thread(call: Callable[[], None]) -> Future[None]:
    """The call's end. The thread keeps no process from ending."""
    ended: Future[None] = Future()

    def run() -> None:
        try:
            call()
        except BaseException as error:
            ended.set_exception(error)
        else:
            ended.set_result(None)

    threading.Thread(target=run, name="transaction", daemon=True).start()
    return ended
