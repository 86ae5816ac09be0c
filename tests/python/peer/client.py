"""The client: links to instances, and which server a message goes to."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, AsyncIterator, Callable, Dict, List, Optional, Tuple

import zmq
import zmq.asyncio
from zmq.utils.monitor import recv_monitor_message

from .codec import Malformed, decode, decode_many, encode
from .frames import PROTOCOL, Announcement, Credit, Failure, Frame, Items, Kind, Range, Request, Service, frame, listed, number
from .keys import Secure, in_the_clear

FIRST_CREDIT = Credit(128, 262144)


class Failed(Exception):
    """A request that failed: its kind, a text for people, and of kind `Method` the method's own error."""

    def __init__(self, kind: str, message: str = "", error: Any = None) -> None:
        super().__init__(f"{kind}: {message}" if message else f"{kind}: {error!r}")
        self.kind, self.message, self.error = kind, message, error


class _Pending:
    """A request that waits for answers. They are handed on one by one; None after the last."""

    def __init__(self, kind: Kind, size: int) -> None:
        self.kind, self.size = kind, size
        self.answers: asyncio.Queue[Any] = asyncio.Queue()
        self.credit = FIRST_CREDIT
        self.accepted = False
        self.items = 0
        self.heard = asyncio.Event()
        """Set when a heartbeat has listed it."""

    def fail(self, kind: str, message: str) -> None:
        self.answers.put_nowait(Failed(kind, message))


