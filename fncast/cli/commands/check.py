"""`fncast check`: tries every hop from the broker to the model and prints a table."""

from __future__ import annotations

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from consumer.assembly import build_chain, build_deliver, build_function_client
from consumer.settings import Settings, SettingsError
from fncast.checks.routes_check import check_routes
from fncast.checks.row import Row, json_lines, table
from fncast.checks.topics_check import check_kafka
from fncast.cli.arguments.settings import add_kafka_arguments, settings
from fncast.failure import Failure

DEFAULT_FILE = Path("fncast.toml")
OTHER_HOPS = ("broker", "topics", "routes")

EXAMPLES = """
fncast check
fncast check --config fncast.toml --bootstrap-servers kafka:9092
fncast check --json | jq 'select(.result == "failed")'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_kafka_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object for each row")


def run(arguments: argparse.Namespace) -> int:
    """Print a row for each hop. Returns 0, or 1 if a hop failed."""
    rows = _rows(arguments)
    print("\n".join(json_lines(rows) if arguments.json else table(rows)))
    failed = sum(row.result == "failed" for row in rows)
    if failed:
        print(f"fncast: {failed} of {len(rows)} checks failed", file=sys.stderr)
    return 1 if failed else 0


def _rows(arguments: argparse.Namespace) -> list[Row]:
    try:
        configured = settings(arguments)
        asyncio.run(_compose(configured))
    except (Failure, SettingsError) as error:
        rest = [Row(hop, "not tried", "the settings are wrong") for hop in OTHER_HOPS]
        return [Row("settings", "failed", str(error), "correct the setting that is named"), *rest]
    rows = [_settings_row(arguments.config, configured)]
    now = datetime.now(UTC)
    rows += check_kafka(configured, now)
    rows += asyncio.run(check_routes(configured, now))
    return rows


async def _compose(configured: Settings) -> None:
    """Build the chain, which loads interceptors and formats. Raises SettingsError."""
    build_chain(configured, build_deliver(configured, build_function_client(configured)))


def _settings_row(config: Path | None, configured: Settings) -> Row:
    file = config or DEFAULT_FILE
    inputs = ", ".join(configured.kafka.input_topics)
    routes = ", ".join(sorted(configured.routes)) or "none"
    if not file.is_file():
        fix = "fncast init --topic NAME > fncast.toml writes one"
        return Row("settings", "ok", f"no {file}: defaults; inputs: {inputs}; routes: {routes}", fix)
    if not file.stat().st_size:
        fix = "run fncast init --topic NAME > fncast.toml again: if it prints no settings, it says why"
        return Row(
            "settings", "warning", f"{file} is empty: defaults; inputs: {inputs}; routes: {routes}", fix
        )
    return Row("settings", "ok", f"{file}; inputs: {inputs}; routes: {routes}")
