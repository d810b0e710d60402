"""Metrics of calls. Labels hold route names only, never text from an event."""

from __future__ import annotations

from prometheus_client import Gauge, Histogram

CALL_SECONDS = Histogram(
    "fncast_call_seconds",
    "Time of one call of a function",
    ["destination"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
CALL_EVENTS = Histogram(
    "fncast_call_events",
    "Events in one call of a function",
    ["destination"],
    buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024),
)
CIRCUIT_OPEN = Gauge(
    "fncast_circuit_open", "1 while the route is out and its partitions wait", ["destination"]
)
