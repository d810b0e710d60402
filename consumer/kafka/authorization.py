"""What the broker does not let this login do: nothing that passes by itself, so the consumer ends with a sentence."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import KafkaError

from consumer.errors import ConsumerError

_WHAT = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "use the topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "use the group",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "use the transactional id",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "use the cluster so",
}


def authorization_error(cause: KafkaError, names: Iterable[str] = ()) -> ConsumerError | None:
    """The error where the cause is a denial. names: of what may be meant."""
    what = _WHAT.get(cause.code())
    if what is None:
        return None
    named = " or ".join(repr(name) for name in sorted(names))
    return ConsumerError(
        f"the broker does not let this login {what}{f' {named}' if named else ''}."
        " Grant it there, or log in as another user"
    )
