import numpy as np

from model_service.training.generated.seasonal_series import generate_seasonal


def test_a_week_of_any_length_is_generated() -> None:
    for day, week in ((4, 4), (12, 12), (24, 168), (7, 30)):
        series = generate_seasonal(20, 200, day, week, seed=0)
        assert {len(values) for values in series} == {200}
        assert all(np.isfinite(values).all() for values in series)
