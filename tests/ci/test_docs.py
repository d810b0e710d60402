"""`make docs`, which `make lint` runs too: it fails for a broken link and for a page outside of the navigation."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
VENV = Path(sys.prefix)


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the Makefile of this repository in a folder, with the environment that runs the tests."""
    return subprocess.run(
        ["make", f"--file={ROOT}/Makefile", f"--old-file={VENV}/.dev", f"VENV={VENV}", *arguments],
        cwd=folder,
        env={**os.environ, "MAKEFLAGS": ""},  # without the flags of a `make test` that runs this
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site of one page, with the rules of mkdocs.yml."""
    rules = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nvalidation:\n")[2].partition("\nnav:\n")[0]
    (tmp_path / "mkdocs.yml").write_text(
        f"site_name: a\nstrict: true\nsite_dir: build/site\nvalidation:\n{rules}\nnav:\n  - Start: index.md\n"
    )
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# Start\n")
    return tmp_path


def test_a_sound_site_is_built_and_nothing_is_printed(site: Path) -> None:
    done = make(site, "--silent", "docs")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (site / "build" / "site" / "index.html").exists()


@pytest.mark.parametrize(
    ("page", "text", "reason"),
    [
        ("index.md", "[a](nowhere.md)", "a link 'nowhere.md'"),
        ("index.md", "[a](#end)", "a link '#end'"),
        ("other.md", "# Other", 'not included in the "nav"'),
    ],
)
def test_a_broken_link_and_a_page_outside_of_the_navigation_are_errors(
    site: Path, page: str, text: str, reason: str
) -> None:
    (site / "docs" / page).write_text(text)
    done = make(site, "--silent", "docs")
    assert done.returncode != 0
    assert reason in done.stdout


def test_lint_builds_the_site() -> None:
    assert "mkdocs build" in make(ROOT, "--dry-run", "lint").stdout
