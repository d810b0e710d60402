"""Builds the parts of the consumer from its settings."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from consumer.dead_letter_watch import DeadLetterWatch
from consumer.kafka.publishers.at_least_once import AtLeastOnce
from consumer.kafka.publishers.exactly_once import ExactlyOnce
from consumer.kafka.publishers.publisher import Publisher
from consumer.kafka.source.source import KafkaSource
from consumer.kafka.topics.names import TopicNames
from consumer.kafka.topics.topics import Topics
from consumer.lanes.batches import Batching
from consumer.loop import Loop
from consumer.loop_parts import LoopParts
from consumer.publishing.result_publisher import ResultPublisher
from consumer.rekeying import build_rekeyed_inputs, with_topics_by_series
from consumer.settings import InputSettings, KafkaSettings, RouteSettings, Settings, SettingsError
from consumer.settings.inputs import EVENTS
from consumer.state.partition_restore import PartitionRestore
from consumer.state.partition_states import PartitionStates
from consumer.state.reader import Reader
from consumer.state.restorer import Restorer
from consumer.state.writer import StateWriter
from fncast.http.bearer import read_token
from interceptor.builtin.assemble import Assemble, ReadingInput
from interceptor.builtin.calls import Limits
from interceptor.builtin.deliver import Deliver
from interceptor.builtin.expiry import Expiry
from interceptor.builtin.rekey import Rekey
from interceptor.builtin.router import Router
from interceptor.chain import Chain, compose
from interceptor.contract import Interceptor
from interceptor.readings.formats import build_format
from interceptor.routes.function_client import FunctionClient
from interceptor.routes.route import Route


def build_routes(settings: Settings) -> dict[str, Route]:
    """The routes in the settings. Raises SettingsError that names the route."""
    found = {}
    fn_token = _fn_token(settings)
    for name, route in settings.routes.items():
        try:
            found[name] = _build_route(name, route, fn_token)
        except (ValueError, OSError) as error:
            raise SettingsError(f"[routes.{name}] {error}") from None
    return found


def _build_route(name: str, route: str | RouteSettings, fn_token: str) -> Route:
    """One route. fn_token: the Fn server's, for routes to its functions. Raises ValueError, OSError."""
    if isinstance(route, str):
        is_fn = route.startswith("fn:")
        return Route(name, route, batch=is_fn, token=fn_token if is_fn else "")
    token = _token(route.token_file) or (fn_token if route.url.startswith("fn:") else "")
    if token and "@" in urlsplit(route.url).netloc:
        raise ValueError("it has a token, and its URL has a login: use only one of them")
    batch = route.batch or route.encoding == "graphpipe"  # a tensor holds the windows of a batch
    return Route(name, route.url, batch, route.mode, token, route.encoding)


def build_function_client(settings: Settings) -> FunctionClient:
    """Call it in the event loop that uses the client. Raises SettingsError."""
    fn = settings.fn
    # One more for each route's probe, which must not wait while all calls of the route hang.
    connections = (fn.calls_in_flight + 1) * max(1, len(settings.routes))
    return FunctionClient(fn.url, fn.timeout_s, connections, _fn_token(settings))


def _fn_token(settings: Settings) -> str:
    """The Fn server's token; empty without a file. Raises SettingsError."""
    try:
        return _token(settings.fn.token_file)
    except (ValueError, OSError) as error:
        raise SettingsError(f"[fn.token_file] {error}") from None


def _token(file: str) -> str:
    """The token in the file; empty without a file. Raises ValueError, OSError."""
    return read_token(Path(file)) if file else ""


def _check_order(names: Sequence[str]) -> None:
    """Raise SettingsError if the built-in interceptors alone cannot route and settle events.

    A user's interceptors may do both, so a chain that has any is not checked.
    """
    if any(":" in name for name in names):
        return
    if "deliver" not in names:
        raise SettingsError("[interceptors.chain] has no `deliver`: no event would ever be settled")
    if "route" not in names[: list(names).index("deliver")]:
        raise SettingsError("[interceptors.chain] needs `route` before `deliver`")
    if "assemble" in names[list(names).index("route") :]:
        raise SettingsError("[interceptors.chain] needs `assemble` before `route`")


def build_reading_inputs(settings: Settings) -> dict[str, ReadingInput]:
    """By topic of readings, how they are read and assembled. Raises SettingsError that names the input."""
    entries = {entry.topic: entry for entry in settings.inputs}
    found = {}
    for topic in settings.kafka.input_topics:
        entry = entries.get(topic, InputSettings(topic))
        if not entry.has_readings:
            continue
        try:
            rules = settings.rules_of(topic)
            format_ = build_format(entry.format_name, entry.format_options())
        except ValueError as error:
            raise SettingsError(f"[[inputs]] topic {topic!r}: {error}") from None
        found[topic] = ReadingInput(format_, rules, entry.format_name == EVENTS, entry.destination)
    return found


