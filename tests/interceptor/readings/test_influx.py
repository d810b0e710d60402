"""InfluxDB's line protocol, with the escapes from its documentation."""

from __future__ import annotations

import pytest

from interceptor.readings.contract import UndecodableRecord
from interceptor.readings.influx import InfluxLine

AT = 1_700_000_123_000_000_000


def test_numbers_and_booleans_are_readings_and_strings_are_counted(readings):
    text = (
        f'cpu,host=web-1 usage_idle=98.2,n=3i,big=7u,up=t,down=FALSE,os="Linux, \\"6.1\\" x=1" {AT}\n'
        f"\n# a comment\nmem free=1e3 {AT + 1}\r\n"
    )
    found, skipped = readings(InfluxLine(), text)
    assert found == {
        "cpu.usage_idle host=web-1": [(AT, 98.2)],
        "cpu.n host=web-1": [(AT, 3.0)],
        "cpu.big host=web-1": [(AT, 7.0)],
        "cpu.up host=web-1": [(AT, 1.0)],
        "cpu.down host=web-1": [(AT, 0.0)],
        "mem.free": [(AT + 1, 1000.0)],
    }
    assert skipped == {"text": 1}


def test_escapes_in_names_and_tags_are_resolved(readings):
    found, _ = readings(InfluxLine(), f"disk\\ io,path=/a\\,b,k\\=ey=v\\ w read\\ bytes=1 {AT}")
    assert found == {"disk io.read bytes k=ey=v w path=/a,b": [(AT, 1.0)]}


def test_a_line_without_a_timestamp_gets_that_of_the_record(readings):
    found, _ = readings(InfluxLine(), "m v=1")
    assert found == {"m.v": [(1_700_000_000_000 * 10**6, 1.0)]}


def test_the_order_of_tags_does_not_change_the_series(readings):
    found, _ = readings(InfluxLine(), f"m,a=1,b=2 v=1 {AT}\nm,b=2,a=1 v=2 {AT}")
    assert found == {"m.v a=1 b=2": [(AT, 1.0), (AT, 2.0)]}


def test_a_bad_line_does_not_affect_others(readings):
    found, skipped = readings(InfluxLine(), f"m v=1 {AT}\nbroken\nm v=x {AT}\nm v=2 soon\nm v=3 {AT}")
    assert found == {"m.v": [(AT, 1.0), (AT, 3.0)]}
    assert skipped == {"unsupported": 3}


def test_a_bad_field_does_not_affect_the_others_of_its_line(readings):
    found, skipped = readings(InfluxLine(), f"m a=1,b=1.2.3,c,=4,d=2i {AT}")
    assert found == {"m.a": [(AT, 1.0)], "m.d": [(AT, 2.0)]}
    assert skipped == {"unsupported": 3}


def test_a_string_may_contain_a_line_break(readings):
    found, skipped = readings(InfluxLine(), f'm note="a\nb",v=1 {AT}')
    assert (found, skipped) == ({"m.v": [(AT, 1.0)]}, {"text": 1})


def test_a_quote_outside_of_a_string_joins_no_lines(readings):
    found, skipped = readings(InfluxLine(), f'# say "hi\nm,host=5" v=1 {AT}\nm,host=7" v=2,s="x" {AT}')
    assert found == {'m.v host=5"': [(AT, 1.0)], 'm.v host=7"': [(AT, 2.0)]}
    assert skipped == {"text": 1}


def test_a_comment_joins_no_lines_and_a_string_hides_no_comment(readings):
    found, skipped = readings(
        InfluxLine(), f'# was s="open\nm v=1 {AT}\nm s="a\n# b",v=2 {AT}\n # m v=3 {AT}'
    )
    assert found == {"m.v": [(AT, 1.0), (AT, 2.0)]}
    assert skipped == {"text": 1}


def test_a_line_that_ends_with_a_backslash_is_not_joined(readings):
    found, _ = readings(InfluxLine(), f'm,path=C:\\ v=1 {AT}\\\nm v=2,s="x" {AT}')
    assert found == {"m.v": [(AT, 2.0)]}


def test_the_reason_names_the_line_of_the_record():
    with pytest.raises(UndecodableRecord, match="line 4: it needs a measurement"):
        InfluxLine().decode(b'# a comment\n\n# s="\nbroken\n', None, [], 0)


def test_the_precision_can_be_set(readings):
    found, _ = readings(InfluxLine(time_unit="s"), "m v=1 1700000123")
    assert found == {"m.v": [(AT, 1.0)]}


@pytest.mark.parametrize(
    "value", [b"nothing here to read", b"\xff", b"m", b",a=1 v=1 5", b"m v= 5", b"m =1 5", b'm v="open 5']
)
def test_an_invalid_record_is_rejected_with_a_reason(value):
    with pytest.raises(UndecodableRecord, match="not line protocol"):
        InfluxLine().decode(value, None, [], 0)
