"""Flags and settings of the commands that read fncast.toml."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from consumer.settings import KafkaSettings, Settings, SettingsError, load
from fncast.failure import Failure


def add_config_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--config`, the settings file."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings file (default: fncast.toml in this folder, if any; FNCAST_… variables and flags override it)",
    )


def add_kafka_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of commands that connect to Kafka."""
    add_config_argument(parser)
    parser.add_argument(
        "--bootstrap-servers",
        metavar="HOST:PORT,…",
        help="Kafka's addresses (default: [kafka] bootstrap_servers, localhost:9092)",
    )


def settings(arguments: argparse.Namespace) -> Settings:
    """All settings, with the flags applied. Raises Failure."""
    overrides: dict[str, Any] = {}
    servers = getattr(arguments, "bootstrap_servers", None)
    if servers is not None:
        overrides["kafka"] = {"bootstrap_servers": servers}
    try:
        return load(arguments.config, overrides=overrides)
    except SettingsError as error:
        raise Failure(str(error)) from None


def kafka_settings(arguments: argparse.Namespace) -> KafkaSettings:
    """The section [kafka]. Raises Failure."""
    return settings(arguments).kafka
