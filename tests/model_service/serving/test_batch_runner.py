"""Running a batch: each request gets its own outcome, whatever the model does."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping

import numpy as np
import pytest

from model_service.serving.batcher import Batcher
from model_service.serving.runtimes.runtime import Array
from tests.model_service.serving.doubler import Doubler, row


async def test_a_bad_request_does_not_fail_others_of_its_batch() -> None:
    model = Doubler()
    batcher = Batcher(model, merge=True)
    answers = await asyncio.gather(
        *(batcher.submit(row(value), 1) for value in (1, -1, 2)), return_exceptions=True
    )
    assert isinstance(answers[1], ValueError)
    for answer, value in ((answers[0], 1), (answers[2], 2)):
        assert not isinstance(answer, BaseException)
        np.testing.assert_array_equal(answer["y"], 2 * row(value)["x"])
    await batcher.close()


@pytest.mark.parametrize("error", [SystemExit(3), MemoryError("no room"), KeyboardInterrupt()])
@pytest.mark.parametrize("inline", [True, False])
async def test_code_that_exits_fails_only_its_call(
    error: BaseException, inline: bool, caplog: pytest.LogCaptureFixture
) -> None:
    model = Doubler()
    fails: list[BaseException] = []

    def run(inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        if fails:
            raise fails.pop()
        return model(inputs)

    # With a clock that stands still, each call looks short enough for the event loop. With one that runs, too long.
    clock = itertools.repeat(0.0) if inline else itertools.count()
    batcher = Batcher(run, merge=True, clock=lambda: next(clock))
    for _ in range(2):
        await batcher.submit(row(1), 1)
        fails.append(error)
        with pytest.raises((RuntimeError, MemoryError)):
            await batcher.submit(row(1), 1)
        async with asyncio.timeout(10):
            assert (await batcher.submit(row(2), 1))["y"].tolist() == [[4, 4]]
    await batcher.close()
