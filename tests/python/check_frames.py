"""What an instance answers to frames, one by one: `check_frames.py ADDRESS FILE`. FILE is docs/wire-vectors.json.

The instance serves `service` as `node-1`, and announces a window of two requests.
"""

from __future__ import annotations

import json
import sys
from typing import Any, List, Optional, Tuple

import zmq

from peer.codec import decode, encode
from peer.frames import Announcement, Credit, Failure, Frame, Items, Kind, Range, Request, frame, number

Answer = Tuple[int, int, Any]
"""Kind, id, and the kind of a FAIL or the value of a REPLY."""


class Link:
    """A connection that says only what it is told to say."""

    def __init__(self, context: zmq.Context[Any], address: str) -> None:
        self._socket = context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.RCVTIMEO, 20_000)
        self._socket.connect(address)
        self._parts: List[bytes] = []
        self.id = 0

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: Any) -> None:
        self._socket.close(0)

    def send(self, *frames: bytes) -> None:
        self._socket.send_multipart(list(frames))

    def receive(self) -> Frame:
        """The next frame but announcements, which may come at any time."""
        while True:
            read = self._next()
            if read.kind != Kind.ANNOUNCE:
                return read

    def _next(self) -> Frame:
        while not self._parts:
            self._parts = self._socket.recv_multipart()
        return Frame.read(self._parts.pop(0))

    def answer(self) -> Answer:
        read = self.receive()
        value: Any = None
        if read.kind == Kind.FAIL:
            value = Failure.read(read).kind
        elif read.kind == Kind.REPLY:
            value = decode(read.body)
        elif read.kind == Kind.UNSUPPORTED:
            value = number(read)
        return read.kind, read.id, value

    def greet(self, lowest: int = 1, highest: int = 1) -> Announcement:
        self.send(Range(lowest, highest).hello())
        return Announcement.read(self._next())

    def request(self, method: str, kind: Kind = Kind.CALL, id: Optional[int] = None, credit: Any = None, **arguments: Any) -> bytes:
        self.id = self.id + 1 if id is None else id
        request = Request("", "interop", "node-1", None, (1, 0, 0), (1, 0, 0), method, credit=credit)
        return request.write(kind, self.id, encode(arguments))

    def works(self) -> None:
        """The next answer is that of a good call: nothing else was answered before."""
        self.send(self.request("add", a=self.id, b=1))
        assert self.answer() == (Kind.REPLY, self.id, self.id)


class Stream:
    """A multicall, accepted; it checks that its items are numbered without a gap."""

    def __init__(self, link: Link, method: str, credit: Optional[Credit], **arguments: Any) -> None:
        link.send(link.request(method, Kind.MULTICALL, credit=credit, **arguments))
        self._link, self.id, self.items = link, link.id, 0
        assert link.answer() == (Kind.ACCEPT, self.id, None)

    def take(self, until: int) -> None:
        """Takes frames until so many items have come; they must not bring more."""
        while self.items < until:
            read = self._link.receive()
            assert (read.kind, read.id) == (Kind.ITEMS, self.id), read
            header = Items.read(read)
            assert header.first == self.items and header.count > 0, header
            self.items += header.count
        assert self.items == until

    def ends(self) -> None:
        read = self._link.receive()
        assert (read.kind, read.id, number(read)) == (Kind.END, self.id, self.items)


def bad_frames(context: zmq.Context[Any], address: str, file: str) -> None:
    """Each vector of what an instance must bear, on a link of its own, has its answer, and the link works."""
    with open(file, encoding="utf-8") as opened:
        vectors = [vector for vector in json.load(opened) if vector.get("of") == "frame to a server"]
    assert vectors
    for vector in vectors:
        data, wanted = bytes.fromhex(vector["hex"]), vector["answer"]
        with Link(context, address) as link:
            link.greet()
            link.send(data)
            if wanted is not None:
                kind, id, value = link.answer()
                assert (kind, id) == (Kind[wanted["kind"]], Frame.read(data).id), vector["name"]
                assert value == wanted.get("fail_kind", wanted.get("unsupported_kind")), vector["name"]
            link.id = 1000
            link.works()


