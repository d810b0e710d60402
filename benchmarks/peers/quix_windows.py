"""Quix Streams keeps the last readings of each series in its RocksDB state, without any forecast.

`python quix_windows.py SERVERS GROUP TOPIC at-least-once|exactly-once STATE_FOLDER WINDOW`
"""

import os
import sys
from typing import Any

import orjson
from quixstreams import Application, State

servers, group, topic, delivery, folder, window = sys.argv[1:]
WINDOW = int(window)
app = Application(
    broker_address=servers,
    consumer_group=group,
    auto_offset_reset="earliest",
    processing_guarantee=delivery,
    commit_interval=float(os.environ["COMMIT_S"]),
    state_dir=folder,
    auto_create_topics=True,  # the changelog of the state
    loglevel="WARNING",
)


def assemble(record: dict[str, Any], state: State) -> None:
    """Append the readings of a record to the windows of its series. The key of the record is its host."""
    windows = state.get("windows", {})
    for field, value in record["fields"].items():
        readings = windows.setdefault(field, [])
        readings.append(value)
        del readings[:-WINDOW]
    state.set("windows", windows)


records = app.dataframe(app.topic(topic, value_deserializer="bytes", key_deserializer="bytes"))
records = records.apply(orjson.loads)
records.update(assemble, stateful=True)
app.run()
