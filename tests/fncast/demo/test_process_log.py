"""The log file of a process, while its disk is full and after."""

from pathlib import Path

from fncast.demo.process_log import ProcessLog


def test_writing_continues_once_there_is_room_again(tmp_path: Path) -> None:
    reports: list[str] = []
    path = tmp_path / "one.log"
    path.symlink_to("/dev/full")
    log = ProcessLog(path, reports.append)
    log.write(b"lost")
    log.write(b"lost")
    assert len(reports) == 1
    log.close()
    path.unlink()
    log.write(b"kept")
    log.close()
    assert path.read_bytes() == b"kept"
    path.unlink()
    path.symlink_to("/dev/full")
    log.write(b"lost")
    log.close()
    assert len(reports) == 2
