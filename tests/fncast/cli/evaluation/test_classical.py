"""The classical methods in an evaluation."""

import json
from pathlib import Path

import pytest

from fncast.cli.main import main
from tests.fncast.cli.evaluation.files import minutes_file


@pytest.mark.timeout(600)  # a busy machine takes long
def test_classical_methods_are_evaluated_in_their_order_with_progress_on_stderr(
    untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("statsforecast", reason="classical methods need the extra `evaluation`")
    command = [
        "evaluate",
        str(minutes_file(tmp_path)),
        "--models",
        str(untrained),
        "--stride",
        "36",
        "--season",
        "0",
    ]
    command += ["--classical", "--cache", str(tmp_path / "cache"), "--workers", "1", "--json"]
    assert main(command) == 0
    captured = capsys.readouterr()
    lines = [line for line in captured.err.splitlines() if line.startswith("classical methods")]
    assert lines[0] == "classical methods: 0/8 forecasts, 0:00"  # four methods at two origins
    assert lines[-1].startswith("classical methods: 8/8 forecasts")
    overall = list(json.loads(captured.out)["overall"])
    assert overall[-6:] == ["SES", "AutoETS", "AutoARIMA", "Theta", "MSTL", "MSTL+ARIMA"]
    assert main(command) == 0
    assert "classical methods: 8/8 forecasts, 0:00" in capsys.readouterr().err  # from the cache
