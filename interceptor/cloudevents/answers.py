"""Decodes the events that a function returns. The contract is in docs/functions.md."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from interceptor.cloudevents.attributes import NAME, quoted
from interceptor.errors import RetriableError

NONE_TYPE = "io.fncast.none.v1"
REJECTED_TYPE = "io.fncast.rejected.v1"
UNAVAILABLE_TYPE = "io.fncast.unavailable.v1"
# Events of these types settle an input without a forecast.
SETTLING_TYPES = frozenset({NONE_TYPE, REJECTED_TYPE, UNAVAILABLE_TYPE})

Unset = msgspec.UNSET
Text = str | msgspec.UnsetType
Required = Annotated[str, msgspec.Meta(min_length=1)]


class Output(msgspec.Struct, forbid_unknown_fields=True):
    """One event of an answer, with the attributes of a forecast. Decoded in one pass; `data` stays bytes."""

    id: Required
    source: Required
    specversion: Literal["1.0"]
    type: Required
    causationid: Text = Unset
    causationsource: Text = Unset
    subject: Text = Unset
    time: Text = Unset
    datacontenttype: Text = Unset
    dataschema: Text = Unset
    modelname: Text = Unset
    modelversion: str | int | msgspec.UnsetType = Unset
    destination: Text = Unset
    partitionkey: Text = Unset
    traceparent: Text = Unset
    tracestate: Text = Unset
    data: msgspec.Raw | msgspec.UnsetType = Unset
    data_base64: Text = Unset
    # Attributes that forecasts do not have; set after the decoding. The JSON name "_" is not a valid attribute name,
    # so it is free. The limit makes the decoder reject an event that has such a member.
    others: Annotated[dict[str, str], msgspec.Meta(max_length=0)] = msgspec.field(
        name="_", default_factory=dict
    )


_FIELDS = frozenset(Output.__struct_encode_fields__) - {"_"}
_outputs = msgspec.json.Decoder(list[Output])
_any_outputs = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def invalid_answer(reason: object) -> RetriableError:
    """Return the error for an answer that breaks the contract. The next answer may be valid."""
    return RetriableError(f"invalid answer: {reason}")


def decode(body: bytes) -> list[Output]:
    """Return the events of a batch answer (`application/cloudevents-batch+json`).

    Raises RetriableError for an invalid answer.
    """
    try:
        if not body.isascii():
            body.decode("utf-8")
        try:
            return _outputs.decode(body)
        except msgspec.ValidationError:  # attributes that forecasts do not have, or nulls: use the slow path
            return [_with_others(event) for event in _any_outputs.decode(body)]
    except (UnicodeDecodeError, msgspec.MsgspecError, RecursionError) as error:
        raise invalid_answer(error) from None


def decode_single(body: bytes) -> list[Output]:
    """Return the one event of a structured answer, as a list. Raises RetriableError for an invalid answer."""
    outputs = decode(b"[%b]" % body)
    if len(outputs) != 1:
        raise invalid_answer("the body is not one event")
    return outputs


def data_object(output: Output) -> dict[str, Any]:
    """Return the data as a dict, empty if it is another JSON value.

    The decoder checked only the syntax: a number may be out of range. Raises RetriableError in that case.
    """
    try:
        data = msgspec.json.decode(output.data) if output.data is not Unset else None
    except (msgspec.MsgspecError, RecursionError) as error:
        raise invalid_answer(f"the data of {output.type}: {error}") from None
    return data if isinstance(data, dict) else {}


def _with_others(event: dict[str, msgspec.Raw]) -> Output:
    """Decode an event that has attributes which forecasts do not have, or nulls."""
    # A null attribute is unset (CloudEvents' JSON format, 2.2). Null data is data unless data_base64 is present.
    event = {name: raw for name, raw in event.items() if name == "data" or bytes(raw) != b"null"}
    known = {name: raw for name, raw in event.items() if name in _FIELDS}
    output = msgspec.json.decode(_json_object(known), type=Output)
    output.others = {
        name: _attribute_text(name, msgspec.json.decode(raw))
        for name, raw in event.items()
        if name not in _FIELDS and name != "originid"  # the published event sets originid itself
    }
    return output


def _json_object(members: dict[str, msgspec.Raw]) -> bytes:
    return b"{%b}" % b",".join(b'"%b":%b' % (name.encode(), raw) for name, raw in members.items())


def _attribute_text(name: str, value: Any) -> str:
    if not NAME.fullmatch(name):
        raise msgspec.ValidationError(f"invalid attribute name {quoted(name)}")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int):
        return str(value)
    raise msgspec.ValidationError(
        f"the attribute {quoted(name)} is neither a string, an integer nor a boolean"
    )
