"""What somebody gets of a node with keys: `check_keys.py RULE ADDRESS [--key=FILE --node=KEY]`.

The node serves `service` as `node-1`.
"""

from __future__ import annotations

import argparse
import asyncio
from typing import Awaitable, Callable, Dict

import zmq.asyncio

from check_client import TIMEOUT, ask
from peer.client import Failed, Link
from peer.frames import PROTOCOL, Announcement, Frame, Range, Request
from peer.keys import Secure, as_client, in_the_clear
from peer.routing import to


async def is_refused(context: zmq.asyncio.Context, address: str, secure: Secure) -> None:
    """Nothing at all comes, and the connection is closed."""
    link = Link(context, address, secure)
    try:
        announced = await asyncio.wait_for(link.ready(), TIMEOUT)
    except Failed as failed:
        assert failed.kind == "Unavailable" and link.lost and not link.counted, failed
    else:
        raise AssertionError(f"it was let in, and told {announced}")
    await link.close()


async def sees_nothing(context: zmq.asyncio.Context, address: str, secure: Secure) -> None:
    """It is let in, but no server is shown to it, and one whose name it guesses does not answer."""
    link = Link(context, address, secure)
    announced = await asyncio.wait_for(link.ready(), TIMEOUT)
    assert not announced.services, announced
    for method, namespace, version in (("add", None, (1, 2, 0)), ("ping", "rpc", (1, 0, 0)), ("describe", "rpc", (1, 0, 0))):
        guess = Request("", "interop", "node-1", namespace, version, (1, 2, 0), method)
        try:
            answer = await link.call(guess, {"a": 1, "b": 2} if method == "add" else {}, TIMEOUT)
        except Failed as failed:
            assert failed.kind == "Unavailable", failed
        else:
            raise AssertionError(f"{method} answered {answer}")
    await link.close()


async def an_identity_is_ignored(context: zmq.asyncio.Context, address: str, secure: Secure) -> None:
    """Two clients that call themselves the same are two: each is answered."""
    sockets = []
    for _ in range(2):
        socket = context.socket(zmq.DEALER)
        secure(socket)
        socket.setsockopt(zmq.ROUTING_ID, b"the same")
        socket.connect(address)
        await socket.send(Range(PROTOCOL, PROTOCOL).hello())
        sockets.append(socket)
    for socket in sockets:
        (part,) = await asyncio.wait_for(socket.recv_multipart(), TIMEOUT)
        assert [service.server for service in Announcement.read(Frame.read(part)).services] == ["node-1"]
    for socket in sockets:
        socket.close(0)


async def says_that_it_lives(context: zmq.asyncio.Context, address: str, secure: Secure) -> None:
    """The node asks one link for signs of life, and is asked for them on the other; both get them."""

    def lively(socket: zmq.Socket[bytes]) -> None:
        secure(socket)
        socket.setsockopt(zmq.HEARTBEAT_IVL, 100)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 2000)

    links = [Link(context, address, secure), Link(context, address, lively)]
    for link in links:
        await asyncio.wait_for(link.ready(), TIMEOUT)
    await asyncio.sleep(3)  # the node drops whoever is silent for a third of that
    for link in links:
        request = to(ask("add"), link.servers("interop")[0])
        assert await link.call(request, {"a": 1, "b": 2}, TIMEOUT) == 3
        await link.close()


RULES: Dict[str, Callable[[zmq.asyncio.Context, str, Secure], Awaitable[None]]] = {
    rule.__name__: rule for rule in (is_refused, sees_nothing, an_identity_is_ignored, says_that_it_lives)
}


async def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("rule", choices=RULES)
    words.add_argument("address")
    words.add_argument("--key", help="a file with the secret key of this side")
    words.add_argument("--node", help="the public key of the other side")
    given = words.parse_args()
    context = zmq.asyncio.Context()
    try:
        await RULES[given.rule](context, given.address, as_client(given.key, given.node) if given.key else in_the_clear)
    finally:
        context.destroy(linger=0)


asyncio.run(main())
