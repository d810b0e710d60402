"""Errors of the consumer's Kafka client: logs those that it recovers from, and raises those that end the consumer."""

from __future__ import annotations

import logging

from confluent_kafka import KafkaError

from consumer.errors import ConsumerError
from consumer.kafka.authorization import authorization_error
from fncast.wording.kafka import describe

log = logging.getLogger("fncast.kafka")

# Errors that the client recovers from: it reconnects, and topics may be created later.
_TEMPORARY = frozenset(
    {
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._TRANSPORT,
        KafkaError._RESOLVE,
        KafkaError._TIMED_OUT,
        KafkaError._MAX_POLL_EXCEEDED,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.COORDINATOR_NOT_AVAILABLE,
        KafkaError.NOT_COORDINATOR,
        KafkaError.LEADER_NOT_AVAILABLE,
    }
)
_STATIC_MEMBER = "group.instance.id"  # in the error of a static member that another one has replaced


class SourceErrors:
    """Owned by `KafkaSource`, in the loop's thread.

    problem: the last error, until `clear`; empty if there is none.
    """

    def __init__(self, group_id: str, instance: str) -> None:
        """instance: the name of a static member; empty for a dynamic member."""
        self._group_id = group_id
        self._instance = instance
        self._logged: set[str] = set()
        self.problem = ""

    def handle(self, error: KafkaError) -> None:
        """Log an error once. Raises ConsumerError if it is fatal, or if the broker denies access to the group."""
        if error.fatal() or error.code() == KafkaError._FATAL:
            raise self._fatal_error(error)
        is_group_denied = error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED
        if is_group_denied and (denied := authorization_error(error, [self._group_id])):
            raise denied
        reason = describe(error)
        if reason not in self._logged:
            # Log it once until records arrive: the client repeats its errors while a broker is down.
            self._logged.add(reason)
            self.problem = reason
            log.warning("Kafka: %s%s", reason, "; waiting for it" if error.code() in _TEMPORARY else "")

    def _fatal_error(self, error: KafkaError) -> ConsumerError:
        """The error after which this client does not work any more."""
        if self._instance and _STATIC_MEMBER in error.str():
            return ConsumerError(
                f"another consumer has joined the group {self._group_id!r} as {self._instance!r}, the name of"
                " this consumer: give each its own `instance` in [kafka]"
            )
        return ConsumerError(f"Kafka's client gives up: {describe(error)}")

    def clear(self) -> None:
        """Forget the problem, so that its next occurrence is logged."""
        self._logged.clear()
        self.problem = ""
