"""Delivery while members of the group come, go, stop and are killed."""

from __future__ import annotations

import signal

import pytest
from aiohttp import web
from forecast_checks import all_have_forecasts, attribute, check_forecasts

pytestmark = [pytest.mark.integration, pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(150)]


@pytest.mark.guarantee("partitions move between members without loss or repeat")
@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_two_consumers_share_and_hand_over_without_loss_or_repeat(
    exactly_once_testbed, answers, until, protocol
):
    testbed = exactly_once_testbed
    testbed.variables["KAFKA__CLIENT__GROUP_PROTOCOL"] = protocol
    testbed.function.behaviour = answers.at_random
    ids = testbed.produce_many(500)
    first = testbed.consume("one", FN__BATCH_EVENTS="16")
    first.wait_for("assigned")
    second = testbed.consume("two", FN__BATCH_EVENTS="16")
    second.wait_for("assigned")
    first.wait_for("revoked")  # cooperative: only a part is revoked
    ids += testbed.produce_many(1000, first=500)
    assert first.terminate() == 0
    ids += testbed.produce_many(500, first=1500)
    until(all_have_forecasts(testbed, ids), 40, "all forecasts")
    assert second.terminate() == 0
    check_forecasts(testbed, ids, repeats=False)


@pytest.mark.guarantee("a member that was stopped past its session publishes nothing twice and joins again")
def test_a_zombie_publishes_nothing_twice_and_joins_again(exactly_once_testbed, answers, until):
    testbed = exactly_once_testbed
    testbed.function.behaviour = answers.at_random
    zombie = testbed.consume("zombie", FN__BATCH_EVENTS="16")
    ids = testbed.produce_many(1500)
    testbed.wait_for(testbed.forecasts, 100)
    zombie.process.send_signal(signal.SIGSTOP)
    heir = testbed.consume("heir", FN__BATCH_EVENTS="16")
    ids += testbed.produce_many(500, first=1500)
    until(
        all_have_forecasts(testbed, ids), 40, "the heir has done the zombie's work"
    )  # its session ends after 10 s
    zombie.process.send_signal(signal.SIGCONT)
    zombie.wait_for("lost")
    ids += testbed.produce_many(500, first=2000)
    until(all_have_forecasts(testbed, ids), 40, "all forecasts")
    until(lambda: zombie.log().count("assigned") >= 2, 20, "the zombie has partitions again")
    assert zombie.terminate() == 0
    assert heir.terminate() == 0
    check_forecasts(testbed, ids, repeats=False)


@pytest.mark.guarantee("the partitions of a killed consumer flow again within 25 s")
def test_partitions_of_a_killed_consumer_have_output_again_within_25_s(exactly_once_testbed, answers, until):
    testbed = exactly_once_testbed
    testbed.function.behaviour = answers.at_random
    killed, other = testbed.consume("killed"), testbed.consume("other")
    killed.wait_for("assigned")
    other.wait_for("assigned")
    ids = testbed.produce_many(500)
    killed.kill()
    ids += testbed.produce_many(500, first=500)
    until(all_have_forecasts(testbed, ids), 25, "all forecasts")
    assert other.terminate() == 0
    check_forecasts(testbed, ids, repeats=False)


@pytest.mark.guarantee("of two consumers with one identity one ends and names the setting")
def test_two_consumers_with_one_identity_end_with_a_clear_error_and_repeat_nothing(
    exactly_once_testbed, answers, until
):
    testbed = exactly_once_testbed
    testbed.function.behaviour = answers.at_random
    twins = [testbed.consume(name, KAFKA__INSTANCE="same", FN__BATCH_EVENTS="16") for name in ("one", "two")]
    ids: list[str] = []

    def has_ended() -> list:
        ids.extend(testbed.produce_many(20, first=len(ids)))
        return [twin for twin in twins if twin.process.poll() is not None]

    ended = until(has_ended, 90, lambda: [twin.log()[-1500:] for twin in twins])
    for twin in ended:
        assert twin.process.returncode == 1
        assert "give each its own [kafka] instance" in twin.log()
        assert "Traceback" not in twin.log()
    for twin in twins:
        if twin not in ended and twin.process.poll() is None:
            twin.terminate(within_s=10)
    alone = testbed.consume("alone")
    until(all_have_forecasts(testbed, ids), 60, "all forecasts")
    assert alone.terminate() == 0
    check_forecasts(testbed, ids, repeats=False)


@pytest.mark.guarantee("attempts survive a rebalance in which the partition stays")
def test_attempts_survive_a_rebalance_in_which_the_partition_stays(exactly_once_testbed, answers, until):
    """Each partition has a poison event. A consumer that keeps its partitions keeps the counts of their calls."""
    testbed = exactly_once_testbed
    most = 14  # attempts: about 10 s, in which the second consumer joins

    async def behaviour(events):
        if any(event["id"].startswith("poison") for event in events):
            return web.json_response({"message": "function failed"}, status=502)
        return await answers.works(events)

    testbed.function.behaviour = behaviour
    first = testbed.consume("one", FN__MAX_ATTEMPTS=str(most))
    first.wait_for("assigned")
    for partition in range(4):
        testbed.produce(f"good:{partition}", b"k", partition=partition)
    testbed.flush()
    testbed.wait_for(testbed.forecasts, 4)
    for partition in range(4):
        testbed.produce(f"poison:{partition}", b"k", partition=partition)
    testbed.flush()
    until(lambda: testbed.function.calls.count(["poison:0"]) >= 2, 20, "attempts")
    second = testbed.consume("two", FN__MAX_ATTEMPTS=str(most))
    first.wait_for("revoked")
    for partition in range(
        4
    ):  # without a success the second consumer could not distinguish poison from an outage
        testbed.produce(f"good:{4 + partition}", b"k", partition=partition)
    testbed.flush()
    line = next(line for line in first.log().splitlines() if " revoked " in line)
    kept = {str(partition) for partition in range(4)} - {name.rpartition("/")[2] for name in line.split(",")}
    assert kept, line
    letters = {
        attribute(letter, "ce_id"): letter for letter in testbed.wait_for(testbed.dead, 4, within_s=90)
    }
    for partition in kept:
        attempts = int(attribute(letters[f"poison:{partition}"], "fncast-attempts"))
        assert attempts >= most
        assert testbed.function.calls.count([f"poison:{partition}"]) == attempts
    for consumer in (first, second):
        assert consumer.terminate(within_s=10) == 0