def build_chain(
    settings: Settings, deliver: Deliver, interceptors: Mapping[str, Interceptor] | None = None
) -> Chain:
    """The interceptor chain in the settings. interceptors: as in `Service`. Raises SettingsError."""
    _check_order(settings.interceptors.chain)
    rekeyed = build_rekeyed_inputs(settings)
    settings = with_topics_by_series(settings)
    router = Router(build_routes(settings), settings.default_destinations())
    inputs = build_reading_inputs(settings)
    built_ins: dict[str, Callable[[], Interceptor]] = {
        "expiry": Expiry,
        "rekey": lambda: Rekey(rekeyed),
        "assemble": lambda: Assemble(inputs),
        "route": lambda: router,
        "deliver": lambda: deliver,
    }
    for name, interceptor in (interceptors or {}).items():
        built_ins[name] = partial(_given, interceptor)
    try:
        reading_topics = [topic for topic, found in inputs.items() if not found.is_event]
        reading_topics += [topic for topic, source in rekeyed.items() if not source.is_event]
        return compose(settings.interceptors.chain, built_ins, settings, reading_topics)
    except ValueError as error:
        raise SettingsError(f"[interceptors.chain] {error}") from None


def _given(interceptor: Interceptor) -> Interceptor:
    """Return the interceptor: `compose` takes functions that create one."""
    return interceptor


def build_deliver(settings: Settings, functions: FunctionClient) -> Deliver:
    """The interceptor that calls functions, with the limits in the settings."""
    fn = settings.fn
    limits = Limits(fn.calls_in_flight, fn.batch_events, fn.batch_bytes, fn.max_attempts)
    names = settings.interceptors.chain
    return Deliver(functions, limits, is_last=names[-1:] == ("deliver",), handles_expiry="expiry" in names)


def build_publisher(kafka: KafkaSettings, instance: str = "") -> Publisher:
    """The publisher for the delivery guarantee in the settings. instance: this replica's name; empty for the setting.

    Raises ConsumerError.
    """
    if kafka.delivery == "at-least-once":
        return AtLeastOnce(kafka.client_properties(), kafka.partitioner)
    transactional_id = f"{kafka.group_id}-{instance or kafka.instance_name()}"
    return ExactlyOnce(kafka.client_properties(), kafka.partitioner, transactional_id)


def build_states(
    kafka: KafkaSettings, chain: Chain, publisher: Publisher, event_loop: asyncio.AbstractEventLoop
) -> PartitionStates:
    """What restores, writes and drops the state of the chain's interceptors."""
    properties, group = kafka.client_properties(), kafka.group_id
    restore = PartitionRestore(chain.stateful, event_loop, kafka.state_topic, group)
    restorer = Restorer(restore, lambda: Reader(properties, group))
    writer = StateWriter(publisher, kafka.state_topic, group)
    return PartitionStates(chain.stateful, event_loop, restorer, writer)


def build_loop(
    settings: Settings,
    chain: Chain,
    instance: str,
    more_outputs: Sequence[str] = (),
    *,
    joins_inputs: bool = False,
) -> Loop:
    """The loop of this replica. The running event loop runs the chain. Raises ConsumerError.

    instance: this replica's name. more_outputs, joins_inputs: as in `Service`.
    """
    event_loop = asyncio.get_running_loop()
    kafka, fn = with_topics_by_series(settings).kafka, settings.fn
    properties = kafka.client_properties()
    rekeyed = [entry for entry in settings.inputs if entry.rekey]
    publisher = build_publisher(kafka, instance)
    states = build_states(kafka, chain, publisher, event_loop)
    names = TopicNames(
        kafka.input_topics,
        kafka.output_topic,
        kafka.dead_letter_topic,
        kafka.outage_topic,
        kafka.state_topic if any(map(states.keeps, kafka.input_topics)) else "",
        (*more_outputs, *(entry.by_series_topic for entry in rekeyed)),
    )
    parts = LoopParts(
        KafkaSource(properties, kafka.group_id, instance if kafka.static_membership else ""),
        publisher,
        Topics(properties, names, is_exactly_once=kafka.delivery == "exactly-once"),
        ResultPublisher(publisher, kafka.output_topic, kafka.dead_letter_topic, states.writer),
        DeadLetterWatch(kafka.dead_letter_topic, kafka.pause_after_refused, time.monotonic),
        states,
    )
    return Loop(
        parts,
        chain,
        event_loop,
        Batching(fn.batch_events, fn.calls_in_flight, fn.linger_s),
        by_time=[entry.topic for entry in rekeyed],
        joined=kafka.input_topics if joins_inputs else (),
    )
