"""Reads the text of a file of readings: plain, gzip or standard input, in the usual encodings."""

from __future__ import annotations

import codecs
import gzip
import sys
import zlib
from pathlib import Path
from typing import BinaryIO

from fncast.series.csv.error import CsvError

# A file is read as a whole. This is some 20 million readings, more than a training can use.
MAX_FILE_BYTES = 512 * 1024 * 1024
STDIN = "-"

_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_UTF_8_BOM = b"\xef\xbb\xbf"
# Byte order marks, the longest first: that of UTF-32 begins with that of UTF-16.
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_OTHER_FORMATS = (
    (b"PK\x03\x04", "is an Excel or zip file; save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "is an old Excel file; save the sheet as CSV"),
    (b"PAR1", "is a Parquet file; write it as CSV"),
    (b"ARROW1", "is an Arrow file; write it as CSV"),
    (b"Obj\x01", "is an Avro file; write it as CSV"),
    (b"\x89HDF", "is an HDF5 file; write it as CSV"),
    (b"%PDF", "is a PDF; save the table as CSV"),
    (b"BZh", "is compressed by bzip2; unpack it, or use gzip"),
    (b"\xfd7zXZ", "is compressed by xz; unpack it, or use gzip"),
    (b"\x28\xb5\x2f\xfd", "is compressed by zstd; unpack it, or use gzip"),
    (b"7z\xbc\xaf", "is a 7-Zip archive; unpack it"),
    (b"SQLite format 3", "is an SQLite database; export the table as CSV"),
)


def source_name(path: Path) -> str:
    """The name of the file in messages."""
    return "standard input" if str(path) == STDIN else str(path)


def series_name(path: Path) -> str:
    """The name of the only series of a file."""
    if str(path) == STDIN:
        return "stdin"
    return Path(path.name[:-3]).stem if path.name.lower().endswith(".gz") else path.stem


def read_text(path: Path) -> tuple[bytes, list[str]]:
    """The file as UTF-8 without a byte order mark, and notes about its encoding.

    path: `-` is standard input. Raises CsvError.
    """
    name = source_name(path)
    content = _content(path, name)
    for magic, sentence in _OTHER_FORMATS:
        if content.startswith(magic):
            raise CsvError(f"{name}: {sentence}")
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            try:
                return content.decode(encoding).encode(), [f"the file is {encoding.upper()}"]
            except UnicodeError:
                raise CsvError(f"{name}: is damaged {encoding.upper()} text; save it as UTF-8") from None
    content = content.removeprefix(_UTF_8_BOM)
    if b"\0" in content:
        if _is_utf_16(content):
            raise CsvError(f"{name}: is UTF-16 without a byte order mark; save it as UTF-8")
        raise CsvError(f"{name}: is not a text file; CSV text such as `timestamp,value` was expected")
    if _is_utf_8(content):
        return content, []
    try:
        text = content.decode("cp1252")
        encoding = "Windows-1252"
    except UnicodeDecodeError:
        text = content.decode("latin-1")
        encoding = "Latin-1"
    return text.encode(), [f"the file is not UTF-8 and was read as {encoding}; check the names"]


def _content(path: Path, name: str) -> bytes:
    try:
        if str(path) == STDIN:
            return _unpacked(sys.stdin.buffer, name)
        if path.is_dir():
            raise CsvError(f"{name}: is a folder; name the CSV files in it, such as {path / '*.csv'}")
        with path.open("rb") as file:
            return _unpacked(file, name)
    except FileNotFoundError:
        raise CsvError(f"{name}: there is no such file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise CsvError(f"{name}: is damaged or cut short gzip data: {error}") from None
    except OSError as error:
        raise CsvError(f"{name}: cannot be read: {error.strerror or error}") from None


def _unpacked(file: BinaryIO, name: str) -> bytes:
    """All bytes, unpacked if they are gzip data. Both sizes are bounded, since a small gzip file may hold very much."""
    content = _bounded(file, name)
    if not content.startswith(_GZIP):
        return content
    import io  # rare

    with gzip.open(io.BytesIO(content)) as unpacked:
        return _bounded(unpacked, name)  # type: ignore[arg-type]  # reads like a file


def _bounded(file: BinaryIO, name: str) -> bytes:
    content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise CsvError(
            f"{name}: has more than {MAX_FILE_BYTES} bytes; split the file, or keep its latest part"
        )
    return content


def _is_utf_16(content: bytes) -> bool:
    """Whether almost each second byte at the beginning is zero, and few others, as in UTF-16 of Latin letters."""
    head = content[:_CHUNK]
    few, many = sorted(head[first::2].count(0) for first in (0, 1))
    return many > 0.45 * len(head) and few < 0.05 * len(head)


def _is_utf_8(content: bytes) -> bool:
    """Whether the content is UTF-8. Decodes it in pieces: the whole text would take up to four times the memory."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(content)
    try:
        for at in range(0, len(content), _CHUNK):
            decoder.decode(view[at : at + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
