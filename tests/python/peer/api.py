"""What a server can do: APIs of methods of arguments, each with the version that it came with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple

from .codec import Malformed, Version, decode_arguments
from .frames import Api, Kind
from .values import Read

Since = Optional[Tuple[int, int]]
"""The version that a method came with; None: it was always there."""


class Argument(NamedTuple):
    """An argument that came with `since`, or with its method; before, it is None."""

    read: Read
    since: Tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Method:
    """`run` gets the context and the arguments by name. That of a multicall gives an asynchronous iterator."""

    kind: Kind
    run: Callable[..., Any]
    arguments: Dict[str, Argument]
    since: Tuple[int, int]

    def taken_as(self, kind: int) -> bool:
        """Whether it can be sent as a frame of this kind: a call may be cast, too."""
        return kind == self.kind or (kind == Kind.CAST and self.kind is Kind.CALL)

    def decode(self, version: Version, body: bytes) -> Dict[str, Any]:
        """The arguments of a message of `version`."""
        minor = max(version[:2], self.since)
        given = decode_arguments(body)
        known = {name for name, argument in self.arguments.items() if argument.since <= minor}
        for name in given.keys() - known:
            raise Malformed(f"`{name}`: it is unknown in version {version}")
        for name in known - given.keys():
            raise Malformed(f"`{name}`: it is missing")
        return {name: argument.read(given[name]) if name in given else None for name, argument in self.arguments.items()}


@dataclass
class Implementation:
    """An API with its methods."""

    name: str
    version: Version
    namespace: Optional[str] = None
    docs: str = ""
    methods: Dict[str, Method] = field(default_factory=dict)

    @property
    def announced(self) -> Api:
        return Api(self.name, self.namespace, self.version)

    def call(self, since: Since = None, **arguments: Any) -> Callable[[Any], Any]:
        return self._method(Kind.CALL, since, arguments)

    def cast(self, since: Since = None, **arguments: Any) -> Callable[[Any], Any]:
        return self._method(Kind.CAST, since, arguments)

    def multicall(self, since: Since = None, **arguments: Any) -> Callable[[Any], Any]:
        return self._method(Kind.MULTICALL, since, arguments)

    def _method(self, kind: Kind, since: Since, arguments: Dict[str, Any]) -> Callable[[Any], Any]:
        typed = {name: read if isinstance(read, Argument) else Argument(read) for name, read in arguments.items()}

        came = since or (self.version[0], 0)

        def add(run: Any) -> Any:
            if self.version[:2] >= came:
                self.methods[run.__name__] = Method(kind, run, typed, came)
            return run

        return add
