from __future__ import annotations

from pathlib import Path

import pytest

from fncast.http.bearer import is_bearer, read_token


def test_a_token_is_read_without_its_line_end(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("secret-1\n")
    assert read_token(file) == "secret-1"


@pytest.mark.parametrize("content", [b"", b"two words", b"two\nlines", "geheim-ü".encode(), b"\xff\xfe"])
def test_an_error_does_not_show_the_content(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ValueError, match="token") as raised:
        read_token(file)
    assert not any(word in str(raised.value) for word in ("two", "geheim"))


@pytest.mark.parametrize(
    ("value", "is_accepted"),
    [
        (b"Bearer secret", True),
        (b"bearer  secret ", True),
        (b"Bearer other", False),
        (b"Basic secret", False),
        (b"secret", False),
        (b"", False),
    ],
)
def test_the_scheme_may_be_in_any_case(value: bytes, is_accepted: bool) -> None:
    assert is_bearer(value, b"secret") is is_accepted
