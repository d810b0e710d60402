"""Python functions, served to a consumer."""

from __future__ import annotations

import pytest

from fncast.testing import LocalFncast, NotProcessed, window_event


def test_an_event_without_an_outcome_names_the_function_that_fails() -> None:
    def fails(event):
        raise KeyError("values")

    fails_in_time = pytest.raises(NotProcessed, match=r"1 of 1 inputs .* forecast raised KeyError: 'values'")
    with LocalFncast(functions={"forecast": fails}) as local, fails_in_time:
        local.process(window_event([1.0]), within_s=3)
