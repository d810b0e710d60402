"""The check for phrases that the house style avoids."""

from __future__ import annotations

from pathlib import Path

import pytest
from prose import MAX_CELL, MAX_CODE, MAX_LINE, code_problems, main, problems

AVOIDED = "under" + " way"


def test_an_avoided_phrase_is_named_with_a_better_word() -> None:
    assert list(problems(f"Work is {AVOIDED}.\n")) == [(1, f'"{AVOIDED}": write running')]
    assert list(problems("Work is running.\n")) == []


@pytest.mark.parametrize(
    "phrase", ["that" + " which", "dies" + " of", "for" + " ever", "(a file, " + "say, this one)"]
)
def test_phrases_of_several_words_are_problems(phrase: str) -> None:
    assert len(list(problems(f"It is {phrase} here.\n"))) == 1


def test_a_phrase_may_begin_on_the_line_before() -> None:
    first, second = AVOIDED.split()
    assert [line for line, _ in problems(f"Work is {first}\n{second} here.\n")] == [2]


@pytest.mark.parametrize("line", [f"`{AVOIDED}`", f"[a](b/{AVOIDED})", f"```\n{AVOIDED}\n```"])
def test_code_and_links_may_hold_any_phrase(line: str) -> None:
    assert list(problems(f"{line}\n")) == []


def test_long_lines_and_table_cells_are_problems() -> None:
    [(number, line)] = problems("\n" + "x" * (MAX_LINE + 1))
    assert (number, line.endswith("wrap it at 110")) == (2, True)
    [(_, cell)] = problems(f"| a | {'x' * (MAX_CELL + 1)} |\n")
    assert f"{MAX_CELL + 1} characters" in cell


def test_code_that_the_site_would_cut_off_is_a_problem() -> None:
    assert list(problems(f"```sh\n{'x' * MAX_CODE}\n```\n")) == []
    [(number, _)] = problems(f"```sh\n{'x' * (MAX_CODE + 1)}\n```\n")
    assert number == 2


def test_comments_texts_and_names_of_functions_are_checked_but_not_code() -> None:
    code = f'# {AVOIDED}\ndef {AVOIDED.replace(" ", "_")}():\n    """{AVOIDED}"""\n    return under.way\n'
    assert sorted(line for line, _ in code_problems(code)) == [1, 2, 3]


def test_the_command_names_file_and_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"a\n{AVOIDED}\n")
    assert main([str(page)]) == 1
    assert f"{page}, line 2: " in capsys.readouterr().err
    page.write_text("a\n")
    assert main([str(page)]) == 0


def test_other_texts_are_checked_line_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "page.js"
    script.write_text(f"// a\n// {AVOIDED}\n")
    assert main([str(script)]) == 1
    assert f"{script}, line 2: " in capsys.readouterr().err
