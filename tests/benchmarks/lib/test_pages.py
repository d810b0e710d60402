"""The pages of the documentation are generated from benchmarks/results/."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.lib import pages


def test_only_blocks_between_markers_are_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "block", lambda name: f"{name}: \\1 generated")
    page = "before\n<!-- begin a-b -->\nold\n<!-- end a-b -->\nafter\n"
    assert (
        pages.generated(page) == "before\n<!-- begin a-b -->\na-b: \\1 generated\n<!-- end a-b -->\nafter\n"
    )


def test_a_page_that_is_not_up_to_date_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in pages.PAGES:
        (tmp_path / name).write_text("<!-- begin costs -->\n<!-- end costs -->\n")
    monkeypatch.setattr(pages, "DOCS", tmp_path)
    assert pages.main(["--check"]) == 1
    assert "not up to date with benchmarks/results" in capsys.readouterr().err
    pages.generate(tmp_path)
    assert pages.main(["--check"]) == 0


def test_the_pages_are_up_to_date() -> None:
    assert pages.main(["--check"]) == 0
