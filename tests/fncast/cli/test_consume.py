"""`fncast consume` with settings that it cannot use."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("variable", "value", "sentence"),
    [
        ("FNCAST_KAFKA__CLIENT__FOO", "1", "Kafka's client refuses the settings: No such configuration"),
        ("FNCAST_INTERCEPTORS__CHAIN", "nowhere:Nothing", "interceptor 'nowhere:Nothing' cannot be loaded"),
    ],
)
def test_a_setting_that_is_refused_is_one_sentence_and_exit_code_1(tmp_path, variable, value, sentence):
    told = {name: text for name, text in os.environ.items() if not name.startswith("FNCAST_")}
    ended = subprocess.run(
        [sys.executable, "-m", "fncast", "consume", "--port", "0"],
        env=told | {variable: value},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
