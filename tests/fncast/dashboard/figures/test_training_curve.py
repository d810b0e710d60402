from __future__ import annotations

from typing import Any

from fncast.dashboard.events.record import ReceivedRecord
from fncast.dashboard.state import PageState


def test_the_error_curve_of_a_training_is_shown(page_state: PageState, make: Any) -> None:
    def epoch(number: int, **more: Any) -> ReceivedRecord:
        data = {"epoch": number, "epochs": 3, "loss": 1 / number, "val_loss": 2 / number, **more}
        record: ReceivedRecord = make.record(
            "training", make.attributes("io.fncast.training.v1", f"t{number}", "m"), data
        )
        return record

    page_state.add(epoch(1), 0.0)
    page_state.add(epoch(2, done=True), 0.0)
    training = page_state.take_changes(0.0)["training"]
    assert training["epochs"] == [
        {"epoch": 1.0, "loss": 1.0, "val_loss": 2.0},
        {"epoch": 2.0, "loss": 0.5, "val_loss": 1.0},
    ]
    assert (training["of"], training["done"]) == (3, True)
    page_state.add(epoch(1), 0.0)  # the next training
    assert page_state.snapshot(0.0)["training"]["done"] is False
    assert len(page_state.snapshot(0.0)["training"]["epochs"]) == 1


def test_a_number_of_epochs_that_json_cannot_write_is_ignored(page_state: PageState, make: Any) -> None:
    attributes = make.attributes("io.fncast.training.v1", "t", "m")
    page_state.add(make.record("training", attributes, {"epoch": 1, "epochs": 1e300, "loss": 1}), 0.0)
    assert page_state.snapshot(0.0)["training"]["of"] == 0
