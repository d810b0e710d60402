"""Valid and invalid function folders."""

from pathlib import Path

import pytest

from functions.host.folder import InvalidFunction, configure, read_folder

FORECAST = Path(__file__).parents[3] / "functions" / "forecast"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "func.py").write_text("")
    (tmp_path / "func.yaml").write_text("schema_version: 20180708\nname: f\n")
    return tmp_path


def test_the_folder_of_the_forecast_function_is_valid() -> None:
    forecast = read_folder(FORECAST)
    assert forecast.name == "forecast"
    assert forecast.sources == {"forecast": "/forecast"}
    assert {"GP_SERVER_URL", "KSERVE_URL"} <= forecast.expected
    assert forecast.timeout_s == 30


def test_the_defaults_are_those_of_fn(folder: Path) -> None:
    function = read_folder(folder)
    assert (function.timeout_s, function.memory_mb, function.config) == (30, 128, {})


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a: [", "func.yaml is not valid YAML"),
        ("- a", "not a mapping"),
        ("", "not a mapping"),
        ("name: [1]", "name must consist of"),
        ("name: a/b", "name must consist of"),
        ("name: f\ntimeout: 301", "timeout must be a number of seconds up to 300"),
        ("name: f\ntimeout: soon", "timeout"),
        ("name: f\ntimeout: true", "timeout"),
        ("name: f\nmemory: 0", "memory"),
        ("name: f\nconfig: [a]", "config must be a mapping"),
        ("name: f\nconfig: {a: [1]}", "config 'a'"),
        ("name: f\nexpects: {config: [a]}", "expects.config"),
        ("name: f\ntriggers: {a: b}", "triggers must be a list"),
        ("name: f\ntriggers: [{name: a, type: kafka, source: /a}]", "the type http"),
    ],
)
def test_an_invalid_func_yaml_is_rejected(folder: Path, text: str, error: str) -> None:
    (folder / "func.yaml").write_text(text)
    with pytest.raises(InvalidFunction, match=error) as caught:
        read_folder(folder)
    assert str(folder / "func.yaml") in str(caught.value)


@pytest.mark.parametrize("missing", ["func.yaml", "func.py"])
def test_a_missing_file_is_rejected(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    with pytest.raises(InvalidFunction, match=f"has no {missing}"):
        read_folder(folder)
    with pytest.raises(InvalidFunction, match="is not a folder"):
        read_folder(folder / "absent")


def test_configuration_has_the_text_of_func_yaml_as_in_fn(folder: Path) -> None:
    (folder / "func.yaml").write_text(
        'name: f\nconfig: {A: true, B: yes, C: 010, D: 1_000, E: 1.50, F: "on", G: 2026-01-01}\n'
    )
    assert read_folder(folder).config == {
        "A": "true",
        "B": "yes",
        "C": "010",
        "D": "1_000",
        "E": "1.50",
        "F": "on",
        "G": "2026-01-01",
    }


def test_configuration_comes_from_func_yaml_then_the_environment_then_flags(folder: Path) -> None:
    (folder / "func.yaml").write_text(
        "name: f\nconfig: {A: 1, B: 2, C: 3}\nexpects: {config: [{name: D, required: true}]}"
    )
    function = read_folder(folder)
    config = configure(function, {"B": "b", "C": "c", "D": "d", "SECRET": "s"}, {"C": "flag", "E": "e"})
    assert config == {"A": "1", "B": "b", "C": "flag", "D": "d", "E": "e"}
    with pytest.raises(InvalidFunction, match=r"the function f needs D: .*--config D="):
        configure(function, {}, {})
