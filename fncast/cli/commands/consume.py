"""`fncast consume`: runs the consumer."""

from __future__ import annotations

import argparse
import asyncio

from consumer.admin import Admin
from consumer.errors import ConsumerError
from consumer.service import Service
from consumer.settings import Settings, SettingsError
from fncast.cli.arguments.settings import add_kafka_arguments, settings
from fncast.cli.process.service import Endpoint, run_service
from fncast.failure import Failure
from fncast.http.listener import bind
from fncast.http.port import parse_port
from fncast.http.security import Security, add_security_arguments

EXAMPLES = """
fncast consume
fncast consume --bootstrap-servers kafka-1:9092,kafka-2:9092
fncast consume --config fncast.toml --port 9465
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_kafka_arguments(parser)
    parser.add_argument("--host", help="address of /metrics, /healthz and /readyz (default: [admin] host)")
    parser.add_argument(
        "--port", type=parse_port, help="port of these endpoints (default: [admin] port, 9464)"
    )
    add_security_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the consumer until SIGINT or SIGTERM. Returns the exit code. Raises Failure."""
    configured = settings(arguments)
    host = arguments.host or configured.admin.host
    admin_port = configured.admin.port if arguments.port is None else arguments.port
    return asyncio.run(consume(configured, host, admin_port, Security.of(arguments)))


async def consume(configured: Settings, host: str, port: int, security: Security) -> int:
    """Consume until SIGINT or SIGTERM. Returns the exit code 0.

    host, port, security: of the admin listener. Raises Failure.
    """
    listener = bind(host, port)
    try:
        service = Service(configured)
    except (SettingsError, ConsumerError) as error:
        raise Failure(str(error)) from None
    kafka = configured.kafka
    return await run_service(
        "consumer",
        service,
        Endpoint(Admin(service), listener, security, "/metrics, /healthz and /readyz"),
        f"consuming {', '.join(kafka.input_topics)} from {kafka.bootstrap_servers} as group {kafka.group_id}"
        f" ({kafka.delivery}); metrics on {security.scheme}://{host}:{listener.getsockname()[1]}/metrics",
    )
