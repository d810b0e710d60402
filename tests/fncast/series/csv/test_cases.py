"""Whole files, as other programs write them."""

from __future__ import annotations

from pathlib import Path

from tests.fncast.series.csv.texts import HOURS, START, lines, read, values


def test_a_file_of_the_german_weather_service_is_read(tmp_path: Path) -> None:
    text = lines("STATIONS_ID;MESS_DATUM;  TT;eor", lambda i: f"       2319;20260101{i:02}; {i}.1;eor")
    summary = read(tmp_path, text)
    assert values(summary) == {"2319": [i + 0.1 for i in range(10)]}
    assert summary.series[0].start == START
    assert summary.skipped == {"column 'eor'": "it holds text, 'eor' only"}


def test_an_export_of_home_assistant_is_read(tmp_path: Path) -> None:
    text = lines("entity_id,state,last_changed", lambda i: f"sensor.{'ab'[i % 2]},{i},{HOURS[i // 2]}")
    text += "".join(f"light.x,{'on' if i % 2 else 'off'},{HOURS[i]}\n" for i in range(9))
    text += f"sensor.c,unavailable,{HOURS[0]}\n"
    summary = read(tmp_path, text)
    assert values(summary) == {"sensor.a": [0, 2, 4, 6, 8], "sensor.b": [1, 3, 5, 7, 9]}
    assert summary.skipped == {
        "series 'light.x'": "it holds text such as 'off'",
        "series 'sensor.c'": "it holds no reading",
    }


def test_a_response_of_influxdb_is_read(tmp_path: Path) -> None:
    head = (
        "#group,false,false,true,true,false,false,true,true,true\n"
        "#datatype,string,long,dateTime:RFC3339,dateTime:RFC3339,dateTime:RFC3339,double,string,string,string\n"
        "#default,_result,,,,,,,,\n"
        ",result,table,_start,_stop,_time,_value,_field,_measurement,host\n"
    )
    rows = [
        f",,{i // 5},{HOURS[0]},{HOURS[9]},{HOURS[i % 5]},{i}.5,usage,cpu,{'ab'[i // 5]}\n" for i in range(10)
    ]
    # Each table of a response has its own header.
    summary = read(tmp_path, head + "".join(rows[:5]) + "\n" + head + "".join(rows[5:]))
    assert values(summary) == {"a": [0.5, 1.5, 2.5, 3.5, 4.5], "b": [5.5, 6.5, 7.5, 8.5, 9.5]}
