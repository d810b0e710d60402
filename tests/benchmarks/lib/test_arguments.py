"""What cannot be measured is said at once, before a model is trained or a broker started."""

from __future__ import annotations

import pytest

from benchmarks.delay import delay
from benchmarks.growth import growth
from benchmarks.pipelines import end_to_end
from benchmarks.serving import model_service, protocols


@pytest.mark.parametrize("program", [delay, end_to_end, growth, model_service, protocols])
@pytest.mark.parametrize("rounds", ["0", "-1", "many"])
def test_a_number_of_rounds_is_one_or_more(program, rounds, capsys):
    with pytest.raises(SystemExit) as ended:
        program.main(["--rounds", rounds])
    assert ended.value.code == 2
    assert f"'{rounds}' is no number of rounds: 1 or more" in capsys.readouterr().err


@pytest.mark.parametrize("program", [delay, end_to_end, model_service])
def test_a_name_that_nothing_has_is_told_with_the_names_that_there_are(program, capsys):
    with pytest.raises(SystemExit) as ended:
        program.main(["--only", "fncast", "--only", "Flink"])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert "--only Flink: nothing has that in its name" in told
    assert "fncast" in told.partition("there are: ")[2]


@pytest.mark.parametrize(
    ("program", "flag"),
    [
        (delay, "--seconds"),
        (end_to_end, "--scale"),
        (growth, "--scale"),
        (model_service, "--seconds"),
        (protocols, "--seconds"),
    ],
)
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "long"])
def test_how_much_is_measured_is_more_than_nothing(program, flag, value, capsys):
    with pytest.raises(SystemExit) as ended:
        program.main([flag, value])
    assert ended.value.code == 2
    assert f"'{value}' is no" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "measure"), [(delay, "on_stand"), (end_to_end, "on_stand"), (model_service, "_compare")]
)
@pytest.mark.parametrize("words", [["--only", "fncast"], ["--print-only"], []])
def test_some_of_the_rows_do_not_take_the_place_of_all_on_the_page(program, measure, words, monkeypatch):
    seen = []
    monkeypatch.setattr(program, measure, lambda arguments, *_: seen.append(arguments.print_only))
    if program is model_service:
        monkeypatch.setattr(program, "end_cleanly", lambda: None)
        monkeypatch.setattr(program.asyncio, "run", lambda code: code)
    program.main(words)
    assert seen == [bool(words)]
