import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.foreign_text import clean, escaped

BAD = re.compile("[\x00-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("pump 3 °C — Müller 泵", "pump 3 °C — Müller 泵"),
        ("\x1b[2J\x1b[31mEVIL\x1b[0m\r\nx", "��EVIL� x"),
        ("\x9b31mEVIL", "�EVIL"),
        ("\x1b]0;title\x07after", "�after"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "�link�"),
        ("\x1bP1$q\x1b\\x", "�x"),
        ("\x1b]0;without an end", "�0;without an end"),
        ("\x1bcreset", "�reset"),
        ("\x1b", "�"),
        ("a\r\n2026-01-01 INFO fncast: forged", "a 2026-01-01 INFO fncast: forged"),
        ("a\tb\x0bc\x0cd\x85e\u2028f\u2029g", "a b c d e f g"),
        ("a\x00b\x07c\x7fd\x08e", "a�b�c�d�e"),
        ("user\u202etxt.exe\u2066x\u2069", "user�txt.exe�x�"),
        ("pa\u200byp\u200dal\ufeff\u2060\u00ad", "pa�yp�al���"),
        ("half \ud83d of a pair", "half � of a pair"),
        ("1\u00a0299\u202f0", "1 299 0"),
        ("", ""),
    ],
)
def test_terminal_commands_are_removed(text: str, shown: str) -> None:
    assert clean(text, 100) == shown


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert clean("x" * 10, 10) == "x" * 10
    assert clean("x" * 11, 10) == "x" * 9 + "…"
    assert clean("\x1b[31m" * 1_000_000 + "x", 10) == "�" * 8 + "…"
    assert clean("a\n" * 5, 10) == "a a a a a "
    assert clean("anything", 1) == "…"


@given(st.text(st.characters(), max_size=80), st.integers(1, 40))
def test_any_text_is_one_bounded_line(text: str, limit: int) -> None:
    shown = clean(text, limit)
    assert len(shown) <= limit
    assert not BAD.search(shown)
    assert shown.isprintable()
    shown.encode()
    assert clean(shown, limit) == shown


@given(st.text(st.characters(categories=("L", "N", "P", "S")), max_size=20))
def test_printable_text_is_unchanged(text: str) -> None:
    assert clean(text, 20) == text


@pytest.mark.parametrize("repeated", ["\x9d", "\x90a", "\x1b]a", "\x9b0", "\x1b "])
def test_terminal_commands_without_an_end_are_cleaned_in_linear_time(repeated: str) -> None:
    began_s = time.process_time()
    clean(repeated * 20_000, 10_000)
    assert time.process_time() - began_s < 1.0


@given(st.recursive(st.text(st.characters()) | st.none(), lambda inner: st.lists(inner), max_leaves=5))
def test_escaped_json_is_the_same_json_and_printable(value: object) -> None:
    for document in (json.dumps(value, ensure_ascii=False), json.dumps(value, ensure_ascii=False, indent=2)):
        shown = escaped(document)
        assert json.loads(shown) == value
        assert shown.replace("\n", "").isprintable()
        assert shown.encode()


def test_characters_that_are_not_printable_are_escaped() -> None:
    assert escaped('{"a":"\x7f\x9b31m\u202e\U000e0001é"}') == r'{"a":"\u007f\u009b31m\u202e\udb40\udc01é"}'
