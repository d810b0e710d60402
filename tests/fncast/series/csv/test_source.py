"""Encodings, standard input, and files that are not CSV."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from fncast.series.csv.file import CsvError, read_csv_file
from tests.fncast.series.csv.texts import HOURS, lines, read


def test_windows_1252_is_reported(tmp_path: Path) -> None:
    text = lines("Zeit;Außen", lambda i: f"{HOURS[i]};{i},5").encode("cp1252")
    summary = read(tmp_path, text, value_columns=("Außen",))
    assert any("read as Windows-1252" in line for line in summary.lines())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"time": 1}\n', "holds JSON, not CSV"),
        ('[{"time": 1}]\n', "holds JSON, not CSV"),
        ("<html></html>", "holds HTML or XML"),
        ("# HELP up Whether it is up.\n# TYPE up gauge\nup 1\n", "holds Prometheus's text"),
        ('cpu{host="a",mode="user"} 1.5 1767225600000\n', "holds Prometheus's text"),
        ("cpu,host=a usage=1.5 1767225600000000000\n", "holds InfluxDB's line protocol"),
        ('cpu usage=1i,note="a, b" 1767225600000000000\n', "holds InfluxDB's line protocol"),
        (b"\0" * 100, "is not a text file"),
        (b"PK\x03\x04rest", "is an Excel or zip file; save the sheet as CSV"),
        (b"PAR1rest", "is a Parquet file"),
        (b"BZh91AY", "is compressed by bzip2; unpack it, or use gzip"),
        (b"\x28\xb5\x2f\xfdrest", "is compressed by zstd"),
        (b"\xfd7zXZ\0rest", "is compressed by xz"),
        (b"%PDF-1.7", "is a PDF"),
        (
            "time,value\n2026-01-01,1\n".encode("utf-16-le"),
            "is UTF-16 without a byte order mark; save it as UTF-8",
        ),
        (
            "time,value\n2026-01-01,1\n".encode("utf-16-be"),
            "is UTF-16 without a byte order mark; save it as UTF-8",
        ),
        (b"time,value\n2026-01-01,1\0\n", "is not a text file"),
        (b"\x1f\x8bno gzip", "is damaged or cut short gzip data"),
        ("time,value\n", "has a header but no readings"),
        ("# only this\n", "holds comments only"),
        (
            'time,value\n2026-01-01,"1\n2026-01-02,2\n2026-01-03,3\n',
            'line 2: a quote (") is opened and not closed',
        ),
        ("time,value\n2026-01-01,1\n2026-01-02,1,5\n", "line 3: has 3 fields, the header 2"),
        ("time,value\n2026-01-01,1,5\n2026-01-02,1,5\n", "or separate the columns by `;`"),
        ("time,a,b\n08:00,1,2\n09:00,1,2\n", "no column holds dates"),
        ("a,b\nx,1\ny,2\n", "no column holds times (the columns are a, b)"),
        (
            "start,end,b\n2026-01-01,2026-01-02,x\n2026-01-02,2026-01-03,y\n",
            "no column is left for the values",
        ),
        (
            "p,q,b\n2026-01-01,2026-01-02,1\n2026-01-02,2026-01-03,2\n",
            "columns 'p', 'q' all hold times; say which",
        ),
    ],
)
def test_an_unreadable_file_is_one_sentence(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    with pytest.raises(CsvError) as caught:
        read(tmp_path, content)
    assert sentence in str(caught.value)


def test_standard_input_is_read_as_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = lines("time,x", lambda i: f"{HOURS[i]},{i}")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    summary = read_csv_file("-")
    assert (summary.name, summary.series[0].name) == ("standard input", "stdin")
