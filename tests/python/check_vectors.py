"""Reads and writes the vectors of docs/wire-vectors.json: `check_vectors.py FILE`. Ends with an error if one does not fit."""

from __future__ import annotations

import json
import sys
from typing import Any, Callable, Dict, List

from peer.codec import Malformed, decode, decode_arguments, decode_many, encode
from peer.frames import TO_INSTANCE, Announcement, Api, Credit, Failure, Frame, Items, Kind, Range, Request, Service, frame, number
from peer.values import boolean, bytes_of, floating, i64, i128, option, text, u8, u16, u32, u64, u128, write_128

Vector = Dict[str, Any]

REQUIRED = {"id": u32, "name": text}


def version(parts: List[int]) -> Any:
    return tuple((parts + [0])[:3])


def announcement(meaning: Any) -> Announcement:
    services = []
    for service in meaning["services"]:
        apis = tuple(Api(api["name"], api["namespace"], version(api["version"])) for api in service["apis"])
        services.append(Service(service["exchange"], service["topic"], service["server"], service["draining"], apis))
    window = Credit(meaning["window"]["requests"], meaning["window"]["bytes"])
    instance = bytes.fromhex(meaning["instance"])
    return Announcement(Range(*meaning["protocols"]), instance, meaning["address"], window, tuple(services), meaning["serial"], meaning["heartbeats"])


def request(meaning: Any) -> Request:
    same = {name: meaning[name] for name in ("exchange", "topic", "server", "namespace", "method", "metadata")}
    credit = meaning["credit"] and Credit(meaning["credit"]["items"], meaning["credit"]["bytes"])
    versions = {name: version(meaning[name]) for name in ("version", "built")}
    name = meaning.get("request_id")
    request_id = name and bytes.fromhex(name.removeprefix("req-").replace("-", ""))
    last = {"request_id": request_id, "monitor": meaning.get("monitor_us")}
    return Request(**same, **versions, remaining=meaning["remaining_us"], credit=credit, **last)


def failure(meaning: Any) -> Failure:
    return Failure(meaning["fail_kind"], meaning["message"], meaning.get("traceback"))


def frame_is_read(vector: Vector) -> None:
    read, meaning = Frame.read(bytes.fromhex(vector["hex"])), vector["meaning"]
    kind = Kind[vector["kind"]]
    assert (read.protocol, read.kind, read.id) == (1, kind, vector["id"])
    if kind is Kind.HELLO:
        assert Range.read(read) == Range(meaning["lowest"], meaning["highest"])
    elif kind is Kind.ANNOUNCE:
        assert Announcement.read(read) == announcement(meaning)
    elif kind in (Kind.CALL, Kind.CAST, Kind.MULTICALL):
        assert Request.read(read) == request(meaning)
        assert decode_arguments(read.body) == meaning["body"]
    elif kind is Kind.REPLY:
        assert decode(read.body) == meaning["body"]
    elif kind is Kind.FAIL:
        assert Failure.read(read) == failure(meaning)
        assert (decode(read.body) if read.body else None) == meaning.get("body")
    elif kind is Kind.ITEMS:
        assert Items.read(read) == Items(meaning["first"], meaning["count"])
        assert [item for item, _ in decode_many(read.body, meaning["count"])] == meaning["items"]
    elif kind is Kind.CREDIT:
        assert Credit.read(read) == Credit(meaning["items"], meaning["bytes"])
    elif kind in (Kind.ACCEPT, Kind.CANCEL):
        assert meaning == {}
    elif kind is Kind.RUNNING:
        assert decode(read.body) == meaning["ids"]
    else:
        assert number(read) == only_number(meaning)


def only_number(meaning: Any) -> int:
    (value,) = meaning.values()
    assert isinstance(value, int)
    return value


def frame_is_written(vector: Vector) -> bytes:
    id, meaning, kind = vector["id"], vector["meaning"], Kind[vector["kind"]]
    if kind is Kind.HELLO:
        return Range(meaning["lowest"], meaning["highest"]).hello()
    if kind is Kind.ANNOUNCE:
        return announcement(meaning).write()
    if kind in (Kind.CALL, Kind.CAST, Kind.MULTICALL):
        return request(meaning).write(kind, id, encode(meaning["body"]))
    if kind is Kind.REPLY:
        return frame(kind, id, body=encode(meaning["body"]))
    if kind is Kind.FAIL:
        body = encode(meaning["body"]) if "body" in meaning else b""
        return failure(meaning).write(id, body)
    if kind is Kind.ITEMS:
        body = b"".join(encode(item) for item in meaning["items"])
        return Items(meaning["first"], meaning["count"]).write(id, body)
    if kind is Kind.CREDIT:
        return Credit(meaning["items"], meaning["bytes"]).write(id)
    if kind in (Kind.ACCEPT, Kind.CANCEL):
        return frame(kind, id)
    if kind is Kind.RUNNING:
        return frame(kind, id, body=encode(meaning["ids"]))
    return frame(kind, id, [only_number(meaning)])


