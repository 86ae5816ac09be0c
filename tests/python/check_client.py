"""The client against a server of `service`: `check_client.py RULE ADDRESS… [--key=FILE --node=KEY]`. Ends with an error if the rule does not hold.

The server may be of either language, and is new for each rule, so that what it has recorded is of this rule.
"""

from __future__ import annotations

import argparse
import asyncio
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Awaitable, Callable, Dict, Iterator, List, Optional

import zmq.asyncio

from peer.client import Failed, Link
from peer.codec import Version
from peer.frames import Request
from peer.keys import Secure, as_client, in_the_clear
from peer.routing import Topic, to
from service import SAMPLE, differences

TIMEOUT = 20.0


def ask(method: str, version: Version = (1, 2, 0), namespace: Optional[str] = None, **metadata: str) -> Request:
    """A request that has no server yet."""
    return Request("", "", "", namespace, version, (1, 2, 0), method, metadata=metadata)


@contextmanager
def fails(kind: str) -> Iterator[List[Failed]]:
    caught: List[Failed] = []
    try:
        yield caught
    except Failed as failed:
        assert failed.kind == kind, f"{failed} is not {kind}"
        caught.append(failed)
    else:
        raise AssertionError(f"it did not fail; {kind} was expected")


class One:
    """The client of the first server."""

    def __init__(self, topic: Topic) -> None:
        self.link: Link = topic.links[0]
        self.service = self.link.servers("interop")[0]

    async def call(self, request: Request, **arguments: Any) -> Any:
        return await self.link.call(to(request, self.service), arguments, TIMEOUT)

    async def cast(self, request: Request, **arguments: Any) -> None:
        await self.link.cast(to(request, self.service), arguments, TIMEOUT)

    def multicall(self, request: Request, **arguments: Any) -> Any:
        return self.link.multicall(to(request, self.service), arguments, TIMEOUT)

    async def happened(self, what: str, times: int = 1) -> None:
        await self.call(ask("happened"), what=what, times=times)

    async def round_trips(self) -> None:
        """Enough of them that a server that wants to do something else has done it."""
        for a in range(200):
            assert await self.call(ask("add"), a=a, b=1) == a + 1


async def calls(topic: Topic) -> None:
    one = One(topic)
    assert await one.call(ask("add"), a=-(2**62), b=2**61) == -(2**61)
    sample = await one.call(ask("swap"), sample=SAMPLE)
    assert not differences(sample), f"{differences(sample)} of {sample}"
    assert await one.call(ask("find"), id=7) == {"id": 7, "name": "guest 7"}
    assert await one.call(ask("metadata", user="ada", größe="ñ")) == {"user": "ada", "größe": "ñ"}
    sums = await asyncio.gather(*(one.call(ask("add"), a=a, b=a) for a in range(500)))
    assert sums == [2 * a for a in range(500)]


async def about(topic: Topic) -> None:
    one = One(topic)
    assert await one.call(ask("ping", (1, 0, 0), "rpc")) == {"server": "node-1"}
    described = await one.call(ask("describe", (1, 0, 0), "rpc"))
    assert (described["server"], described["topic"]) == ("node-1", "interop"), described
    (api,) = (api for api in described["apis"] if api["namespace"] is None)
    assert (api["name"], api["versions"]) == ("Interop", ["1.2"]), api
    methods = {method["name"]: method for method in api["methods"]}
    assert [methods[name]["kind"] for name in ("add", "note", "count")] == ["call", "cast", "multicall"]
    assert (methods["add"]["since"], methods["newest"]["since"], methods["newest"]["until"]) == ("1.0", "1.2", None)
    assert [(arg["name"], arg["since"]) for arg in methods["note"]["args"]] == [("text", None), ("color", "1.1")]


async def errors(topic: Topic) -> None:
    one = One(topic)
    with fails("Method") as caught:
        await one.call(ask("find"), id=0)
    assert caught[0].error == "Locked"
    with fails("Method") as caught:
        await one.call(ask("find"), id=10)
    assert caught[0].error == {"NotFound": {"id": 10}}
    with fails("Remote"):
        await one.call(ask("crash"))
    for arguments in ({"a": 1}, {"a": 1, "b": 2, "c": 3}, {"a": 1, "b": "2"}, {"a": 1, "b": 2**63}, {"a": 1.0, "b": 2}):
        with fails("DecodeArguments"):
            await one.call(ask("add"), **arguments)
    with fails("DecodeArguments"):
        await one.multicall(ask("count"), to=1).__anext__()


