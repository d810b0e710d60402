import numpy as np
import pytest

from model_service.training.generated.generator import KINDS, generate, generated_size
from model_service.training.season import find_seasons


def test_repeatable_by_seed() -> None:
    first, again, other = (
        generate(20, 100, 12, seed=0),
        generate(20, 100, 12, seed=0),
        generate(20, 100, 12, seed=1),
    )
    assert all((a.values == b.values).all() for a, b in zip(first, again, strict=True))
    assert any((a.values != b.values).any() for a, b in zip(first, other, strict=True))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("longest_season", [4, 24, 168])
def test_every_kind_is_finite_and_moves(kind, longest_season) -> None:  # type: ignore[no-untyped-def]
    rng = np.random.default_rng(0)
    for _ in range(20):
        values = kind(rng, 300, longest_season)
        assert values.shape == (300,)
        assert np.isfinite(values).all()
        assert values.max() > values.min()


def test_many_series_have_a_season_that_fits_the_window() -> None:
    found = [find_seasons(series.values) for series in generate(200, 300, 24, seed=0)]
    fitting = [seasons for seasons in found if seasons and seasons[0] <= 24]
    assert len(fitting) > 50


def test_size_is_bounded() -> None:
    assert generated_size(48, 12) == (8000, 300)
    count, length = generated_size(672, 48)
    assert count * length <= 2_400_000
