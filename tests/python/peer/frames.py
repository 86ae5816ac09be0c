"""Frames: what is written, and what is read, in each direction."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any, List, NamedTuple, Optional, Tuple

from .codec import Fields, Malformed, Version, encode, written

PROTOCOL = 1
_PREFIX = struct.Struct(">BBHQ")
_MOST_WINDOW = 268435456
_MOST_METADATA = 16384
_MOST_KEYS = 128


class Kind(IntEnum):
    """What a frame is."""

    HELLO = 1
    ANNOUNCE = 2
    CALL = 3
    CAST = 4
    MULTICALL = 5
    REPLY = 6
    FAIL = 7
    ACCEPT = 8
    ITEMS = 9
    END = 10
    CREDIT = 11
    CANCEL = 12
    UNSUPPORTED = 13
    SEEN = 14
    RUNNING = 15


REQUESTS = frozenset({Kind.CALL, Kind.CAST, Kind.MULTICALL})
TO_INSTANCE = REQUESTS | {Kind.HELLO, Kind.CREDIT, Kind.CANCEL, Kind.SEEN}


class Frame(NamedTuple):
    """A frame whose header is not read yet. `kind` is a number, since it may be one that is not known."""

    protocol: int
    kind: int
    id: int
    header: bytes
    body: bytes

    @classmethod
    def read(cls, data: bytes) -> Frame:
        if len(data) < _PREFIX.size:
            raise Malformed("less than 12 bytes")
        protocol, kind, length, id = _PREFIX.unpack_from(data)
        begin = _PREFIX.size + length
        if begin > len(data):
            raise Malformed("it ends within its header")
        return cls(protocol, kind, id, data[_PREFIX.size : begin], data[begin:])

    def write(self) -> bytes:
        """As it is sent, whatever it says."""
        return _PREFIX.pack(self.protocol, self.kind, len(self.header), self.id) + self.header + self.body

    def fields(self, known: int) -> Fields:
        return Fields(self.header, 0, known)


def frame(kind: Kind, id: int = 0, fields: Optional[List[Any]] = None, body: bytes = b"") -> bytes:
    """A frame as it is sent."""
    header = b"" if fields is None else encode(fields)
    if len(header) > 0xFFFF:
        raise ValueError("the header is longer than 65535 bytes")
    return Frame(PROTOCOL, kind, id, header, body).write()


class Credit(NamedTuple):
    """How much more of a stream may be sent."""

    items: int
    size: int

    @classmethod
    def read(cls, frame: Frame) -> Credit:
        fields = frame.fields(2)
        return cls(fields.uint(), fields.uint())

    def write(self, id: int) -> bytes:
        return frame(Kind.CREDIT, id, list(self))


class Range(NamedTuple):
    """The versions of the protocol that a peer speaks."""

    lowest: int
    highest: int

    @classmethod
    def read(cls, frame: Frame) -> Range:
        """That of a HELLO."""
        fields = frame.fields(2)
        return cls(fields.uint(), fields.uint())

    def hello(self) -> bytes:
        return frame(Kind.HELLO, fields=list(self))


@dataclass(frozen=True)
class Api:
    """An API that a server announces."""

    name: str
    namespace: Optional[str]
    version: Version

    def serves(self, namespace: Optional[str], version: Version) -> bool:
        return self.namespace == namespace and self.version[0] == version[0] and self.version[1:] >= version[1:]


@dataclass(frozen=True)
class Service:
    """A server as it is announced."""

    exchange: str
    topic: str
    server: str
    draining: bool
    apis: Tuple[Api, ...]

    def _fields(self) -> List[Any]:
        apis = [[api.name, api.namespace, written(api.version)] for api in self.apis]
        return [self.exchange, self.topic, self.server, self.draining, apis]


@dataclass(frozen=True)
class Announcement:
    """Who an instance is, what a client may send, and which servers there are."""

    protocols: Range
    instance: bytes
    address: str
    window: Credit
    services: Tuple[Service, ...]
    serial: Optional[int]
    heartbeats: bool = False

    def write(self) -> bytes:
        fields = [*self.protocols, self.instance, self.address, *self.window]
        fields += [self.serial, True] if self.heartbeats else [] if self.serial is None else [self.serial]
        body = encode([service._fields() for service in self.services])
        return frame(Kind.ANNOUNCE, fields=fields, body=body)

    @classmethod
    def read(cls, frame: Frame) -> Announcement:
        fields = frame.fields(6)
        protocols = Range(fields.uint(), fields.uint())
        instance, address = fields.bytes(), fields.text()
        if len(instance) != 16:
            raise Malformed("the instance id has 16 bytes")
        window = Credit(min(fields.uint(), _MOST_WINDOW), min(fields.uint(), _MOST_WINDOW))
        serial = fields.optional_uint() if fields.more() else None
        heartbeats = fields.boolean() if fields.more() else False
        services = Fields(frame.body, 0, 0)
        read = []
        while services.more():
            service = services.array(5)
            exchange, topic, server = service.text(), service.text(), service.text()
            draining, apis, known = service.boolean(), service.array(0), []
            while apis.more():
                api = apis.array(3)
                known.append(Api(api.text(), api.optional_text(), api.version()))
            read.append(Service(exchange, topic, server, draining, tuple(known)))
        return cls(protocols, instance, address, window, tuple(read), serial, heartbeats)


@dataclass(frozen=True)
class Request:
    """The header of CALL, CAST and MULTICALL. `remaining` and `monitor` are in microseconds."""

    exchange: str
    topic: str
    server: str
    namespace: Optional[str]
    version: Version
    built: Version
    method: str
    remaining: Optional[int] = None
    metadata: dict[str, str] = field(default_factory=dict)
    credit: Optional[Credit] = None
    request_id: Optional[bytes] = None
    monitor: Optional[int] = None

    def write(self, kind: Kind, id: int, body: bytes) -> bytes:
        credit = None if self.credit is None else list(self.credit)
        fields = [self.exchange, self.topic, self.server, self.namespace, written(self.version), written(self.built)]
        last = [self.request_id, self.monitor]
        while last and last[-1] is None:
            last.pop()
        return frame(kind, id, [*fields, self.method, self.remaining, self.metadata, credit, *last], body)

    @classmethod
    def read(cls, frame: Frame) -> Request:
        fields = frame.fields(10)
        names = fields.text(), fields.text(), fields.text(), fields.optional_text()
        request = cls(*names, fields.version(), fields.version(), fields.text(), fields.optional_uint(), fields.text_map())
        size = sum(len(text.encode()) for pair in request.metadata.items() for text in pair)
        if len(request.metadata) > _MOST_KEYS or size > _MOST_METADATA:
            raise Malformed("more metadata than may be")
        credit = fields.optional_array(2)
        if credit is not None:
            request = replace(request, credit=Credit(credit.uint(), credit.uint()))
        request_id = fields.optional_bytes() if fields.more() else None
        if request_id is not None and len(request_id) != 16:
            raise Malformed("a request's id has 16 bytes")
        monitor = fields.optional_uint() if fields.more() else None
        return replace(request, request_id=request_id, monitor=monitor)


class Failure(NamedTuple):
    """The header of FAIL."""

    kind: str
    message: str
    traceback: Optional[str] = None

    @classmethod
    def read(cls, frame: Frame) -> Failure:
        fields = frame.fields(2)
        kind, message = fields.text(), fields.text()
        return cls(kind, message, fields.optional_text() if fields.more() else None)

    def write(self, id: int, body: bytes = b"") -> bytes:
        fields = [self.kind, self.message] if self.traceback is None else list(self)
        return frame(Kind.FAIL, id, fields, body)


@dataclass(frozen=True)
class Items:
    """The header of ITEMS."""

    first: int
    count: int

    @classmethod
    def read(cls, frame: Frame) -> Items:
        fields = frame.fields(2)
        return cls(fields.uint(), fields.uint())

    def write(self, id: int, body: bytes) -> bytes:
        return frame(Kind.ITEMS, id, [self.first, self.count], body)


_MOST_LISTED = 1024


def running(ids: List[int]) -> List[bytes]:
    """RUNNING, in as many frames as it takes."""
    parts = [ids[at : at + _MOST_LISTED] for at in range(0, len(ids), _MOST_LISTED)]
    return [frame(Kind.RUNNING, body=encode(part)) for part in parts]


def listed(frame: Frame) -> List[int]:
    """The ids that a RUNNING lists."""
    ids, read = Fields(frame.body, 0, 0), []
    while ids.more():
        read.append(ids.uint())
    return read


def number(frame: Frame) -> int:
    """The one field of END, SEEN and UNSUPPORTED."""
    return frame.fields(1).uint()
