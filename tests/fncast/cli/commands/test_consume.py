"""`fncast consume` with wrong settings."""

import os

import pytest

from fncast.cli.main import main


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("FNCAST_KAFKA__CLIENT__FOO", "1", "Kafka's client rejects the settings: No such configuration"),
        ("FNCAST_INTERCEPTORS__CHAIN", "nowhere:Nothing", "interceptor 'nowhere:Nothing' cannot be loaded"),
    ],
)
def test_a_rejected_setting_is_one_sentence_and_exit_code_1(
    tmp_path, monkeypatch, capsys, variable, value, sentence
):
    for name in [name for name in os.environ if name.startswith("FNCAST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    assert main(["consume", "--port", "0"]) == 1
    shown = capsys.readouterr().err
    assert sentence in shown
    assert len(shown.splitlines()) == 1
