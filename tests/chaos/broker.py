"""The broker of a chaos run."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Iterator

from kafka_cluster import KafkaCluster
from kafka_container import KafkaContainer


@contextlib.contextmanager
def broker(options: argparse.Namespace) -> Iterator[KafkaContainer | KafkaCluster]:
    """Yield the container that the options name, or a new one, or a cluster."""
    if options.container:
        yield KafkaContainer.attach(options.container, options.bootstrap_servers)
        return
    kafka = KafkaCluster() if options.cluster else KafkaContainer()
    try:
        yield kafka
    finally:
        kafka.close()
