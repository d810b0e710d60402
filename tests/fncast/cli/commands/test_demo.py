"""`fncast demo` with wrong words, before any part is started."""

from __future__ import annotations

import io
import socket
import sys
from pathlib import Path

import pytest

from fncast.cli.main import main


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which the demo creates its own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_a_port_in_use_ends_the_command_with_one_sentence(
    temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["demo", "--port", str(port)]) == 1
    assert f"port {port} on 127.0.0.1 is in use; choose another with --port" in capsys.readouterr().err
    assert list(temporary.iterdir()) == []


def test_a_file_that_cannot_be_read_leaves_no_folder(
    temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--port", "0", "--csv", str(temporary / "none.csv")]) == 1
    assert "none.csv: there is no such file" in capsys.readouterr().err
    assert list(temporary.iterdir()) == []


def test_standard_input_is_read_as_a_file(
    temporary: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b"time,value\n2026-01-01,1\n2026-01-02,warm\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert main(["demo", "--port", "0", "--csv", "-"]) == 1
    assert "line 3: 'warm' is not a number" in capsys.readouterr().err
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan", "inf"])
def test_the_time_must_be_a_positive_number(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["demo", f"--seconds={seconds}"])
    assert f"must be a positive number of seconds, not '{seconds}'" in capsys.readouterr().err


@pytest.mark.parametrize("flag", ["--strict", "--step=PT1H", "--timezone=Europe/Berlin"])
def test_a_flag_about_files_needs_a_file(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--port", "0", "--seconds", "1", flag]) == 1
    name = flag.partition("=")[0]
    assert capsys.readouterr().err == f"fncast: {name} says how to read a file: name the file with --csv\n"
