"""Python functions, served to a consumer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from fncast.testing import LocalFncast, NotProcessed, window_event
from fncast.testing.function_server import FunctionServer, echo


def test_an_event_without_an_outcome_names_the_function_that_fails() -> None:
    def fails(event):
        raise KeyError("values")

    fails_in_time = pytest.raises(NotProcessed, match=r"1 of 1 inputs .* forecast raised KeyError: 'values'")
    with LocalFncast(functions={"forecast": fails}) as local, fails_in_time:
        local.process(window_event([1.0]), within_s=3)


async def called(function: Callable[[dict[str, Any]], Any], *events: dict[str, Any]) -> tuple[int, Any]:
    """Status and body of a call of the function with a batch of events."""
    server = FunctionServer({"f": function})
    urls = await server.start()
    try:
        async with aiohttp.ClientSession() as http, http.post(urls["f"], json=events) as response:
            body = await (response.json(content_type=None) if response.status == 200 else response.text())
            return response.status, body
    finally:
        await server.close()


async def test_each_event_of_a_batch_has_its_output_in_order() -> None:
    events = [window_event([float(number)], id=str(number)) for number in range(3)]
    status, outputs = await called(echo, *events)
    assert status == 200
    assert [output["data"]["values"] for output in outputs] == [[0.0], [1.0], [2.0]]
    assert [(output["id"], output["causationid"]) for output in outputs] == [
        ("0", "0"),
        ("1", "1"),
        ("2", "2"),
    ]


async def test_an_output_keeps_the_attributes_that_the_function_sets() -> None:
    _, [output] = await called(lambda _: {"type": "mine", "id": "7", "data": 1}, window_event([1.0]))
    assert (output["type"], output["id"], output["data"]) == ("mine", "7", 1)


async def test_a_function_may_return_several_outputs_or_none() -> None:
    _, several = await called(lambda _: [{"data": 1}, {"data": 2}], window_event([1.0]))
    assert [output["data"] for output in several] == [1, 2]
    _, [none] = await called(lambda _: None, window_event([1.0]))
    assert none["type"] == "io.fncast.none.v1"


async def test_the_exception_of_a_function_is_its_answer() -> None:
    def fails(event: dict[str, Any]) -> Any:
        raise KeyError("values")

    assert await called(fails, window_event([1.0])) == (500, "KeyError: 'values'")
