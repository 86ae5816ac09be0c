"""A client of several instances: which server a message goes to."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Dict, List, Optional, Tuple

import zmq.asyncio

from .client import Deadline, Failed, Link
from .codec import Version
from .frames import Request, Service
from .keys import Secure, in_the_clear

NOT_RUN = frozenset({"Overloaded", "Unavailable", "UnsupportedVersion"})
"""After these, another server may be asked."""


class Topic:
    """The servers of a topic, at all addresses."""

    def __init__(self, context: zmq.asyncio.Context, topic: str, addresses: List[str], secure: Secure = in_the_clear) -> None:
        self._topic, self._turn = topic, 0
        self.links = [Link(context, address, secure) for address in addresses]

    async def ready(self) -> None:
        """Waits until every instance has announced itself, and closes what leads to one that is linked already."""
        seen: Dict[bytes, Link] = {}
        for link in list(self.links):
            first = seen.setdefault((await link.ready()).instance, link)
            if first is not link:
                self.links.remove(link)
                await link.close()

    async def close(self) -> None:
        await asyncio.gather(*(link.close() for link in self.links))

    def servers(self, namespace: Optional[str], version: Version) -> List[Tuple[Link, Service]]:
        """Those that serve a message now. Of two with one name, the first counts."""
        found: Dict[str, Tuple[Link, Service]] = {}
        for link in self.links:
            for service in link.servers(self._topic):
                if not service.draining and any(api.serves(namespace, version) for api in service.apis):
                    found.setdefault(service.server, (link, service))
        return list(found.values())

    async def call(self, request: Request, arguments: Dict[str, Any], timeout: float) -> Any:
        """By the server whose turn it is; by the next one after a refusal, each at most once."""
        ends = Deadline(timeout)
        asked, last = set(), Failed("Unavailable", "no server serves it")
        while True:
            servers = self.servers(request.namespace, request.version)
            left = [(link, service) for link, service in servers if service.server not in asked]
            if not left:
                raise last
            link, service = left[self._turn % len(left)]
            self._turn += 1
            asked.add(service.server)
            try:
                return await link.call(to(request, service), arguments, ends.left())
            except Failed as failed:
                if failed.kind not in NOT_RUN:
                    raise
                last = failed

    async def fanout(self, request: Request, arguments: Dict[str, Any], timeout: float) -> List[str]:
        """A cast to every server; the names of those that accepted."""
        servers = self.servers(request.namespace, request.version)
        await asyncio.gather(*(link.cast(to(request, service), arguments, timeout) for link, service in servers))
        return [service.server for _, service in servers]


def to(request: Request, service: Service) -> Request:
    """The request for one server."""
    return replace(request, exchange=service.exchange, topic=service.topic, server=service.server)
