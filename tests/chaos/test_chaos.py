"""A short chaos run, crashes at named points, and that the checker notices deliberate bugs."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCALED_OUT = ("--consumers", "3", "--hosts", "2", "--model-services", "2")
CLUSTER_S = 1200  # about 5 min on a quiet machine
SHORT_S = 300  # the short run takes about 90 s on a quiet machine
ONE_S = 200  # a run with a crash or a freeze takes about 40 s
ENDS_S = 40  # from SIGTERM until the processes of a run have ended


@pytest.fixture(scope="session")
def models(docker_engine, tmp_path_factory) -> Path:
    """Filled by the first run."""
    return tmp_path_factory.mktemp("chaos") / "models"


@pytest.fixture
def run(kafka, start_run):
    """run(seconds, arguments…): a chaos run on the Kafka of this test run. Returns exit code and summary."""
    broker = ("--container", kafka.container_id, "--bootstrap-servers", kafka.bootstrap_servers)
    return partial(start_run, broker=broker)


@pytest.fixture
def start_run(models):
    def start(within_s: float, *arguments: str, broker: tuple[str, ...] = ()) -> tuple[int, dict]:
        command = [sys.executable, str(HERE / "run.py"), *broker, "--models", str(models), *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                out, log = process.communicate(timeout=within_s)
            finally:
                if process.poll() is None:  # SIGTERM lets it end its processes
                    process.terminate()
                    try:
                        process.communicate(timeout=ENDS_S)
                    finally:
                        process.kill()
        assert out, log[-3000:]
        print(out, log)  # pytest shows this if the test fails
        return process.returncode, json.loads(out.splitlines()[-1])

    return start


@pytest.mark.guarantee("random kills lose, repeat and reorder nothing")
@pytest.mark.integration
@pytest.mark.docker
@pytest.mark.timeout(SHORT_S + ENDS_S)
def test_nothing_is_lost_repeated_or_out_of_order(run):
    """Five kills, the function away for 15 s, and one more consumer that joins and leaves for 15 s."""
    code, found = run(SHORT_S, "--schedule", "consumer,function,away,model,storm,host,gone", "--seed", "3")
    assert code == 0, found
    assert found["kills"] == 5
    assert found["dead_letters"] > 0


@pytest.mark.guarantee("random kills leave every window of readings right")
@pytest.mark.integration
@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.timeout(SHORT_S + ENDS_S)
def test_readings_are_assembled_through_kills(run):
    schedule = "consumer,function,away,model,storm,host,gone,consumer"
    code, found = run(SHORT_S, "--readings", "--schedule", schedule, "--seed", "3")
    assert code == 0, found
    assert found["kills"] == 6
    assert found["windows"] == found["forecasts"] > 0


@pytest.mark.guarantee("cut connections and rolled brokers lose, repeat and reorder nothing")
@pytest.mark.integration
@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.timeout(CLUSTER_S + ENDS_S)
def test_on_three_brokers_nothing_is_lost_repeated_or_out_of_order(start_run):
    schedule = "cut,consumer,broker-kill,stall,gone,pause,cut,stop-paused,freeze,broker,roll"
    code, found = start_run(CLUSTER_S, "--cluster", "--schedule", schedule, "--seed", "3", "--rate", "100")
    assert code == 0, found
    assert (found["kills"], found["proxy_faults"]) == (5, 3)


@pytest.mark.guarantee("several consumers, function hosts and model services share the work")
@pytest.mark.integration
@pytest.mark.docker
@pytest.mark.timeout(ONE_S + ENDS_S, func_only=True)  # a separate broker may start first
def test_three_consumers_two_function_hosts_and_two_model_services_share_the_work(run):
    """About 20 s. Consumer 0 calls the first host, consumer 1 the second."""
    code, found = run(ONE_S, *SCALED_OUT, "--kills", "0", "--rate", "400", "--events", "1500", "--all-work")
    assert code == 0, found
    assert_all_worked(found)


@pytest.mark.guarantee("killed function hosts and model services lose, repeat and reorder nothing")
@pytest.mark.integration
@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.timeout(SHORT_S + ENDS_S)
def test_three_consumers_two_function_hosts_and_two_model_services_with_kills(run):
    """While one model service is away, the other takes its work."""
    code, found = run(SHORT_S, *SCALED_OUT, "--schedule", "consumer,model,host,function,model", "--seed", "5")
    assert code == 0, found
    assert_all_worked(found)


def assert_all_worked(found: dict) -> None:
    assert found["work"].keys() == {
        *(f"consumer-{number}" for number in range(3)),
        *(f"model-service-{number}" for number in range(2)),
    }
    assert all(found["work"].values()), found["work"]


@pytest.mark.guarantee("the chaos checker detects deliberate bugs")
@pytest.mark.integration
@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.timeout(ONE_S + ENDS_S, func_only=True)  # a separate broker may start first
@pytest.mark.parametrize(
    ("bug", "fault", "wrong"),
    [
        ("commit-before-publish", ["--crash", "before-commit:4"], ["lost"]),
        ("no-fencing", ["--freeze", "before-commit:4"], ["repeated", "out_of_order"]),
    ],
)
def test_the_checker_notices_a_bug(run, bug, fault, wrong):
    load = ("--kills", "0", "--rate", "400", "--events", "2000", "--patience", "25")
    code, found = run(ONE_S, "--bug", bug, *load, *fault)
    assert code == 1
    assert sum(found[kind] for kind in wrong) > 0


@pytest.mark.integration
@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.timeout(ONE_S + ENDS_S, func_only=True)
def test_the_checker_notices_state_that_is_stored_outside_the_transaction(run):
    load = ("--kills", "0", "--rate", "200", "--events", "3000", "--patience", "40")
    code, found = run(ONE_S, "--readings", "--bug", "state-outside", "--crash", "before-commit:100", *load)
    assert code == 1
    assert found["lost"] + found["of_another_input"] > 0


@pytest.mark.guarantee("a crash or a freeze between any two steps repeats and loses nothing")
@pytest.mark.integration
@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.timeout(ONE_S + ENDS_S, func_only=True)  # a separate broker may start first
@pytest.mark.parametrize(
    "arguments",
    [
        ("--crash", "after-produce:100"),
        ("--crash", "before-offsets:4"),
        ("--crash", "before-commit:4"),
        ("--crash", "after-commit:4"),
        ("--crash", "during-revoke:1", "--schedule", "storm"),
        ("--freeze", "before-offsets:4"),
        ("--freeze", "before-commit:4"),
        ("--freeze", "after-commit:4"),
        ("--crash", "before-offsets:4", "--gone"),
        ("--crash", "before-commit:4", "--gone"),
        ("--crash", "after-commit:4", "--gone"),
        ("--crash", "during-revoke:1", "--schedule", "storm", "--gone"),
        ("--protocol", "consumer", "--crash", "before-commit:4"),
        ("--protocol", "consumer", "--crash", "before-commit:4", "--gone"),
        ("--protocol", "consumer", "--freeze", "before-commit:4"),
    ],
    ids=" ".join,
)
def test_a_crash_or_a_freeze_at_a_named_point(run, arguments):
    """With a restart, or with another consumer that takes over. run.py fails if the point was not reached."""
    code, found = run(ONE_S, "--kills", "0", "--rate", "400", "--events", "2000", *arguments)
    assert code == 0, found
