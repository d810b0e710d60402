"""The options of a chaos run."""

from __future__ import annotations

import argparse
from pathlib import Path

from faults import KINDS

PATIENCE_S = 120.0


def parse_options() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(
        description="Inject faults into a running fncast, then check its output."
    )
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=200.0, help="events a second")
    parser.add_argument("--spacing", type=int, default=400, help="settled inputs between faults, about")
    parser.add_argument("--events", type=int, default=0, help="the least number of events")
    parser.add_argument("--all-work", action="store_true", help="continue until every part has worked")
    parser.add_argument("--within", type=float, default=float("inf"), help="seconds; no fault after them")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE_S, help="seconds without output that end the run"
    )
    parser.add_argument("--schedule", default="", help=f"faults in this order, of {', '.join(KINDS)}")
    parser.add_argument("--protocol", choices=("classic", "consumer"), default="classic", help="of the group")
    parser.add_argument("--consumers", type=int, default=2)
    parser.add_argument("--hosts", type=int, default=1, help="function hosts, divided among the consumers")
    parser.add_argument("--model-services", type=int, default=1, help="each host knows all of them")
    parser.add_argument(
        "--readings", action="store_true", help="send single readings, and check each window's forecast"
    )
    parser.add_argument("--bug", help="a deliberate bug: see faulty_consumer.py")
    parser.add_argument("--crash", default="", help="POINT:N, of one consumer: see crash_points.py")
    parser.add_argument("--freeze", default="", help="POINT:N, of one consumer: see crash_points.py")
    parser.add_argument(
        "--gone", action="store_true", help="keep a consumer that crashed at a point away for 45 s"
    )
    parser.add_argument(
        "--slack", type=float, default=1.0, help="multiplies all time limits, for a busy machine"
    )
    parser.add_argument("--cluster", action="store_true", help="three brokers behind proxies, instead of one")
    parser.add_argument("--container", default="", help="id of a running Kafka container")
    parser.add_argument("--bootstrap-servers", default="", help="its address")
    parser.add_argument("--models", type=Path, help="the models folder of an earlier run")
    parser.add_argument("--logs", type=Path, help="an existing folder that keeps the logs")
    return parser.parse_args()