class Link:
    """One connection to an instance. What ends with it fails as `PeerLost`."""

    def __init__(self, context: zmq.asyncio.Context, address: str, secure: Secure = in_the_clear) -> None:
        self.address, self.secure = address, secure
        self.announcement: Optional[Announcement] = None
        self.counted = 0
        """How many frames broke a rule."""
        self.lost = False
        self.changed = asyncio.Event()
        """Set, and replaced, whenever there is a new announcement, a free place in the window, or an end."""
        self._socket = context.socket(zmq.DEALER)
        self._socket.setsockopt(zmq.LINGER, 0)
        self._socket.setsockopt(zmq.SNDHWM, 0)
        self._socket.setsockopt(zmq.RECONNECT_IVL, -1)
        secure(self._socket)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED)
        self._pending: Dict[int, _Pending] = {}
        self._last_id = 0
        self._socket.connect(address)
        self._tasks = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._watch())]

    async def ready(self) -> Announcement:
        """Waits for the first announcement."""
        await self._until(lambda: self.announcement is not None or self.lost)
        if self.announcement is None:
            raise Failed("Unavailable", f"{self.address} announced nothing")
        return self.announcement

    async def close(self) -> None:
        self._end()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def servers(self, topic: str, exchange: str = "") -> List[Service]:
        """Those of a topic, also those that drain."""
        services = () if self.announcement is None or self.lost else self.announcement.services
        return [service for service in services if (service.exchange, service.topic) == (exchange, topic)]

    # What is asked for.

    async def call(self, request: Request, arguments: Dict[str, Any], timeout: Optional[float] = None) -> Any:
        """The value that the method returned. `monitor` of the request is for how many microseconds it waits without a heartbeat,
        if the instance sends any."""
        return await self._answer(Kind.CALL, request, arguments, timeout)

    async def cast(self, request: Request, arguments: Dict[str, Any], timeout: Optional[float] = None) -> None:
        """Returns when the server has accepted it."""
        await self._answer(Kind.CAST, request, arguments, timeout)

    async def multicall(
        self, request: Request, arguments: Dict[str, Any], timeout: Optional[float] = None
    ) -> AsyncIterator[Tuple[int, Any]]:
        """The items, numbered from 0. Closing it early cancels it."""
        ends = Deadline(timeout)
        id, pending = await self._send(Kind.MULTICALL, request, arguments, ends)
        taken = Credit(0, 0)
        try:
            while True:
                answer = await self._next(pending, ends)
                if answer is None:
                    return
                number, item, size = answer
                yield number, item
                taken = Credit(taken.items + 1, taken.size + size)
                if 2 * taken.items >= FIRST_CREDIT.items or 2 * taken.size >= FIRST_CREDIT.size:
                    pending.credit = Credit(pending.credit.items + taken.items, pending.credit.size + taken.size)
                    if id in self._pending:
                        await self._write(taken.write(id))
                    taken = Credit(0, 0)
        finally:
            await self._give_up(id)

    # How it is done.

    async def _answer(self, kind: Kind, request: Request, arguments: Dict[str, Any], timeout: Optional[float]) -> Any:
        ends = Deadline(timeout)
        id, pending = await self._send(kind, request, arguments, ends)
        answer = asyncio.ensure_future(self._next(pending, ends))
        try:
            if kind is Kind.CALL and request.monitor is not None and self._beats():
                await self._monitor_call(answer, pending, request.monitor / 1_000_000)
            return await answer
        finally:
            answer.cancel()
            await self._give_up(id)

    async def _monitor_call(self, answer: "asyncio.Future[Any]", pending: _Pending, most: float) -> None:
        """Until the answer is there; fails when nothing is heard for so many seconds."""
        while not answer.done():
            pending.heard.clear()
            heard = asyncio.ensure_future(pending.heard.wait())
            done, _ = await asyncio.wait({answer, heard}, timeout=most, return_when=asyncio.FIRST_COMPLETED)
            heard.cancel()
            if not done:
                raise Failed("Timeout", "no heartbeat came in time")

    def _beats(self) -> bool:
        return self.announcement is not None and self.announcement.heartbeats

    async def _send(
        self, kind: Kind, request: Request, arguments: Dict[str, Any], ends: Deadline
    ) -> Tuple[int, _Pending]:
        body = encode(arguments)
        while not self._has_place(len(body)) and not self.lost:
            await ends.within(self.changed.wait())
        if self.lost:
            raise Failed("Unavailable", "the link is lost; nothing was sent")
        self._last_id += 1
        id, pending = self._last_id, _Pending(kind, len(body))
        self._pending[id] = pending
        credit = FIRST_CREDIT if kind is Kind.MULTICALL else None
        left = ends.left()
        remaining = None if left is None else max(0, int(left * 1_000_000))
        monitor = request.monitor if kind is Kind.CALL and self._beats() else None
        stamped = replace(request, remaining=remaining, credit=credit, monitor=monitor)
        await self._write(stamped.write(kind, id, body))
        return id, pending

    async def _next(self, pending: _Pending, ends: Deadline) -> Any:
        answer = await ends.within(pending.answers.get())
        if isinstance(answer, Failed):
            raise answer
        return answer

    async def _give_up(self, id: int) -> None:
        """Says that nobody waits any more, unless the last answer is there."""
        if self._done(id) and not self.lost:
            await self._write(frame(Kind.CANCEL, id))

    def _done(self, id: int) -> bool:
        was_there = self._pending.pop(id, None) is not None
        self._notify()
        return was_there

    def _has_place(self, size: int) -> bool:
        if self.announcement is None:
            return False
        window = self.announcement.window
        held = sum(min(pending.size, window.size) for pending in self._pending.values())
        return len(self._pending) < window.items and held + min(size, window.size) <= window.size

    async def _write(self, data: bytes) -> None:
        await self._socket.send(data)

    def _notify(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            await self.changed.wait()

    def _end(self) -> None:
        if self.lost:
            return
        self.lost = True
        for pending in self._pending.values():
            pending.fail("PeerLost", "the connection ended; it may have run")
        self._pending.clear()
        self._notify()
        for task in self._tasks:
            task.cancel()
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(0)

    async def _watch(self) -> None:
        await recv_monitor_message(self._monitor)
        self._end()

    async def _read(self) -> None:
        await self._write(Range(PROTOCOL, PROTOCOL).hello())
        while not self.lost:
            for part in await self._socket.recv_multipart():
                try:
                    await self._take(Frame.read(part))
                except Malformed:
                    self.counted += 1

    async def _take(self, read: Frame) -> None:
        if read.protocol != PROTOCOL:
            raise Malformed("another version of the protocol")
        if read.kind == Kind.ANNOUNCE:
            await self._announced(Announcement.read(read))
        elif read.kind == Kind.RUNNING:
            for id in listed(read):
                if id in self._pending:
                    self._pending[id].heard.set()
        elif read.kind in _ANSWERS:
            pending = self._pending.get(read.id)
            if pending is not None:
                await self._answered(read, pending)
            elif not 0 < read.id <= self._last_id:
                raise Malformed("an answer to a request that was never sent")
        else:
            raise Malformed("nothing for a client")

    async def _announced(self, announcement: Announcement) -> None:
        if not announcement.protocols.lowest <= PROTOCOL <= announcement.protocols.highest:
            self._end()
            return
        self.announcement = announcement
        self._notify()
        if announcement.serial is not None:
            await self._write(frame(Kind.SEEN, fields=[announcement.serial]))

    async def _answered(self, read: Frame, pending: _Pending) -> None:
        try:
            if read.kind == Kind.ITEMS:
                self._items(read, pending)
            elif read.kind == Kind.ACCEPT and pending.kind is Kind.MULTICALL and not pending.accepted:
                pending.accepted = True
            else:
                pending.answers.put_nowait(_last(read, pending))
                self._done(read.id)
        except Malformed as problem:
            pending.fail("DecodeReply", str(problem))
            await self._give_up(read.id)
            raise

    def _items(self, read: Frame, pending: _Pending) -> None:
        items, credit = Items.read(read), pending.credit
        if not pending.accepted:
            raise Malformed("items before ACCEPT, or for no multicall")
        if items.first != pending.items or items.count == 0:
            raise Malformed("a gap or a repeat")
        if credit.items < items.count or credit.size <= 0:
            raise Malformed("more than was allowed")
        for value, size in decode_many(read.body, items.count):
            pending.answers.put_nowait((pending.items, value, size))
            pending.items += 1
        pending.credit = Credit(credit.items - items.count, credit.size - len(read.body))


_ANSWERS = frozenset({Kind.REPLY, Kind.FAIL, Kind.ACCEPT, Kind.ITEMS, Kind.END, Kind.UNSUPPORTED})


def _last(read: Frame, pending: _Pending) -> Any:
    """What the last answer to a request says: a value, None, or a failure."""
    before_accept = pending.kind is not Kind.CALL and not pending.accepted
    if read.kind == Kind.FAIL:
        failure = Failure.read(read)
        if failure.kind != "Method":
            return Failed(failure.kind, failure.message)
        if not before_accept:
            return Failed("Method", error=decode(read.body))
    elif read.kind == Kind.UNSUPPORTED and not pending.accepted:
        return Failed("UnsupportedVersion", f"frames of kind {number(read)} are not known")
    elif (pending.kind, read.kind) == (Kind.CALL, Kind.REPLY):
        return decode(read.body)
    elif (pending.kind, read.kind) == (Kind.CAST, Kind.ACCEPT):
        return None
    elif (pending.kind, read.kind) == (Kind.MULTICALL, Kind.END) and not before_accept:
        if number(read) == pending.items:
            return None
        raise Malformed("the end counts other items than there were")
    raise Malformed("an answer of another kind, or at the wrong time")


class Deadline:
    """When a request ends; None: never."""

    def __init__(self, timeout: Optional[float]) -> None:
        self._at = None if timeout is None else asyncio.get_running_loop().time() + timeout

    def left(self) -> Optional[float]:
        return None if self._at is None else self._at - asyncio.get_running_loop().time()

    async def within(self, waits: Any) -> Any:
        try:
            return await asyncio.wait_for(waits, self.left())
        except asyncio.TimeoutError as error:
            raise Failed("Timeout", "the deadline passed") from error
