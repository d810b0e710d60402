"""docs/guarantees.md is generated from markers: tests/guarantees.py reads them without importing the tests."""

from __future__ import annotations

from pathlib import Path

import guarantees
import pytest

SOURCE = """
import pytest

@pytest.mark.docker
@pytest.mark.guarantee("each input has one outcome")
async def test_one(): ...

class TestMore:
    @pytest.mark.guarantee("each input has one outcome")
    def test_two(self): ...

def test_without_a_promise(): ...
"""


def write_test(root: Path, source: str) -> Path:
    (root / "tests" / "consumer").mkdir(parents=True)
    (root / "tests" / "consumer" / "test_loop.py").write_text(source)
    return root


def test_the_tests_of_one_promise_share_a_row(tmp_path: Path) -> None:
    page = guarantees.render(guarantees.read_guarantees(write_test(tmp_path, SOURCE)))
    assert "## tests/consumer/test_loop.py\n" in page
    assert "| each input has one outcome | `test_one`<br>`test_two` |\n" in page
    assert "test_without_a_promise" not in page


@pytest.mark.parametrize("arguments", ["", "()", '("")', "(PROMISE)", '("a", "b")'])
def test_a_marker_without_one_sentence_is_an_error_with_file_and_line(tmp_path: Path, arguments: str) -> None:
    write_test(tmp_path, f"@pytest.mark.guarantee{arguments}\ndef test_one(): ...\n")
    with pytest.raises(guarantees.MarkerError, match=r"^tests/consumer/test_loop\.py, line 1: "):
        guarantees.read_guarantees(tmp_path)


def test_the_page_is_up_to_date() -> None:
    assert guarantees.PAGE.read_text("utf-8") == guarantees.render(
        guarantees.read_guarantees(guarantees.ROOT)
    )
