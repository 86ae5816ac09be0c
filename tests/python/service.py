"""The service that both sides of the interop tests have; its Rust twin is tests/interop/api.rs."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any, AsyncIterator, Dict, List, Optional

from peer.api import Argument, Implementation
from peer.codec import Version
from peer.frames import Failure, Frame, Kind, frame
from peer.server import Context, MethodError, Together
from peer.values import anything, boolean, bytes_of, floating, i64, i128, option, text, u8, u32, u64, u128

SAMPLE: Dict[str, Any] = {
    "nothing": None,
    "yes": True,
    "small": 200,
    "large": 2**64 - 1,
    "negative": -(2**63),
    "wide": (-(2**63) - 1).to_bytes(16, "big", signed=True),
    "huge": (2**64).to_bytes(16, "big"),
    "narrow": -5,
    "half": 1.5,
    "real": -0.1,
    "letter": "é",
    "text": "täglich\n",
    "bytes": bytes(range(256)),
    "no_bytes": b"",
    "fixed": [1, 2, 200],
    "list": [1, 2, 300],
    "pair": [1, "a"],
    "names": {1: "a", 300: "b"},
    "some": 7,
    "none": None,
    "shapes": ["Empty", {"Circle": 3}, {"Line": [1, 2]}, {"Box": {"w": 1, "h": 2}}],
    "good": {"Ok": 1},
    "bad": {"Err": "no"},
    "id": "67e55044-10b1-426f-9247-bb680e5fe0c8",
    "at": "::1",
    "lasts": {"secs": 2, "nanos": 500000000},
    "deep": {"wrapped": 5, "list": [{"note": None}, {"note": "x"}]},
}
"""One value of every sort, as it is written."""


def differences(sample: Any) -> List[str]:
    """The fields of a sample that was read that are not as they should be."""
    if not isinstance(sample, dict) or sample.keys() != SAMPLE.keys():
        return ["its fields"]
    typed = {"wide": i128, "huge": u128, "bytes": bytes_of, "no_bytes": bytes_of, "half": floating, "yes": boolean}
    return [name for name, read in ((name, typed.get(name, anything)) for name in SAMPLE) if read(sample[name]) != read(SAMPLE[name])]


class Record:
    """What has happened, and how often."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()
        self._changed = asyncio.Event()

    def add(self, what: str) -> None:
        self._times[what] += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def times(self, what: str) -> int:
        return self._times[what]

    async def reach(self, what: str, times: int) -> None:
        while self._times[what] < times:
            await self._changed.wait()


def interop(version: Version, record: Record) -> Implementation:
    """The API at one of its versions: 1.0, 1.1 or 1.2."""
    api = Implementation("Interop", version)

    @api.call(a=i64, b=i64)
    async def add(_: Context, a: int, b: int) -> int:
        return a + b

    @api.call(sample=anything)
    async def swap(_: Context, sample: Any) -> Any:
        wrong = differences(sample)
        if wrong:
            raise MethodError(wrong)
        return SAMPLE

    @api.call(id=u64)
    async def find(_: Context, id: int) -> Any:
        if id == 0:
            raise MethodError("Locked")
        if id > 9:
            raise MethodError({"NotFound": {"id": id}})
        return {"id": id, "name": f"guest {id}"}

    @api.call()
    async def metadata(context: Context) -> Dict[str, str]:
        return context.request.metadata

    @api.call()
    async def remaining(context: Context) -> Optional[int]:
        return context.remaining()

    @api.call(name=text)
    async def wait(_: Context, name: str) -> None:
        record.add(f"began {name}")
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            record.add(f"cancelled {name}")
            raise

    @api.call(what=text, times=u32)
    async def happened(_: Context, what: str, times: int) -> None:
        await record.reach(what, times)

    @api.call(what=text)
    async def times(_: Context, what: str) -> int:
        return record.times(what)

    @api.call()
    async def crash(_: Context) -> None:
        raise RuntimeError("on purpose")

    @api.cast(text=text, color=Argument(option(u8), since=(1, 1)))
    async def note(_: Context, text: str, color: Optional[int]) -> None:
        record.add(f"note {text} {color}")

    @api.cast(text=text)
    async def everyone(_: Context, text: str) -> None:
        record.add(f"everyone {text}")

    @api.multicall(to=u64, together=u64)
    async def count(_: Context, to: int, together: int) -> AsyncIterator[Any]:
        try:
            for first in range(0, to, together):
                items = Together(range(first, min(first + together, to)))
                for _item in items:
                    record.add("item")
                yield items
        finally:
            record.add("closed")

    @api.multicall(size=u64, items=u64)
    async def blobs(_: Context, size: int, items: int) -> AsyncIterator[bytes]:
        for _item in range(items):
            record.add("blob")
            yield bytes(size)

    @api.multicall(items=u64)
    async def breaks(_: Context, items: int) -> AsyncIterator[int]:
        for item in range(items):
            yield item
        raise MethodError("Locked")

    @api.call(since=(1, 2))
    async def newest(_: Context) -> str:
        return "1.2"

    return api


def trouble(garbage: List[bytes]) -> Implementation:
    """Methods that do what a server should not do, or seldom does. They are in Python only."""
    api = Implementation("Trouble", (1, 0, 0), namespace="trouble")

    @api.call(kind=text)
    async def fail(context: Context, kind: str) -> None:
        context.answer_raw(Failure(kind, "as asked").write(context.id))

    @api.call(kind=u8, header=bytes_of, body=bytes_of)
    async def answer(context: Context, kind: int, header: bytes, body: bytes) -> None:
        """Any frame as the answer, before the good one."""
        context.answer_raw(Frame(1, kind, context.id, header, body).write())

    @api.call()
    async def scatter(context: Context) -> int:
        """Sends all garbage, and then answers."""
        for data in garbage:
            context.answer_raw(data)
        return len(garbage)

    @api.multicall(first=u64, count=u64)
    async def miscount(context: Context, first: int, count: int) -> AsyncIterator[int]:
        """A good item, then ITEMS that say what they are told to say."""
        yield 0
        context.answer_raw(frame(Kind.ITEMS, context.id, [first, count], b"\x01"))
        await asyncio.get_running_loop().create_future()

    @api.call()
    async def drain(context: Context) -> None:
        context.server.draining = True
        context.instance.announce()

    @api.call()
    async def counted(context: Context) -> int:
        """How many frames broke a rule."""
        return context.instance.counted

    return api
