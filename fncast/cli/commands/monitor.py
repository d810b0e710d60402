"""`fncast monitor`: compares forecasts with readings, and publishes accuracy, anomalies and alerts."""

from __future__ import annotations

import argparse
import asyncio
import time

from consumer.errors import ConsumerError
from consumer.service import Service
from consumer.settings import Settings, SettingsError
from consumer.supervision import keep_running
from fncast.cli.arguments.settings import add_kafka_arguments, settings
from fncast.cli.process.service import Endpoint, run_service
from fncast.failure import Failure
from fncast.http.listener import bind
from fncast.http.port import parse_port
from fncast.http.security import Security, add_security_arguments
from fncast.monitor.admin import MonitorAdmin, register
from fncast.monitor.alerts.unmatched import report_unmatched
from fncast.monitor.co_partition import differing_partitions
from fncast.monitor.judge import Judge
from fncast.monitor.settings import JUDGE, joined_topics, monitor_rules, monitor_settings

DEFAULT_PORT = 9465

EXAMPLES = """
fncast monitor
fncast monitor --bootstrap-servers kafka-1:9092,kafka-2:9092
fncast monitor --config fncast.toml --port 9466
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_kafka_arguments(parser)
    parser.add_argument(
        "--host", help="address of /accuracy, /metrics, /healthz and /readyz (default: [admin] host)"
    )
    parser.add_argument(
        "--port", type=parse_port, default=DEFAULT_PORT, help="port of these endpoints (default: %(default)s)"
    )
    add_security_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run the monitor until SIGINT or SIGTERM. Returns the exit code. Raises Failure."""
    configured = settings(arguments)
    _check_partitions(configured)
    host = arguments.host or configured.admin.host
    return asyncio.run(monitor(configured, host, arguments.port, Security.of(arguments)))


def _check_partitions(configured: Settings) -> None:
    """Raises Failure if the topics that are joined have different numbers of partitions."""
    counts = differing_partitions(configured.kafka.client_properties(), joined_topics(configured))
    if counts:
        found = ", ".join(f"{topic}: {count}" for topic, count in counts.items())
        raise Failure(
            f"the topics of readings and forecasts have different numbers of partitions ({found}), so the monitor"
            " cannot join them: add partitions with kafka-topics.sh --alter, or name other topics"
        )


async def monitor(configured: Settings, host: str, port: int, security: Security) -> int:
    """Monitor until SIGINT or SIGTERM. Returns the exit code 0. Raises Failure."""
    listener = bind(host, port)
    judge, service = build_monitor(configured)
    register(judge)
    topics = configured.monitor
    url = f"{security.scheme}://{host}:{listener.getsockname()[1]}"
    rules = monitor_rules(configured).alerts
    return await run_service(
        "monitor",
        service,
        Endpoint(
            MonitorAdmin(service, judge), listener, security, "/accuracy, /metrics, /healthz and /readyz"
        ),
        f"monitoring {', '.join(joined_topics(configured))} from {configured.kafka.bootstrap_servers} as group"
        f" {topics.group_id}, to {topics.accuracy_topic} and {topics.alerts_topic}; accuracy on {url}/accuracy",
        keep_running(
            "the report of rules without a series",
            lambda: report_unmatched(rules, judge.series_names, time.monotonic),
        ),
    )


def build_monitor(configured: Settings) -> tuple[Judge, Service]:
    """The monitor's consumer. Call it in the event loop that runs it. Raises Failure."""
    try:
        settings = monitor_settings(configured)
        judge = Judge(monitor_rules(configured), settings.kafka.input_topics)
        outputs = (configured.monitor.alerts_topic,)
        service = Service(settings, {JUDGE: judge}, outputs, joins_inputs=True)
    except (SettingsError, ConsumerError, ValueError) as error:
        raise Failure(str(error)) from None
    return judge, service
