from __future__ import annotations

import os

import pytest

from fncast.cli.process.native_output import without_info_lines


def test_info_lines_of_native_code_are_dropped_and_errors_are_not(capfd: pytest.CaptureFixture[str]) -> None:
    with without_info_lines():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nERROR: it failed\n")
    os.write(2, b"INFO: later\n")
    assert capfd.readouterr().err == "ERROR: it failed\nINFO: later\n"


def test_stderr_is_restored_if_the_block_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with without_info_lines():
            os.write(2, b"ERROR: it failed\n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert capfd.readouterr().err == "ERROR: it failed\n"
