"""The machine and versions of a measurement, without names of hosts, users or folders."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version

import psutil

LIBRARIES = ("confluent-kafka", "aiohttp", "uvicorn", "ai-edge-litert", "numpy")


def facts(*setup: str) -> dict[str, object]:
    """Return date, machine and versions. setup: details of this measurement, such as its broker."""
    memory_gib = psutil.virtual_memory().total / 2**30
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{psutil.cpu_count()} cores ({platform.machine()}), {memory_gib:.0f} GiB, {platform.system()}",
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "libraries": {name: version(name) for name in LIBRARIES},
        "setup": list(setup),
    }
