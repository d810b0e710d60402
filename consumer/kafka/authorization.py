"""Errors for access that the broker denies. Access does not come back by itself, so the consumer ends."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import KafkaError

from consumer.errors import AccessDenied

DENIED = "the broker does not let this login"
GRANT = "Grant it there, or log in as another user"

_ACTIONS = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "use the topic",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "use the group",
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "use the transactional id",
    KafkaError.CLUSTER_AUTHORIZATION_FAILED: "do this on the cluster",
}


def authorization_error(cause: KafkaError, names: Iterable[str] = ()) -> AccessDenied | None:
    """The error if the cause is denied access, else None. names: the topics or groups that the request named."""
    action = _ACTIONS.get(cause.code())
    if action is None:
        return None
    meant = frozenset(names)
    named = " or ".join(repr(name) for name in sorted(meant))
    return AccessDenied(
        f"{DENIED} {action}{f' {named}' if named else ''}. {GRANT}",
        meant if cause.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED else frozenset(),
    )