async def refusals(topic: Topic) -> None:
    one = One(topic)
    for method in ("nothing", "note", "count"):
        with fails("NoSuchMethod"):
            await one.call(ask(method))
    with fails("NoSuchMethod"):
        await one.cast(ask("count"), to=1, together=1)
    with fails("NoSuchMethod"):
        await one.multicall(ask("add"), a=1, b=2).__anext__()
    for version, namespace in (((1, 3, 0), None), ((1, 2, 1), None), ((2, 0, 0), None), ((0, 9, 0), None), ((1, 0, 0), "other"), ((1, 0, 0), "")):
        with fails("UnsupportedVersion"):
            await one.call(ask("add", version, namespace), a=1, b=2)
    with fails("Unavailable"):
        await one.link.call(Request("", "interop", "nobody", None, (1, 0, 0), (1, 0, 0), "add"), {"a": 1, "b": 2}, TIMEOUT)
    await one.cast(ask("add"), a=1, b=2)  # a call may be cast


async def versions(topic: Topic) -> None:
    one = One(topic)
    await one.cast(ask("note", (1, 0, 0)), text="old")
    await one.happened("note old None")
    await one.cast(ask("note", (1, 1, 0)), text="new", color=5)
    await one.happened("note new 5")
    with fails("DecodeArguments"):
        await one.call(ask("add", (1, 0, 0)), a=1, b=2, color=5)
    assert await one.call(ask("newest", (1, 0, 0))) == "1.2"  # it is in the API, and that counts


async def fanout(topic: Topic) -> None:
    await topic.ready()
    accepted = await topic.fanout(ask("everyone"), {"text": "hello"}, TIMEOUT)
    assert sorted(accepted) == ["node-1", "node-2"], accepted
    for link in topic.links:
        request = to(ask("happened"), link.servers("interop")[0])
        await link.call(request, {"what": "everyone hello", "times": 1}, TIMEOUT)


async def streams(topic: Topic) -> None:
    one = One(topic)
    assert [pair async for pair in one.multicall(ask("count"), to=1000, together=7)] == [(n, n) for n in range(1000)]
    assert [pair async for pair in one.multicall(ask("count"), to=0, together=1)] == []
    sizes = [len(blob) async for _, blob in one.multicall(ask("blobs"), size=200_000, items=20)]
    assert sizes == [200_000] * 20
    seen = []
    with fails("Method") as caught:
        async for _, item in one.multicall(ask("breaks"), items=3):
            seen.append(item)
    assert seen == [0, 1, 2] and caught[0].error == "Locked"


async def credit(topic: Topic) -> None:
    one = One(topic)
    stream = one.multicall(ask("count"), to=1_000_000, together=1)
    assert await stream.__anext__() == (0, 0)
    await one.happened("item", 128)
    await one.round_trips()
    made = await one.call(ask("times"), what="item")
    assert made <= 130, f"{made} items were made for a client that allowed 128"
    for _ in range(100):
        await stream.__anext__()
    await one.happened("item", 192)
    await stream.aclose()
    await one.happened("closed")


async def deadlines(topic: Topic) -> None:
    one = One(topic)
    left = await one.call(ask("remaining"))
    assert 0 < left <= TIMEOUT * 1e6, left
    assert await one.link.call(to(ask("remaining"), one.service), {}, None) is None
    with fails("Timeout"):
        await one.link.call(to(ask("wait"), one.service), {"name": "x"}, 0.5)
    await one.happened("cancelled x")


async def heartbeats(topic: Topic) -> None:
    """A call that takes longer than the client waits without a heartbeat is heard of, and ends with its deadline only."""
    one = One(topic)
    asked = replace(to(ask("wait"), one.service), monitor=200_000)
    began = asyncio.get_running_loop().time()
    with fails("Timeout") as caught:
        await one.link.call(asked, {"name": "h"}, 1.5)
    assert "heartbeat" not in str(caught[0]), caught[0]
    assert asyncio.get_running_loop().time() - began >= 1.5
    await one.happened("cancelled h")


