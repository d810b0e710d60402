from __future__ import annotations

from fncast.demo.training_events import TrainingEvents


def test_training_progress_becomes_events() -> None:
    training = TrainingEvents("fncast/demo/training")
    line = '{"epoch": 2, "epochs": 12, "train_error": 0.4, "validation_error": 0.3, "naive_error": 0.6, "seconds": 1}'
    event = training.event(line)
    assert event is not None
    assert event.get_type() == "io.fncast.training.v1"
    assert event.get_data() == {"epoch": 2, "epochs": 12, "loss": 0.4, "val_loss": 0.3, "naive_loss": 0.6}
    assert training.progress == "epoch 2/12, error 0.300"
    done = training.event('{"model": "forecast", "version": 1}')
    assert done is not None
    assert done.get_data() == {"epochs": 12, "done": True}
    assert done.get_id() != event.get_id()
    assert training.progress == "version 1 has been written"
    assert training.event("not JSON") is None
    assert training.event("[1]") is None
