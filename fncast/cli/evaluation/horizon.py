"""The horizon of an evaluation of the base model, which forecasts any number of steps up to a limit."""

from __future__ import annotations

from fncast.failure import Failure

BASE_HORIZON, LONGEST_HORIZON = 12, 96


def base_horizon(given: int | None) -> int:
    """The steps to forecast with the base model. given: the flag --horizon. Raises Failure."""
    horizon = BASE_HORIZON if given is None else given
    if not 1 <= horizon <= LONGEST_HORIZON:
        raise Failure(f"--horizon is {horizon}; it must be between 1 and {LONGEST_HORIZON}")
    return horizon
