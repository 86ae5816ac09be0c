"""Types of arguments: each takes a value as MessagePack has it and gives it as Python wants it, or refuses it."""

from __future__ import annotations

from typing import Any, Callable, Optional

from .codec import Malformed

Read = Callable[[Any], Any]


def _integer(name: str, lowest: int, highest: int) -> Read:
    def read(value: Any) -> int:
        if type(value) is not int or not lowest <= value <= highest:  # a bool is an int to Python, and none here
            raise Malformed(f"{name} is expected")
        return value

    return read


u8 = _integer("a u8", 0, 2**8 - 1)
u16 = _integer("a u16", 0, 2**16 - 1)
u32 = _integer("a u32", 0, 2**32 - 1)
u64 = _integer("a u64", 0, 2**64 - 1)
i64 = _integer("an i64", -(2**63), 2**63 - 1)


def _wide(name: str, lowest: int, highest: int) -> Read:
    check = _integer(name, lowest, highest)

    def read(value: Any) -> Any:
        if isinstance(value, bytes) and len(value) == 16:
            value = int.from_bytes(value, "big", signed=lowest < 0)
        return check(value)

    return read


i128 = _wide("an i128", -(2**127), 2**127 - 1)
u128 = _wide("a u128", 0, 2**128 - 1)


def write_128(value: int) -> Any:
    """A 128-bit integer as it must be written."""
    if -(2**63) <= value < 2**64:
        return value
    return value.to_bytes(16, "big", signed=value < 2**127)


def boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Malformed("a boolean is expected")
    return value


def floating(value: Any) -> float:
    if type(value) not in (int, float):
        raise Malformed("a number is expected")
    return float(value)


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed("a string is expected")
    return value


def bytes_of(value: Any) -> bytes:
    if isinstance(value, list):
        return bytes(u8(byte) for byte in value)
    if not isinstance(value, bytes):
        raise Malformed("bytes are expected")
    return value


def option(of: Read) -> Read:
    def read(value: Any) -> Optional[Any]:
        return None if value is None else of(value)

    return read


def anything(value: Any) -> Any:
    return value
