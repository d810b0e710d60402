"""The model that is evaluated."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from fncast.cli.main import main
from tests.fncast.cli.evaluation.files import minutes_file


@pytest.mark.parametrize(
    ("described", "sentence"),
    [
        ({"window": None}, "has no positive integer 'window'"),
        ({"window": 12}, "does not accept a window of 12 readings"),
        ({"horizon": 3}, "returns the shape [1, 6, 3], not [1, 3, 3]"),
        ({"training": None}, None),
        ({"training": {"settings": None, "data": {"series": [None]}}}, None),
    ],
)
def test_a_model_json_of_another_program_is_read_or_rejected(
    described: dict[str, Any],
    sentence: str | None,
    untrained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copied = Path(shutil.copytree(untrained, tmp_path / "models"))
    document = copied / "forecast" / "1" / "model.json"
    document.write_text(json.dumps({**json.loads(document.read_text()), **described}))
    code = main(["evaluate", str(minutes_file(tmp_path)), "--models", str(copied)])
    assert code == (0 if sentence is None else 1)
    assert (sentence or "") in capsys.readouterr().err


def test_without_models_the_base_model_is_evaluated(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = minutes_file(tmp_path)
    assert main(["evaluate", str(file), "--horizon", "30", "--json"]) == 0
    result = json.loads(capfd.readouterr().out)
    assert result["horizon"] == 30
    assert result["overall"]["model"]["relative_mae"] < 1
    assert main(["evaluate", str(file), "--season", "100"]) == 0
    shown = capfd.readouterr()
    assert " forecasts of 12 steps from 48 to 512 readings, every 12 steps" in shown.out
    assert "season is longer" not in shown.err
    assert "INFO" not in shown.err
    assert main(["evaluate", str(file), "--horizon", "97"]) == 1
    assert "--horizon is 97; it must be between 1 and 96" in capfd.readouterr().err
