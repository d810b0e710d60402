"""docs/delivery.md names a test for each promise: each of them exists, and so does each file."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "delivery.md").read_text("utf-8")
NAME = re.compile(r"\btest_[a-z0-9_]+\b(?!\.py)")
FILE = re.compile(r"\b(?:tests/)?[a-z_/]*[a-z_]+\.py\b")


def test_every_test_that_is_named_exists():
    named = set(NAME.findall(PAGE))
    sources = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    known = {
        name for source in sources for name in re.findall(r"^(?:async )?def (test_\w+)", source, re.MULTILINE)
    }
    assert named
    assert named <= known, sorted(named - known)


def test_every_file_that_is_named_exists():
    files = {path.name for path in (ROOT / "tests").rglob("*.py")}
    for name in FILE.findall(PAGE):
        assert (ROOT / name).is_file() if "/" in name else name in files, name


def test_every_promise_of_the_table_names_its_test():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| failure")]
    assert len(rows) > 10
    assert [row for row in rows if not NAME.search(row)] == []
