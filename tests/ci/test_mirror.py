"""The check that each source has its file of tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from mirror import EXCEPTIONS, has_function, main, problems

CODE = "def double(number):\n    return 2 * number\n"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the sources fncast/loop.py and fncast/kinds.py; only the first has code."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "fncast").mkdir()
    (tmp_path / "fncast" / "loop.py").write_text(CODE)
    (tmp_path / "fncast" / "kinds.py").write_text('WINDOW = "window"\n')
    return tmp_path


def found(*files: str, exceptions: tuple[str, ...] = ()) -> list[str]:
    return list(problems(files, exceptions))


def test_a_source_without_its_file_of_tests_is_a_problem_that_names_the_file(root: Path) -> None:
    assert found("fncast/loop.py", "tests/fncast/test_other.py") == [
        "fncast/loop.py: add tests/fncast/test_loop.py"
    ]
    assert found("fncast/loop.py", "tests/fncast/test_loop.py") == []


def test_a_test_of_the_same_name_in_another_folder_does_not_count(root: Path) -> None:
    assert found("fncast/loop.py", "tests/interceptor/test_loop.py") != []


def test_a_file_without_functions_and_other_folders_need_no_test(root: Path) -> None:
    assert found("fncast/kinds.py", "tests/fncast/helper.py", "fncast/__init__.py", "setup.py") == []
    assert found("fncast/messages_pb2.py") == []


@pytest.mark.parametrize(
    ("text", "is_code"),
    [
        (CODE, True),
        ("class Loop:\n    async def run(self):\n        await step()\n", True),
        ("class Feed(Protocol):\n    def read(self) -> int: ...\n", False),
        ('class Feed(Protocol):\n    def read(self) -> int:\n        """Return it."""\n', False),
        ("@dataclass\nclass Point:\n    x: int = 0\n", False),
    ],
)
def test_a_function_has_a_body_if_it_has_more_than_a_docstring(text: str, is_code: bool) -> None:
    assert has_function(text) is is_code


def test_a_folder_of_benchmarks_needs_one_file_of_tests() -> None:
    code = ("benchmarks/delay/run.py", "benchmarks/delay/plot.py", "benchmarks/__main__.py")
    assert found(*code) == ["benchmarks/delay/: add a test in tests/benchmarks/delay/"]
    assert found(*code, "tests/benchmarks/delay/test_plot.py") == []
    assert found("benchmarks/delay/__init__.py") == []


def test_an_exception_needs_no_test(root: Path) -> None:
    assert found("fncast/loop.py", exceptions=("fncast/loop.py",)) == []
    assert found("benchmarks/peers/a.py", exceptions=("benchmarks/peers/",)) == []


@pytest.mark.parametrize(
    ("files", "exception"),
    [
        (["fncast/loop.py", "tests/fncast/test_loop.py"], "fncast/loop.py"),
        (["benchmarks/peers/a.py", "tests/benchmarks/peers/test_a.py"], "benchmarks/peers/"),
    ],
)
def test_an_exception_that_has_tests_is_a_problem(root: Path, files: list[str], exception: str) -> None:
    [problem] = found(*files, exceptions=(exception,))
    assert problem.startswith(f"{exception}: has tests; remove it")


def test_an_exception_whose_source_is_gone_is_a_problem() -> None:
    [problem] = found(exceptions=("fncast/old.py",))
    assert problem.startswith("fncast/old.py: is gone; remove it")


def test_the_command_prints_each_problem_and_fails(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [each + "a.py" if each.endswith("/") else each for each in EXCEPTIONS]
    assert main(files) == 0
    assert main([*files, "fncast/loop.py"]) == 1
    assert capsys.readouterr().err == "fncast/loop.py: add tests/fncast/test_loop.py\n"
