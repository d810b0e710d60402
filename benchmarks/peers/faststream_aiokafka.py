"""FastStream over aiokafka with several workers.

`keep-order` commits after the handler, with one worker a partition. `any-order` acknowledges first, which is
FastStream's default, and gives events to any free worker.

`python faststream_aiokafka.py SERVERS GROUP TOPIC OUTPUT FUNCTION_URL WORKERS keep-order|any-order`
"""

import asyncio
import logging
import sys

import aiohttp
import uvloop
from ce_headers import to_http, to_record
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage

servers, group, topic, output, url, workers, order = sys.argv[1:]
broker = KafkaBroker(servers, logger=None)
client: aiohttp.ClientSession


@broker.subscriber(
    topic,
    group_id=group,
    auto_offset_reset="earliest",
    ack_policy=AckPolicy.ACK if order == "keep-order" else AckPolicy.ACK_FIRST,
    max_workers=int(workers),
    decoder=lambda message: message.body,
)
async def handle(body: bytes, message: KafkaMessage) -> None:
    record = message.raw_message
    async with client.post(url, data=body, headers=to_http(record.headers)) as answer:
        answer.raise_for_status()
        forecast = await answer.read()
    await broker.publish(
        forecast,
        output,
        key=record.key,
        partition=record.partition,
        headers=to_record(answer.headers),
        no_confirm=True,
    )


async def main() -> None:
    global client
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as client:
        await FastStream(broker, logger=None).run(log_level=logging.WARNING)


uvloop.install()
asyncio.run(main())
