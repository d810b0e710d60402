"""Transactional clients whose calls fail or never end, for the tests of the exactly-once publisher."""

import threading
from collections.abc import Callable
from unittest.mock import Mock

from confluent_kafka import KafkaError, KafkaException

OFFSETS = {("metrics", 0): 1}
ABORTABLE = KafkaError(KafkaError._TIMED_OUT, "abortable", txn_requires_abort=True)
TIMED_OUT = KafkaError(KafkaError._TIMED_OUT, "timed out", retriable=True)
FENCED = KafkaError(KafkaError._FENCED, "fenced", fatal=True)


class Client:
    """A producer in which one call never ends, or others fail."""

    def __init__(self, hangs: str, on_delivery: Callable[[KafkaError, Mock], None]) -> None:
        self._hangs = hangs
        self.on_delivery = on_delivery
        self.fails: dict[str, KafkaError] = {}
        self.calls: list[str] = []
        self.purged = False

    def __getattr__(self, name):
        def call(*_, **__):
            self.calls.append(name)
            if name == self._hangs:
                threading.Event().wait()
            if name in self.fails:
                raise KafkaException(self.fails[name])

        return call

    def purge(self):
        self.purged = True
