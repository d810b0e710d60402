"""The folder of a socket: its path is short, and the error if it cannot be created names the cause."""

import os
import tempfile
from pathlib import Path

import pytest

from functions.host.errors import NotStarted
from functions.host.socket_folder import create_socket_folder

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("is_cached", [True, False])
def test_the_error_without_a_folder_for_sockets_names_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_cached: bool
) -> None:
    """is_cached: `tempfile` chose the folder earlier, when it was writable."""
    absent = str(tmp_path / "absent")[-50:]
    monkeypatch.setenv("TMPDIR", absent)
    monkeypatch.setattr(tempfile, "tempdir", absent if is_cached else None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: [absent])
    with pytest.raises(
        NotStarted, match=f"in {absent}: No such file or directory. Set TMPDIR to a writable folder"
    ):
        create_socket_folder()


def test_the_path_of_a_socket_is_short_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / ("ж" * 60)
    temporary.mkdir()
    monkeypatch.chdir(temporary.parent)
    monkeypatch.setattr(tempfile, "tempdir", temporary.name)
    created = create_socket_folder()
    try:
        assert len(os.fsencode(created / "lsnr.sock")) < 104
    finally:
        created.rmdir()
