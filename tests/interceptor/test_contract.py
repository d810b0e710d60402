"""What an interceptor does whose methods are not overridden."""

from __future__ import annotations

from interceptor.contract import Interceptor, StatefulInterceptor
from interceptor.delivery import Record
from tests.interceptor.deliveries import new_batch


async def test_a_batch_passes_unchanged() -> None:
    batch = new_batch({}, {})
    assert await Interceptor().on_consume(batch) is batch
    assert [delivery.outcome for delivery in batch.deliveries] == [None, None]


async def test_settings_commits_and_the_end_are_accepted() -> None:
    interceptor = Interceptor()
    interceptor.configure(object())
    interceptor.on_commit({("metrics", 0): 1})
    await interceptor.close()


def test_a_stateful_interceptor_keeps_state_of_every_topic() -> None:
    assert StatefulInterceptor().has_state("metrics")


def test_without_a_snapshot_the_input_is_not_replayed() -> None:
    interceptor = StatefulInterceptor()
    assert interceptor.restore("metrics", 0, 1, 17, []) == 17
    interceptor.replay([Record("metrics", 0, 16, 0, None, b"1", [])])
    interceptor.drop("metrics", 0)