def arguments(link: Link, file: str) -> None:
    """Each vector of bad arguments is answered, and the link works."""
    with open(file, encoding="utf-8") as opened:
        vectors = [vector for vector in json.load(opened) if vector.get("of") == "arguments"]
    request = Request("", "interop", "node-1", None, (1, 0, 0), (1, 0, 0), "add")
    for vector in vectors:
        link.id += 1
        link.send(request.write(Kind.CALL, link.id, bytes.fromhex(vector["hex"])))
        assert link.answer() == (Kind.FAIL, link.id, "DecodeArguments"), vector["name"]
        link.works()


def ids(link: Link) -> None:
    link.send(link.request("add", id=50, a=1, b=1), link.request("add", id=50, a=2, b=2), link.request("add", id=49, a=3, b=3))
    link.id = 50
    assert link.answer() == (Kind.REPLY, 50, 2)
    link.works()


def several_in_one_message(link: Link) -> None:
    link.send(link.request("add", a=1, b=1), b"", link.request("add", a=2, b=2))
    answers = sorted(link.answer() for _ in range(2))
    assert answers == [(Kind.REPLY, link.id - 1, 2), (Kind.REPLY, link.id, 4)], answers


def greetings(link: Link, announced: Announcement) -> None:
    assert link.greet() == announced, "an answer to HELLO that says nothing new has the same serial"
    assert link.greet(2, 9).protocols.lowest == 1
    link.send(frame(Kind.SEEN, fields=[announced.serial]), frame(Kind.SEEN, fields=[2**64 - 1]))
    link.works()


def nonsense(link: Link) -> None:
    """Bytes of no sense: those of which a prefix can be read are of no known version."""
    link.send(*(bytes([byte]) * 40 for byte in range(256)))
    assert link.answer() == (Kind.UNSUPPORTED, 0, 0)
    link.works()


def full_window(link: Link) -> None:
    link.send(link.request("wait", name="1"), link.request("wait", name="2"), link.request("add", a=1, b=1))
    assert link.answer() == (Kind.FAIL, link.id, "Overloaded")
    link.send(frame(Kind.CANCEL, link.id - 1), frame(Kind.CANCEL, link.id - 2), frame(Kind.CANCEL, link.id + 100))
    link.works()


def no_deadline_is_no_time(link: Link) -> None:
    link.id += 1
    late = Request("", "interop", "node-1", None, (1, 0, 0), (1, 0, 0), "add", remaining=0)
    link.send(late.write(Kind.CALL, link.id, encode({"a": 1, "b": 1})))
    assert link.answer() == (Kind.FAIL, link.id, "Timeout")


def a_cast_is_accepted_whatever_its_arguments(link: Link) -> None:
    link.send(link.request("note", Kind.CAST, wrong=1))
    assert link.answer() == (Kind.ACCEPT, link.id, None)
    link.works()


def credit_is_kept(link: Link) -> None:
    """A stream gets what it was given and no more, but for the item that goes beyond the bytes."""
    stream = Stream(link, "count", Credit(3, 1000), to=8, together=8)
    stream.take(3)
    link.works()
    link.send(Credit(1000, 0).write(stream.id), Credit(0, 0).write(stream.id))
    stream.take(8)
    stream.ends()

    stream = Stream(link, "blobs", Credit(10, 1), size=5000, items=2)
    stream.take(1)
    link.works()
    link.send(Credit(0, 5002).write(stream.id))  # the counter was 1 - 5003, and is 0 now, which is not above 0
    link.works()
    link.send(Credit(0, 1).write(stream.id))
    stream.take(2)
    link.send(Credit(0, 5003).write(stream.id))  # the end may be looked for only when another item could be sent
    stream.ends()

    stream = Stream(link, "count", None, to=8, together=8)
    link.works()  # without credit nothing comes
    link.send(frame(Kind.CANCEL, stream.id))
    link.works()


def main(address: str, file: str) -> None:
    with zmq.Context() as context:
        with Link(context, address) as link:
            announced = link.greet()
            assert announced.window.items == 2 and len(announced.services) == 1
            greetings(link, announced)
            for rule in (ids, several_in_one_message, nonsense, full_window, no_deadline_is_no_time):
                rule(link)
            a_cast_is_accepted_whatever_its_arguments(link)
            credit_is_kept(link)
            arguments(link, file)
        bad_frames(context, address, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
