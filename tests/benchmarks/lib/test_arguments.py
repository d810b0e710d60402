"""Wrong arguments are reported before a model is trained or a broker is started."""

from __future__ import annotations

import pytest

from benchmarks.delay import delay
from benchmarks.growth import growth
from benchmarks.lib import exit_code
from benchmarks.pipelines import end_to_end
from benchmarks.serving import model_service, protocols


@pytest.mark.parametrize("program", [delay, end_to_end, growth, model_service, protocols])
@pytest.mark.parametrize("rounds", ["0", "-1", "many"])
def test_a_number_of_rounds_is_one_or_more(program, rounds, capsys):
    with pytest.raises(SystemExit) as ended:
        program.main(["--rounds", rounds])
    assert ended.value.code == 2
    assert f"--rounds: '{rounds}' is not an integer above 0" in capsys.readouterr().err


@pytest.mark.parametrize("program", [delay, end_to_end, model_service])
def test_an_unknown_name_is_reported_with_the_known_names(program, capsys):
    with pytest.raises(SystemExit) as ended:
        program.main(["--only", "fncast", "--only", "Flink"])
    assert ended.value.code == 2
    errors = capsys.readouterr().err
    assert "--only Flink: no name contains this text" in errors
    assert "fncast" in errors.partition("the names are: ")[2]


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
def test_the_amount_is_above_zero(program, flag, value, capsys):
    with pytest.raises(SystemExit) as ended:
        program.main([flag, value])
    assert ended.value.code == 2
    assert f"'{value}' is not" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("program", "measure"),
    [(delay, "run_on_testbed"), (end_to_end, "run_on_testbed"), (model_service, "_run")],
)
@pytest.mark.parametrize("argv", [["--only", "fncast"], ["--print-only"], []])
def test_a_part_of_the_rows_does_not_replace_the_page(program, measure, argv, monkeypatch):
    print_only = []
    monkeypatch.setattr(program, measure, lambda arguments, *_: print_only.append(arguments.print_only))
    monkeypatch.setattr(exit_code, "interrupt_on_sigterm", lambda: None)
    program.main(argv)
    assert print_only == [bool(argv)]
