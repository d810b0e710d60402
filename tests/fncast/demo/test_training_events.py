"""The trainer's progress as events."""

from __future__ import annotations

import pytest

from fncast.demo.training_events import TrainingEvents

EPOCH = '{"epoch": 2, "epochs": 12, "train_error": 0.4, "validation_error": 0.3, "naive_error": 0.6, "seconds": 1}'


@pytest.fixture
def training() -> TrainingEvents:
    return TrainingEvents("fncast/demo/training")


def test_the_end_of_an_epoch_becomes_an_event(training: TrainingEvents) -> None:
    assert training.progress == "starting"
    event = training.event(EPOCH)
    assert event is not None
    assert event.get_type() == "io.fncast.training.v1"
    assert event.get_data() == {"epoch": 2, "epochs": 12, "loss": 0.4, "val_loss": 0.3, "naive_loss": 0.6}
    assert training.progress == "epoch 2/12, error 0.300"


def test_the_written_version_becomes_another_event(training: TrainingEvents) -> None:
    event = training.event(EPOCH)
    done = training.event('{"model": "forecast", "version": 1}')
    assert event is not None
    assert done is not None
    assert done.get_data() == {"epochs": 12, "done": True}
    assert done.get_id() != event.get_id()
    assert training.progress == "version 1 has been written"


@pytest.mark.parametrize("line", ["not JSON", "[1]", '{"seconds": 1}'])
def test_other_lines_become_no_event(training: TrainingEvents, line: str) -> None:
    assert training.event(line) is None
