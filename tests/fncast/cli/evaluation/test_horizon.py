"""The horizon of the base model."""

import pytest

from fncast.cli.evaluation.horizon import BASE_HORIZON, LONGEST_HORIZON, base_horizon
from fncast.failure import Failure


def test_the_flag_sets_the_horizon() -> None:
    assert (base_horizon(None), base_horizon(30)) == (BASE_HORIZON, 30)


@pytest.mark.parametrize("steps", [0, -1, LONGEST_HORIZON + 1])
def test_a_horizon_out_of_range_is_a_failure(steps: int) -> None:
    with pytest.raises(Failure, match=f"--horizon is {steps}; it must be between 1 and 96"):
        base_horizon(steps)
