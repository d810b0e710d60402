import os

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="training needs the extra `training`")

from model_service.training.backend import THREADS, keras, seed_everything, tf


def drawn() -> list[float]:
    return [float(tf.random.uniform([])), float(keras.random.uniform([])), float(np.random.random())]


def test_equal_seeds_draw_equal_numbers_from_every_generator() -> None:
    seed_everything(7)
    first = drawn()
    seed_everything(7)
    assert drawn() == first
    seed_everything(8)
    assert all(number != other for number, other in zip(first, drawn(), strict=True))


def test_no_graphics_card_is_used() -> None:
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"
    assert tf.config.list_physical_devices("GPU") == []


def test_tensorflow_uses_few_threads() -> None:
    assert 1 <= tf.config.threading.get_intra_op_parallelism_threads() <= THREADS
    assert tf.config.threading.get_inter_op_parallelism_threads() == 1
