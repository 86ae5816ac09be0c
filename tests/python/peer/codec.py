"""MessagePack as the protocol wants it: `msgpack` reads and writes values, this module refuses what it would let pass."""

from __future__ import annotations

from typing import Any, List, NoReturn, Optional, Tuple

import msgpack  # type: ignore[import-untyped]

LEVELS = 64
"""How deep arrays and maps may be nested in one value."""

Version = Tuple[int, int, int]
"""Major, minor, revision."""


class Malformed(Exception):
    """Bytes that break the rules of the protocol; the text says which."""


# format byte -> bytes of the length that follow it
_STR = {0xD9: 1, 0xDA: 2, 0xDB: 4}
_BIN = {0xC4: 1, 0xC5: 2, 0xC6: 4}
_ARRAY = {0xDC: 2, 0xDD: 4}
_MAP = {0xDE: 2, 0xDF: 4}
_UNSIGNED = {0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
# format byte -> bytes of content: integers, floats, nil and booleans
_FIXED = {**_UNSIGNED, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8, 0xCA: 4, 0xCB: 8, 0xC0: 0, 0xC2: 0, 0xC3: 0}


def _take(data: bytes, at: int, size: int) -> int:
    """Where `size` bytes from `at` end."""
    if size > len(data) - at:
        raise Malformed("it ends in the middle of a value")
    return at + size


def _length(data: bytes, at: int, size: int) -> Tuple[int, int]:
    end = _take(data, at, size)
    return int.from_bytes(data[at:end], "big"), end


def _entries(data: bytes, at: int) -> Optional[Tuple[bool, int, int]]:
    """Whether the value at `at` is a map, how many entries it has, and where they begin; None: it is no container."""
    first = data[at]
    if 0x90 <= first <= 0x9F:
        return False, first & 0x0F, at + 1
    if 0x80 <= first <= 0x8F:
        return True, first & 0x0F, at + 1
    for is_map, formats in ((False, _ARRAY), (True, _MAP)):
        if first in formats:
            count, begin = _length(data, at + 1, formats[first])
            return is_map, count, begin
    return None


def skip(data: bytes, at: int = 0, levels: int = LEVELS) -> int:
    """Where the value that begins at `at` ends. Everything in it has been checked then."""
    _take(data, at, 1)
    container = _entries(data, at)
    if container is None:
        return _skip_scalar(data, at)
    is_map, count, at = container
    if levels == 0:
        raise Malformed("nested too deep")
    if count * (2 if is_map else 1) > len(data) - at:
        raise Malformed("it claims more entries than there are bytes")
    keys = set()
    for _ in range(count):
        if is_map:
            end = skip(data, at, levels - 1)
            if data[at:end] in keys:
                raise Malformed("a key occurs twice")
            keys.add(data[at:end])
            at = end
        at = skip(data, at, levels - 1)
    return at


def _skip_scalar(data: bytes, at: int) -> int:
    first = data[at]
    at += 1
    if first <= 0x7F or first >= 0xE0:
        return at
    if first in _FIXED:
        return _take(data, at, _FIXED[first])
    if first in _BIN:
        size, at = _length(data, at, _BIN[first])
        return _take(data, at, size)
    if 0xA0 <= first <= 0xBF:
        size = first & 0x1F
    elif first in _STR:
        size, at = _length(data, at, _STR[first])
    else:
        raise Malformed("an extension type" if first != 0xC1 else "the byte c1 is not used")
    end = _take(data, at, size)
    try:
        data[at:end].decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("a string is not UTF-8") from error
    return end


def encode(value: Any, single_floats: bool = False) -> bytes:
    """A value in the form in which it must be written."""
    packed = msgpack.packb(value, use_bin_type=True, use_single_float=single_floats)
    assert isinstance(packed, bytes)
    return packed


def _unpack(checked: bytes) -> Any:
    try:
        return msgpack.unpackb(checked, raw=False, strict_map_key=False)
    except (ValueError, TypeError) as error:  # such as a map whose key is an array
        raise Malformed(str(error)) from error


def decode(data: bytes, levels: int = LEVELS) -> Any:
    """The one value that `data` is."""
    if skip(data, 0, levels) != len(data):
        raise Malformed("bytes follow the value")
    return _unpack(data)


def decode_many(data: bytes, count: int) -> List[Tuple[Any, int]]:
    """The `count` values that `data` is, one after another, each with its length in bytes."""
    if count > len(data):
        raise Malformed("it claims more values than there are bytes")
    values, at = [], 0
    for _ in range(count):
        end = skip(data, at)
        values.append((_unpack(data[at:end]), end - at))
        at = end
    if at != len(data):
        raise Malformed("bytes follow the values")
    return values


def decode_arguments(data: bytes) -> dict[str, Any]:
    """The body of a request. Its map is no level of nesting."""
    arguments = decode(data, LEVELS + 1)
    if not isinstance(arguments, dict) or not all(isinstance(name, str) for name in arguments):
        raise Malformed("arguments are a map by name")
    return arguments


class Fields:
    """Reads the fields of a header, or of an array within one, in order and strict in type. What follows them is never looked at."""

    def __init__(self, data: bytes, at: int, known: int) -> None:
        if at >= len(data):
            raise Malformed("fields are missing")
        container = _entries(data, at)
        if container is None or container[0]:
            raise Malformed("fields are an array")
        _, self.count, self._at = container
        if self.count < known:
            raise Malformed(f"{self.count} fields of {known}")
        self._left = self.count
        self._data = data

    def _next(self) -> bytes:
        if self._left == 0:
            raise Malformed("a field is missing")
        self._left -= 1
        begin, self._at = self._at, skip(self._data, self._at)
        return self._data[begin : self._at]

    def _wrong(self, wanted: str) -> NoReturn:
        raise Malformed(f"a field is not {wanted}")

    def more(self) -> bool:
        """Whether there is one more."""
        return self._left > 0

    def uint(self) -> int:
        raw = self._next()
        if raw[0] > 0x7F and raw[0] not in _UNSIGNED:
            self._wrong("an unsigned integer")
        value = _unpack(raw)
        assert isinstance(value, int)
        return value

    def text(self) -> str:
        value = _unpack(self._next())
        return value if isinstance(value, str) else self._wrong("a string")

    def bytes(self) -> bytes:
        value = _unpack(self._next())
        return value if isinstance(value, bytes) else self._wrong("bytes")

    def boolean(self) -> bool:
        value = _unpack(self._next())
        return value if isinstance(value, bool) else self._wrong("a boolean")

    def _is_nil(self) -> bool:
        if self._left > 0 and self._data[self._at : self._at + 1] == b"\xc0":
            self._next()
            return True
        return False

    def optional_uint(self) -> Optional[int]:
        return None if self._is_nil() else self.uint()

    def optional_text(self) -> Optional[str]:
        return None if self._is_nil() else self.text()

    def optional_bytes(self) -> Optional["bytes"]:
        return None if self._is_nil() else self.bytes()

    def text_map(self) -> dict[str, str]:
        value = _unpack(self._next())
        if not isinstance(value, dict) or not all(type(x) is str for pair in value.items() for x in pair):
            self._wrong("a map of strings")
        return value

    def array(self, known: int) -> "Fields":
        """The fields of the array that is the next field."""
        raw = self._next()
        return Fields(raw, 0, known)

    def optional_array(self, known: int) -> Optional["Fields"]:
        return None if self._is_nil() else self.array(known)

    def version(self) -> Version:
        parts = self.array(2)
        if parts.count > 3:
            self._wrong("a version of two or three parts")
        numbers = [parts.uint() for _ in range(parts.count)]
        if max(numbers) > 0xFFFF:
            self._wrong("a version of parts up to 65535")
        major, minor, revision = (numbers + [0])[:3]
        return major, minor, revision


def written(version: Version) -> List[int]:
    """A version as a field: a revision of 0 is left out."""
    return list(version if version[2] else version[:2])
