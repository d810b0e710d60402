"""Describes the machine of a measurement in one line, without names of hosts, users or folders."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version

import psutil

LIBRARIES = ("confluent-kafka", "aiohttp", "uvicorn", "ai-edge-litert", "numpy")


def facts(*more: str) -> str:
    """Date, machine and versions in one line. more: facts of one measurement, such as its broker."""
    memory_gib = psutil.virtual_memory().total / 2**30
    return "; ".join(
        [
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
            f"{psutil.cpu_count()} cores ({platform.machine()}), {memory_gib:.0f} GiB, {platform.system()}",
            f"Python {platform.python_version()} ({platform.python_implementation()})",
            ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
            *more,
        ]
    )
