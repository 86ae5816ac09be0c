"""The server: an instance that takes requests in, runs them, and answers."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Set

import zmq
import zmq.asyncio
from zmq.utils.monitor import recv_monitor_message

from .api import Implementation, Method
from .codec import Malformed, encode, skip
from .frames import PROTOCOL, REQUESTS, TO_INSTANCE, Announcement, Credit, Failure, Frame, Items, Kind, Range, Request, Service, frame, number, running
from .keys import Secure, in_the_clear

MOST_CREDIT = Credit(1024, 4194304)
PROBES = (0.0, 0.05, 0.5)
"""Seconds after the end of some connection at which it is looked for whose it was."""
SHORTEST_BEAT = 0.05
"""Seconds between heartbeats on one link, at least."""


class MethodError(Exception):
    """A method's own error: the value is sent to the caller."""

    def __init__(self, value: Any) -> None:
        super().__init__(repr(value))
        self.value = value


class Together(List[Any]):
    """Items that a stream yields at once, to be sent in as few frames as the credit allows."""


class Refusal(Exception):
    """A failure of the framework."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


@dataclass
class Context:
    """What a handler is told besides its arguments."""

    instance: "Instance"
    server: "Server"
    client: "_Client"
    id: int
    request: Request
    ends: Optional[float]

    def remaining(self) -> Optional[int]:
        """The microseconds that are left."""
        return None if self.ends is None else max(0, int((self.ends - time.monotonic()) * 1_000_000))

    def answer_raw(self, data: bytes) -> None:
        """Sends any bytes to the client, for what no server sends."""
        self.instance.send(self.client, data)


@dataclass
class Server:
    """One server of an instance."""

    topic: str
    name: str
    apis: List[Implementation]
    exchange: str = ""
    draining: bool = False

    @property
    def announced(self) -> Service:
        return Service(self.exchange, self.topic, self.name, self.draining, tuple(api.announced for api in self.apis))

    def method(self, request: Request, kind: int) -> Method:
        """The method that the request is for, or why there is none."""
        serving = [api for api in self.apis if api.announced.serves(request.namespace, request.version)]
        if not serving:
            raise Refusal("UnsupportedVersion", f"{request.namespace!r} {request.version} is not served")
        for api in serving:
            method = api.methods.get(request.method)
            if method is not None and method.taken_as(kind):
                return method
        raise Refusal("NoSuchMethod", f"no method `{request.method}` of this kind")


@dataclass
class _Client:
    """One link, from the side of the instance."""

    identity: bytes
    greeted: bool = False
    highest_id: int = 0
    seen: int = 0
    running: Dict[int, "_Running"] = field(default_factory=dict)
    beating: Optional["asyncio.Future[None]"] = None
    next_beat: float = 0.0

    def monitored(self) -> Dict[int, float]:
        """Requests that asked for heartbeats, and how many seconds there may be between these."""
        return {id: running.beat for id, running in self.running.items() if running.beat is not None}


class _Running:
    """A call or a stream that was accepted. `more` is set when a stream may have got credit."""

    def __init__(self, stream: bool, credit: Optional[Credit], monitor: Optional[int] = None) -> None:
        self.task: Optional[asyncio.Future[None]] = None
        self.stream = stream
        self.beat = None if monitor is None or stream else max(SHORTEST_BEAT, monitor / 2_000_000)
        self.credit = credit or Credit(0, 0)
        self.more = asyncio.Event()

    def add(self, credit: Credit) -> None:
        most = MOST_CREDIT
        self.credit = Credit(min(self.credit.items + credit.items, most.items), min(self.credit.size + credit.size, most.size))
        self.more.set()

    async def may_send(self) -> None:
        while self.credit.items <= 0 or self.credit.size <= 0:
            self.more.clear()
            await self.more.wait()


class Instance:
    """Listens on one address; `address` is known at once."""

    def __init__(
        self,
        context: zmq.asyncio.Context,
        servers: List[Server],
        window: Credit = Credit(1024, 67108864),
        protocols: Range = Range(PROTOCOL, PROTOCOL),
        secure: Secure = in_the_clear,
        heartbeats: bool = True,
    ) -> None:
        self.servers, self.window, self.protocols, self.heartbeats = servers, window, protocols, heartbeats
        self.beats = heartbeats
        """Whether it sends the heartbeats that it announces."""
        self.counted = 0
        """How many frames broke a rule."""
        self.changed = asyncio.Event()
        """Set, and replaced, when a client has seen an announcement or is gone."""
        self._id, self._serial = os.urandom(16), 1
        self._clients: Dict[bytes, _Client] = {}
        self._casts: Set[asyncio.Future[None]] = set()
        self._socket = context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 1000)
        self._socket.setsockopt(zmq.SNDHWM, 0)
        self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        secure(self._socket)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self._socket.bind("tcp://127.0.0.1:*")
        self.address: str = self._socket.getsockopt_string(zmq.LAST_ENDPOINT)

    async def serve(self) -> None:
        """Until it is cancelled."""
        watching = asyncio.ensure_future(self._watch())
        try:
            while True:
                identity, *parts = await self._socket.recv_multipart()
                client = self._clients.setdefault(identity, _Client(identity))
                for part in parts:
                    try:
                        self._take(client, Frame.read(part))
                    except Malformed:
                        self.counted += 1
        finally:
            watching.cancel()
            self._socket.disable_monitor()
            self._monitor.close(0)
            self._socket.close()

    def announce(self) -> None:
        """Tells every client what the servers are now."""
        self._serial += 1
        self._tell_all()

    async def stop(self) -> None:
        """Ends all servers, as one that others may rely on: what came before the clients knew is answered."""
        self.servers.clear()
        self.announce()
        serial = self._serial
        try:
            await asyncio.wait_for(self._seen_by_all(serial), 1.0)
        except asyncio.TimeoutError:
            pass
        running = [run.task for client in self._clients.values() for run in client.running.values() if run.task]
        await asyncio.gather(*running, *self._casts, return_exceptions=True)

    def send(self, client: _Client, data: bytes) -> None:
        """Never waits, since the socket has no high-water mark; a client that is gone is forgotten."""
        sent = asyncio.ensure_future(self._socket.send_multipart([client.identity, data]))
        if sent.done() and sent.exception() is not None:
            self._gone(client)

    # What comes.

    def _take(self, client: _Client, read: Frame) -> None:
        if read.kind == Kind.UNSUPPORTED:
            raise Malformed("never sent by a client, and never answered")
        if read.protocol != PROTOCOL or read.kind not in set(Kind):
            self.send(client, frame(Kind.UNSUPPORTED, read.id, [read.kind]))
        elif read.kind == Kind.HELLO:
            Range.read(read)
            client.greeted = True
            self.send(client, self._announcement())
        elif read.kind not in TO_INSTANCE:
            raise Malformed("nothing for an instance")
        elif read.kind in REQUESTS:
            self._request(client, read)
        elif read.kind == Kind.SEEN:
            client.seen = number(read)
            self._notify()
        elif read.kind == Kind.CREDIT:
            credit, running = Credit.read(read), client.running.get(read.id)
            if running is not None:
                running.add(credit)
        else:
            running = client.running.pop(read.id, None)
            if running is not None and running.task is not None:
                running.task.cancel()

    def _request(self, client: _Client, read: Frame) -> None:
        if read.id <= client.highest_id:
            raise Malformed("the id is not higher than all before")
        client.highest_id = read.id
        arrived = time.monotonic()
        try:
            if len(client.running) >= self.window.items:
                raise Refusal("Overloaded", "the window is full")
            try:
                request = Request.read(read)
            except Malformed as problem:
                raise Refusal("DecodeArguments", f"the header: {problem}") from problem
            server = self._server(request)
            method = server.method(request, read.kind)
            if server.draining:
                raise Refusal("Unavailable", "it is draining")
        except Refusal as refusal:
            if refusal.kind in ("Overloaded", "DecodeArguments"):
                self.counted += 1
            self.send(client, Failure(refusal.kind, refusal.message).write(read.id))
            return
        ends = None if request.remaining is None else arrived + request.remaining / 1_000_000
        context = Context(self, server, client, read.id, request, ends)
        if read.kind != Kind.CALL:
            self.send(client, frame(Kind.ACCEPT, read.id))
        if read.kind == Kind.CAST:
            cast = asyncio.ensure_future(self._cast(context, method, read.body))
            self._casts.add(cast)
            cast.add_done_callback(self._casts.discard)
            return
        running = _Running(read.kind == Kind.MULTICALL, request.credit, request.monitor if self.beats else None)
        client.running[read.id] = running
        if running.beat is not None:
            self._beat_soon(client, running.beat)
        running.task = asyncio.ensure_future(self._answer(context, method, read.body, running))

    def _server(self, request: Request) -> Server:
        for server in self.servers:
            if (server.exchange, server.topic, server.name) == (request.exchange, request.topic, request.server):
                return server
        raise Refusal("Unavailable", "there is no such server")

    # What runs.

    async def _cast(self, context: Context, method: Method, body: bytes) -> None:
        try:
            await method.run(context, **method.decode(context.request.version, body))
        except Exception:  # nobody is told; that it happened is counted
            self.counted += 1

    async def _answer(self, context: Context, method: Method, body: bytes, running: _Running) -> None:
        """Runs to the last answer, or says why there is none."""
        client, id = context.client, context.id
        try:
            if context.remaining() == 0:
                raise Refusal("Timeout", "the deadline passed before it ran")
            run = self._stream if running.stream else self._call
            last = await run(context, method, body, running)
        except MethodError as error:
            last = Failure("Method", "").write(id, encode(error.value))
        except Malformed as problem:
            last = Failure("DecodeArguments", str(problem)).write(id)
        except Refusal as refusal:
            last = Failure(refusal.kind, refusal.message).write(id)
        except asyncio.CancelledError:
            if client.running.get(id) is not running:
                raise  # by the client, who does not want an answer
            last = Failure("Cancelled", "the handler was cancelled").write(id)
        except Exception as error:
            last = Failure("Remote", f"the handler failed: {type(error).__name__}").write(id)
        if client.running.pop(id, None) is running:
            self.send(client, last)

    async def _call(self, context: Context, method: Method, body: bytes, _: _Running) -> bytes:
        value = await method.run(context, **method.decode(context.request.version, body))
        return frame(Kind.REPLY, context.id, body=_checked(value))

    async def _stream(self, context: Context, method: Method, body: bytes, running: _Running) -> bytes:
        items = method.run(context, **method.decode(context.request.version, body))
        sent = 0
        try:
            async for item in items:
                waiting = deque(_checked(value) for value in (item if isinstance(item, Together) else [item]))
                while waiting:
                    await running.may_send()
                    body, count = b"", 0
                    while waiting and count < running.credit.items and len(body) < running.credit.size:
                        body, count = body + waiting.popleft(), count + 1
                    running.credit = Credit(running.credit.items - count, running.credit.size - len(body))
                    self.send(context.client, Items(sent, count).write(context.id, body))
                    sent += count
                    await asyncio.sleep(0)  # or a stream that is always ready would let nothing else run
        finally:
            await items.aclose()
        return frame(Kind.END, context.id, [sent])

    # Heartbeats.

    def _beat_soon(self, client: _Client, beat: float) -> None:
        """The next heartbeat of the link is after this many seconds at most."""
        next_beat = time.monotonic() + beat
        if client.beating is not None and not client.beating.done():
            if client.next_beat <= next_beat:
                return
            client.beating.cancel()
        client.next_beat = next_beat
        client.beating = asyncio.ensure_future(self._beat(client))

    async def _beat(self, client: _Client) -> None:
        """Lists what runs, as long as anything does that asked for it."""
        while True:
            await asyncio.sleep(client.next_beat - time.monotonic())
            monitored = client.monitored()
            if not monitored:
                return
            for data in running(list(monitored)):
                self.send(client, data)
            client.next_beat = time.monotonic() + min(monitored.values())

    # Who is told, and who is there.

    def _announcement(self) -> bytes:
        services = tuple(server.announced for server in self.servers)
        return Announcement(self.protocols, self._id, self.address, self.window, services, self._serial, self.heartbeats).write()

    def _tell_all(self) -> None:
        for client in list(self._clients.values()):
            if client.greeted:
                self.send(client, self._announcement())

    async def _seen_by_all(self, serial: int) -> None:
        while any(client.greeted and client.seen < serial for client in self._clients.values()):
            await self.changed.wait()

    def _notify(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def _gone(self, client: _Client) -> None:
        """The link is lost: its streams end, its calls and casts run on."""
        self._clients.pop(client.identity, None)
        if client.beating is not None:
            client.beating.cancel()
        for running in client.running.values():
            if running.stream and running.task is not None:
                running.task.cancel()
        self._notify()

    async def _watch(self) -> None:
        """A ROUTER says that a connection ended, but not whose: it is found by telling all what they know already."""
        while True:
            await recv_monitor_message(self._monitor)
            for pause in PROBES:
                await asyncio.sleep(pause)
                self._tell_all()


def _checked(value: Any) -> bytes:
    """A value as it is sent; one that a client would refuse is refused here."""
    data = encode(value)
    skip(data)
    return data