async def no_heartbeats(topic: Topic) -> None:
    """An instance that announces none is not given up for want of them."""
    one = One(topic)
    assert one.link.announcement is not None and not one.link.announcement.heartbeats
    asked = replace(to(ask("wait"), one.service), monitor=100_000)
    with fails("Timeout") as caught:
        await one.link.call(asked, {"name": "n"}, 1.0)
    assert "heartbeat" not in str(caught[0]), caught[0]


async def forgotten_heartbeats(topic: Topic) -> None:
    """An instance that announces heartbeats and sends none is given up long before the deadline."""
    one = One(topic)
    asked = replace(to(ask("wait"), one.service), monitor=300_000)
    with fails("Timeout") as caught:
        await one.link.call(asked, {"name": "f"}, TIMEOUT)
    assert "heartbeat" in str(caught[0]), caught[0]
    await one.happened("cancelled f")


async def cancellation(topic: Topic) -> None:
    one = One(topic)
    waiting = asyncio.ensure_future(one.call(ask("wait"), name="y"))
    await one.happened("began y")
    waiting.cancel()
    await one.happened("cancelled y")
    stream = one.multicall(ask("count"), to=1_000_000, together=1)
    await stream.__anext__()
    await stream.aclose()
    await one.happened("closed")
    waiting = asyncio.ensure_future(one.call(ask("wait"), name="z"))
    await one.happened("began z")
    second = Link(CONTEXT, one.link.address, one.link.secure)
    await second.ready()
    stream = second.multicall(to(ask("count"), one.service), {"to": 1_000_000, "together": 1}, TIMEOUT)
    await stream.__anext__()
    await second.close()
    await one.happened("closed", 2)  # the streams of a link that is lost end; those of others do not
    assert await one.call(ask("times"), what="cancelled z") == 0
    waiting.cancel()


async def draining(topic: Topic) -> None:
    """Of two servers, the first drains as soon as this asks for it; it is not asked any more."""
    await topic.ready()
    first, second = topic.links
    print("drain", flush=True)
    while first.servers("interop") and not first.servers("interop")[0].draining:
        await first.changed.wait()
    for a in range(50):
        assert await topic.call(ask("add"), {"a": a, "b": 1}, TIMEOUT) == a + 1
    assert not first.lost and len(topic.servers(None, (1, 2, 0))) == 1
    waiting = One(topic)
    with fails("Unavailable"):
        await waiting.call(ask("add"), a=1, b=2)


async def twins(topic: Topic) -> None:
    """Both addresses lead to one instance: one of the links is closed."""
    await topic.ready()
    assert len(topic.links) == 1
    assert await One(topic).call(ask("add"), a=1, b=2) == 3


async def window(topic: Topic) -> None:
    """The instance announces a window of two requests: this client keeps to it."""
    one = One(topic)
    assert one.link.announcement is not None and one.link.announcement.window.items == 2
    await one.round_trips()
    sums = await asyncio.gather(*(one.call(ask("add"), a=a, b=a) for a in range(100)))
    assert sums == [2 * a for a in range(100)]


RULES: Dict[str, Callable[[Topic], Awaitable[None]]] = {
    rule.__name__: rule
    for rule in (calls, about, errors, refusals, versions, fanout, streams, credit, deadlines, heartbeats, no_heartbeats, forgotten_heartbeats, cancellation, draining, twins, window)
}
CONTEXT: zmq.asyncio.Context


async def main(rule: str, addresses: List[str], secure: Secure) -> None:
    global CONTEXT
    CONTEXT = zmq.asyncio.Context()
    topic = Topic(CONTEXT, "interop", addresses, secure)
    try:
        for link in topic.links:
            await asyncio.wait_for(link.ready(), TIMEOUT)
        await asyncio.wait_for(RULES[rule](topic), 2 * TIMEOUT)
        assert not any(link.counted for link in topic.links), "the server sent frames that break a rule"
    finally:
        await topic.close()
        CONTEXT.destroy(linger=0)


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("rule", choices=RULES)
    words.add_argument("addresses", nargs="+")
    words.add_argument("--key", help="a file with the secret key of this side")
    words.add_argument("--node", help="the public key of the other side")
    given = words.parse_args()
    asyncio.run(main(given.rule, given.addresses, as_client(given.key, given.node) if given.key else in_the_clear))
