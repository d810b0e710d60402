"""README's programs are as short as it says; tests/integration/test_demo.py runs them as they stand."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"
PROGRAMS = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)


def test_there_are_a_producer_and_a_reader_of_ten_lines():
    assert [len([line for line in program.splitlines() if line]) for program in PROGRAMS] == [10, 9]


def test_its_links_lead_somewhere():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text("utf-8"))
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []
