"""What a training prints."""

from __future__ import annotations

import json

import pytest

from fncast.cli.training.progress import ending, progress
from model_service.training.settings import TrainingSettings
from model_service.training.trained import Epoch, Trained

EPOCH = Epoch(3, 12, 0.5, 0.25, 0.75, 1.5, 0.1)


def test_an_epoch_is_a_line_with_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    progress("text", "scratch")(EPOCH)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        "epoch   3/12 [#####               ] error 0.5000  validation 0.2500 (last value 0.7500)  1.5 s\n"
    )


def test_json_is_printed_for_programs_besides_the_line(capsys: pytest.CaptureFixture[str]) -> None:
    progress("json", "scratch")(EPOCH)
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert (found["candidate"], found["epoch"], found["validation_error"]) == ("scratch", 3, 0.25)
    assert "epoch   3/12" in err


@pytest.mark.parametrize(
    ("stopped", "best_epoch", "text"),
    [
        ("finished", 3, "finished: the weights of epoch 3 are kept"),
        (
            "early",
            3,
            "stopped early, since the validation error no longer falls: the weights of epoch 3 are kept",
        ),
        ("interrupted", 2, "interrupted: the weights of epoch 2 are kept"),
        ("finished", 0, "finished: no epoch was better than the version it started from"),
    ],
)
def test_the_end_names_the_weights_that_are_kept(stopped: str, best_epoch: int, text: str) -> None:
    trained = Trained(None, TrainingSettings(), best_epoch=best_epoch, stopped=stopped)
    assert ending(trained).startswith(text)
