import numpy as np

from model_service.training.curriculum import Curriculum, companions
from model_service.training.dataset import Dataset
from model_service.training.settings import TrainingSettings


def test_generated_windows_first_and_then_a_share_of_them() -> None:
    rng = np.random.default_rng(0)
    given, generated = Dataset([np.arange(50.0)], 8, 2), Dataset([rng.normal(size=100)], 8, 2)
    curriculum = Curriculum(given, generated, epochs=10)

    def lines(epoch: int) -> int:
        windows = curriculum.draw(rng, 100, epoch).windows
        return int((np.ptp(np.diff(windows, axis=1), axis=1) < 1e-6).sum())

    assert curriculum.warm_up == 4
    assert [lines(epoch) for epoch in (1, 4, 5, 10)] == [0, 0, 70, 70]


def test_companions_have_the_seasons_that_were_found() -> None:
    settings = TrainingSettings(window=168, horizon=24, seasons=(24, 168))
    series = companions(settings)
    assert {len(values) for values in series} == {168 + 24 + 336}
    assert all(np.isfinite(values).all() for values in series)
    by_day = [np.corrcoef(values[:-24], values[24:])[0, 1] for values in series[:200]]
    by_half = [np.corrcoef(values[:-12], values[12:])[0, 1] for values in series[:200]]
    assert np.median(by_day) > 0.5 > np.median(by_half)


def test_companions_are_repeatable_and_few_for_long_windows() -> None:
    settings = TrainingSettings(window=5_000)
    assert len(companions(settings)) < 400
    np.testing.assert_array_equal(companions(settings)[3], companions(settings)[3])


def test_a_short_training_has_few_companions() -> None:
    assert len(companions(TrainingSettings(epochs=1))) == 200
    assert len(companions(TrainingSettings(epochs=20))) == 4_000
