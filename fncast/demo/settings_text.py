"""The demo's fncast.toml."""

from __future__ import annotations

from fncast.demo.topics import ALERTS_TOPIC, INPUT_TOPIC, READINGS_TOPIC
from fncast.produce.shop_servers import MEMORY_SERIES, SLOW_MEMORY

# The embedded broker looks for new records only at the end of a fetch's wait, by default twice per second.
FETCH_WAIT_MS = 10
# Readings of a series before its first anomaly: few, so that the shop's first incident is found.
MIN_HISTORY = 150
# Counted in the time of readings, of which the shop has five hours a second.
ACCURACY_EVERY = "30s"
# How far ahead the alert looks: two to three seconds of the demo.
WITHIN = "12h"


def settings_text(bootstrap_servers: str, functions_url: str, admin_port: int, has_shop: bool) -> str:
    """The settings of consumer, monitor and page. has_shop: whether there are the shop's series.

    Delivery is at-least-once: the embedded broker does not isolate transactions.
    """
    return f"""\
[kafka]
bootstrap_servers = "{bootstrap_servers}"
delivery = "at-least-once"

[kafka.client]
"fetch.wait.max.ms" = {FETCH_WAIT_MS}

[[inputs]]
topic = "{INPUT_TOPIC}"

[[inputs]]
topic = "{READINGS_TOPIC}"
format = "telegraf-json"
destination = "forecast"
series = "{{name}}"
min = 0

[[inputs]]
topic = "{ALERTS_TOPIC}"
destination = "notify"

[routes]
forecast = {{ url = "fn:fncast/forecast", batch = true, encoding = "graphpipe" }}
notify = "fn:fncast/notify"

[fn]
url = "{functions_url}"

[admin]
port = {admin_port}

[monitor]
min_history = {MIN_HISTORY}
accuracy_every = "{ACCURACY_EVERY}"
destination = "notify"
{_alert() if has_shop else ""}"""


def _alert() -> str:
    return f"""
[[alerts]]
name = "memory-full"
series = "{MEMORY_SERIES}"
above = {SLOW_MEMORY}
within = "{WITHIN}"
destination = "notify"
"""
