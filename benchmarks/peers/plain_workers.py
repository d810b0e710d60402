"""Reads events, calls the function with each and publishes its answer, at least once.

One worker a partition keeps order.

`python plain_workers.py SERVERS GROUP TOPIC OUTPUT FUNCTION_URL`
"""

import asyncio
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import aiohttp
import uvloop
from ce_headers import to_http, to_record
from confluent_kafka import Consumer, KafkaError, Message, Producer, TopicPartition

MAX_QUEUED = 200  # events of a partition
COMMIT_S = float(os.environ["COMMIT_S"])


class WorkerPipeline:
    """Reads and commits in one thread, and has a task for each partition."""

    def __init__(self, servers: str, group: str, topic: str, output: str, function_url: str) -> None:
        self._consumer = Consumer(
            {
                "bootstrap.servers": servers,
                "group.id": group,
                "auto.offset.reset": "earliest",
                "enable.auto.commit": False,
            }
        )
        self._producer = Producer({"bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 1})
        self._consumer.subscribe([topic])
        self._output = output
        self._function_url = function_url
        self._thread = ThreadPoolExecutor(1)
        self._queues: dict[int, asyncio.Queue[Message]] = {}
        self._workers: list[asyncio.Task[None]] = []
        self._delivered: dict[tuple[str, int], int] = {}
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stopping.set)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as self._session:
            polling = asyncio.create_task(self._poll(loop))
            serving = asyncio.create_task(self._serve_deliveries())
            stopping = asyncio.create_task(self._stopping.wait())
            await asyncio.wait({polling, serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            for task in (polling, serving, *self._workers):
                task.cancel()
            for task in (polling, serving):
                if task.done() and not task.cancelled():
                    task.result()
        self._producer.flush(5)
        await loop.run_in_executor(self._thread, self._commit, False)
        await loop.run_in_executor(self._thread, self._consumer.close)

    async def _poll(self, loop: asyncio.AbstractEventLoop) -> None:
        committed_s = time.monotonic()
        while True:
            for message in await loop.run_in_executor(self._thread, self._take):
                error = message.error()
                if error is not None:
                    if error.code() != KafkaError._PARTITION_EOF:
                        print(error, file=sys.stderr, flush=True)
                    continue
                partition = message.partition() or 0
                if partition not in self._queues:
                    queue = self._queues[partition] = asyncio.Queue(MAX_QUEUED)
                    self._workers.append(asyncio.create_task(self._work(queue)))
                await self._queues[partition].put(message)
            if time.monotonic() - committed_s > COMMIT_S:
                committed_s = time.monotonic()
                await loop.run_in_executor(self._thread, self._commit, True)

    def _take(self) -> list[Message]:
        first = self._consumer.consume(1, 0.1)
        return first + self._consumer.consume(100, 0) if first else first

    async def _work(self, queue: asyncio.Queue[Message]) -> None:
        """Process one event after the other, which keeps the order of the partition."""
        while True:
            message = await queue.get()
            headers = to_http(message.headers() or [])
            async with self._session.post(
                self._function_url, data=message.value(), headers=headers
            ) as answer:
                answer.raise_for_status()
                body = await answer.read()
            out = to_record(answer.headers)
            delivered = partial(self._on_delivery, message)
            key, partition = message.key(), message.partition() or 0
            self._producer.produce(
                self._output, body, key, partition=partition, headers=out, on_delivery=delivered
            )

    async def _serve_deliveries(self) -> None:
        while True:
            self._producer.poll(0)
            await asyncio.sleep(0.005)

    def _on_delivery(self, message: Message, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self._delivered[(message.topic() or "", message.partition() or 0)] = (message.offset() or 0) + 1
        else:
            print(error, file=sys.stderr, flush=True)

    def _commit(self, asynchronous: bool) -> None:
        offsets = [TopicPartition(*partition, offset) for partition, offset in self._delivered.items()]
        if offsets:
            self._consumer.commit(offsets=offsets, asynchronous=asynchronous)


async def main() -> None:
    await WorkerPipeline(*sys.argv[1:]).run()


if __name__ == "__main__":
    uvloop.install()
    asyncio.run(main())