READ: Dict[str, Callable[[Any], Any]] = {
    "bool": boolean,
    "u8": u8,
    "u16": u16,
    "u32": u32,
    "u64": u64,
    "i64": i64,
    "i128": i128,
    "u128": u128,
    "f32": floating,
    "f64": floating,
    "char": text,
    "string": text,
    "uuid": text,
    "ip address": text,
    "bytes": bytes_of,
    "option of u32": option(u32),
}
"""How a value of the type of a vector is read; of other types, what MessagePack says is the value."""


def unknown_left_out(value: Any, like: Any) -> Any:
    """The value without the fields that `like` does not have: a struct's reader does not look at them."""
    if not isinstance(value, dict) or not isinstance(like, dict):
        return value
    return {key: unknown_left_out(value[key], like[key]) for key in like}


def value_is_read(vector: Vector) -> None:
    data, meaning, kind = bytes.fromhex(vector["hex"]), vector["meaning"], vector["type"]
    value = decode(data)
    if kind in READ:
        value = READ[kind](value)
    if kind == "bytes":
        meaning = bytes.fromhex(meaning)
    elif kind in ("u64", "i64", "u128", "i128"):
        meaning = int(meaning)
    elif kind.startswith("map of u32"):
        meaning = {int(key): text for key, text in meaning.items()}
    elif kind == "arrays":
        meaning = nested(64)
    elif kind.startswith("enum") and isinstance(value, dict) and list(value.values()) == [None]:
        (value,) = value
    elif kind.startswith("Outer"):
        value = unknown_left_out(value, meaning)
    assert value == meaning, f"{value!r} is not {meaning!r}"
    if not vector.get("read_only"):
        written = write_128(value) if kind in ("i128", "u128") else value
        assert encode(written, single_floats=kind == "f32") == data


def nested(levels: int) -> Any:
    value: Any = None
    for _ in range(levels):
        value = [value]
    return value


def bad_is_refused(vector: Vector) -> None:
    """What breaks a rule of the codec; what breaks one of the conversation is for the peers themselves."""
    data, of = bytes.fromhex(vector["hex"]), vector["of"]
    try:
        if of == "value":
            decode(data)
        elif of == "arguments":
            arguments = decode_arguments(data)
            if arguments.keys() != REQUIRED.keys():
                raise Malformed("arguments that are not those of the method")
            for name, read in REQUIRED.items():
                read(arguments[name])
        else:
            sent_to(of, Frame.read(data))
    except Malformed:
        return
    raise AssertionError(f"it was read: {vector['outcome']}")


def sent_to(of: str, read: Frame) -> None:
    known = read.kind in TO_INSTANCE if of == "frame to a server" else read.kind in set(Kind) - TO_INSTANCE
    if read.protocol != 1 or not known:
        raise Malformed("it is of another version, unknown, or of the wrong direction")
    if read.kind in (Kind.CALL, Kind.CAST, Kind.MULTICALL):
        if read.id == 0:
            raise Malformed("ids of requests begin at 1")
        Request.read(read)
    elif read.kind == Kind.CREDIT:
        Credit.read(read)
    elif read.kind == Kind.SEEN:
        number(read)
    elif read.kind == Kind.ANNOUNCE:
        if Announcement.read(read).protocols.lowest > 1:
            raise Malformed("no version in common")
    elif read.kind == Kind.RUNNING:
        ids = decode(read.body)
        if not isinstance(ids, list) or not all(type(id) is int and id >= 0 for id in ids):
            raise Malformed("what runs is listed by ids")
    elif read.kind == Kind.REPLY and read.id == 77:
        raise Malformed("never asked")


def check(vector: Vector) -> None:
    if vector["kind"] == "bad":
        bad_is_refused(vector)
    elif vector["kind"] == "value":
        value_is_read(vector)
    else:
        frame_is_read(vector)
        if not vector.get("read_only"):
            assert frame_is_written(vector).hex() == vector["hex"], "it is written in another way"


def main(file: str) -> None:
    with open(file, encoding="utf-8") as opened:
        vectors = json.load(opened)
    problems = []
    for vector in vectors:
        try:
            check(vector)
        except (AssertionError, Malformed, ValueError, KeyError) as error:
            problems.append(f"{vector['name']}: {type(error).__name__}: {error}")
    if problems:
        sys.exit("\n".join(problems))
    print(f"{len(vectors)} vectors")


if __name__ == "__main__":
    main(sys.argv[1])
