"""Quix Streams, one event after the other.

`python quix_streams.py SERVERS GROUP TOPIC OUTPUT FUNCTION_URL at-least-once|exactly-once STATE_FOLDER`
"""

import os
import sys
from typing import Any

import urllib3
from ce_headers import to_http, to_record
from quixstreams import Application

servers, group, topic, output, url, delivery, state = sys.argv[1:]
app = Application(
    broker_address=servers,
    consumer_group=group,
    auto_offset_reset="earliest",
    processing_guarantee=delivery,
    commit_interval=float(os.environ["COMMIT_S"]),
    producer_extra_config={"linger.ms": 1},
    state_dir=state,
    auto_create_topics=False,
    loglevel="WARNING",
)
client = urllib3.PoolManager(maxsize=1, retries=False)


def forecast(value: bytes, key: Any, timestamp: int, headers: list[tuple[str, bytes]]) -> Any:
    """Return value and headers of the function's answer."""
    answer = client.request("POST", url, body=value, headers=to_http(headers))
    if answer.status != 200:
        raise RuntimeError(f"the function answered {answer.status}")
    return answer.data, to_record(answer.headers)


events = app.dataframe(app.topic(topic, value_deserializer="bytes"))
events = events.apply(forecast, metadata=True)
events = events.set_headers(lambda answer, *_: list(answer[1].items()))
events = events.apply(lambda answer: answer[0])
events.to_topic(app.topic(output, value_serializer="bytes"))
app.run()
