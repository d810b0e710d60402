"""`fncast state` as an operator uses it: show, reset and rebuild."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from assembled import KEYS, OWNER, check, produce, run_once, wait_for_all
from consumer_process import ROOT
from kafka_container import PARTITIONS
from testbed import DeliveryTestbed

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.timeout(240)]


def fncast(testbed: DeliveryTestbed, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "fncast",
        "state",
        *words,
        "--bootstrap-servers",
        testbed.bootstrap_servers,
    ]
    variables = {"FNCAST_KAFKA__GROUP_ID": testbed.group, "FNCAST_KAFKA__STATE_TOPIC": testbed.state}
    return subprocess.run(
        command, env=os.environ | variables, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.guarantee("state is rebuilt from the input after a reset with --replay")
def test_state_is_shown_and_rebuilt_by_an_operator(windows: DeliveryTestbed) -> None:
    produce(windows, 400)
    consumer = windows.consume()
    wait_for_all(windows)
    rejected = fncast(windows, "reset", "--yes")
    assert rejected.returncode == 1
    assert f"the group '{windows.group}' has members (1)" in rejected.stderr
    assert consumer.terminate() == 0
    shown = [json.loads(line) for line in fncast(windows, "show", "--json").stdout.splitlines()]
    assert [(line["topic"], line["partition"], line["interceptor"]) for line in shown] == [
        (windows.metrics, partition, OWNER) for partition in range(PARTITIONS)
    ]
    assert sum(line["series"] for line in shown) == KEYS
    assert sum(line["records"] for line in shown) == 2 * PARTITIONS  # a bucket of series and a head
    assert fncast(windows, "show").stdout.splitlines()[0].split()[:2] == ["topic", "partition"]
    asked = fncast(windows, "reset")
    assert (asked.returncode, "pass --yes" in asked.stderr) == (1, True)
    done = fncast(windows, "reset", "--yes", "--replay")
    assert done.stdout == f"deleted the state of {PARTITIONS} partitions\n"
    assert fncast(windows, "show", "--json").stdout == ""
    log = run_once(windows, 100, first=401)
    assert "has no state yet" not in log
    check(windows)
