"""FastStream over confluent-kafka, one event after the other, committed after the handler.

`python faststream_confluent.py SERVERS GROUP TOPIC OUTPUT FUNCTION_URL`
"""

import asyncio
import logging
import sys

import aiohttp
import uvloop
from ce_headers import to_http, to_record
from faststream import AckPolicy, FastStream
from faststream.confluent import KafkaBroker, KafkaMessage

servers, group, topic, output, url = sys.argv[1:]
broker = KafkaBroker(servers, logger=None)
client: aiohttp.ClientSession


@broker.subscriber(
    topic,
    group_id=group,
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.ACK,
    decoder=lambda message: message.body,
)
async def handle(body: bytes, message: KafkaMessage) -> None:
    record = message.raw_message
    headers = to_http(record.headers())
    async with client.post(url, data=body, headers=headers) as answer:
        answer.raise_for_status()
        forecast = await answer.read()
    await broker.publish(
        forecast,
        output,
        key=record.key(),
        partition=record.partition(),
        headers=to_record(answer.headers),
        no_confirm=True,
    )


async def main() -> None:
    global client
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        await FastStream(broker, logger=None).run(log_level=logging.WARNING)


uvloop.install()
asyncio.run(main())
