"""Serves until standard input ends: `serve.py NAME [--version 1.2] [--window 1024] [--protocols 1-1] [--heartbeats sent|none|forgotten]
[--garbage FILE] [--key FILE --client=KEY…]`.

The first line of its output is the address.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import List

import zmq.asyncio

from peer.about import about
from peer.frames import Credit, Range
from peer.keys import as_node, in_the_clear, let_in
from peer.server import Instance, Server
from service import Record, interop, trouble


def garbage(file: str) -> List[bytes]:
    """The vectors of what a client must bear, but for those that end the link; and bytes of no sense at all."""
    with open(file, encoding="utf-8") as opened:
        vectors = json.load(opened)
    bad = [vector for vector in vectors if vector.get("of") == "frame to a client" and "closes" not in vector["outcome"]]
    return [bytes.fromhex(vector["hex"]) for vector in bad] + [bytes([byte]) * 40 for byte in range(256)]


async def end_of_input() -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()


async def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("name")
    words.add_argument("--version", default="1.2")
    words.add_argument("--window", type=int, default=1024)
    words.add_argument("--protocols", default="1-1")
    words.add_argument("--heartbeats", choices=["sent", "none", "forgotten"], default="sent")
    words.add_argument("--garbage")
    words.add_argument("--key", help="a file with the secret key of this side")
    words.add_argument("--client", action="append", default=[], help="the public key of a client that is let in")
    given = words.parse_args()
    major, minor = (int(part) for part in given.version.split("."))
    lowest, highest = (int(part) for part in given.protocols.split("-"))

    apis = [interop((major, minor, 0), Record()), trouble(garbage(given.garbage) if given.garbage else []), about()]
    context = zmq.asyncio.Context()
    secure, authenticator = (as_node(given.key), let_in(context, given.client)) if given.key else (in_the_clear, None)
    window = Credit(given.window, 67108864)
    has_heartbeats = given.heartbeats != "none"
    instance = Instance(context, [Server("interop", given.name, apis)], window, Range(lowest, highest), secure, has_heartbeats)
    instance.beats = given.heartbeats == "sent"
    serving = asyncio.ensure_future(instance.serve())
    print(instance.address, flush=True)
    await asyncio.wait([serving, asyncio.ensure_future(end_of_input())], return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        await instance.stop()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    if authenticator is not None:
        authenticator.stop()
    context.destroy(linger=1000)


asyncio.run(main())
