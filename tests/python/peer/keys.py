"""CURVE: what a socket needs before it connects or binds. A file holds one secret key, as 40 characters of Z85."""

from __future__ import annotations

from typing import Any, Callable, Iterable

import zmq
import zmq.auth.asyncio

Secure = Callable[["zmq.Socket[Any]"], None]
"""Sets the options of a socket."""


def in_the_clear(_socket: "zmq.Socket[Any]") -> None:
    """The mechanism NULL."""


def _read(file: str) -> bytes:
    with open(file, "rb") as opened:
        return opened.read().strip()


def as_client(file: str, node: str) -> Secure:
    """With the key in a file, to the node that has this public key."""
    secret = _read(file)

    def secure(socket: "zmq.Socket[Any]") -> None:
        socket.setsockopt(zmq.CURVE_SERVERKEY, node.encode())
        socket.setsockopt(zmq.CURVE_PUBLICKEY, zmq.curve_public(secret))
        socket.setsockopt(zmq.CURVE_SECRETKEY, secret)

    return secure


def as_node(file: str) -> Secure:
    """With the key in a file. Who may come in is up to `let_in`."""
    secret = _read(file)

    def secure(socket: "zmq.Socket[Any]") -> None:
        socket.setsockopt(zmq.CURVE_SERVER, 1)
        socket.setsockopt(zmq.CURVE_SECRETKEY, secret)

    return secure


class _Listed:
    def __init__(self, clients: Iterable[str]) -> None:
        self._clients = frozenset(client.encode() for client in clients)

    def callback(self, _domain: str, key: bytes) -> bool:
        return key in self._clients


def let_in(context: zmq.Context[Any], clients: Iterable[str]) -> zmq.auth.asyncio.AsyncioAuthenticator:
    """Lets in the clients with these public keys, and nobody else, at every socket of the context that binds later."""
    authenticator = zmq.auth.asyncio.AsyncioAuthenticator(context)
    authenticator.start()
    authenticator.configure_curve_callback("*", _Listed(clients))
    return authenticator
