"""What a server says about itself: the API of the namespace `rpc`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List

from .api import Implementation, Method

if TYPE_CHECKING:
    from .server import Context


def about() -> Implementation:
    api = Implementation("Introspection", (1, 0, 0), namespace="rpc")

    @api.call()
    async def ping(context: Context) -> Dict[str, Any]:
        return {"server": context.server.name}

    @api.call()
    async def describe(context: Context) -> Dict[str, Any]:
        server = context.server
        return {"server": server.name, "topic": server.topic, "apis": [_api(api) for api in server.apis]}

    return api


def _api(api: Implementation) -> Dict[str, Any]:
    methods = [_method(name, method) for name, method in api.methods.items()]
    versions = [".".join(str(part) for part in api.version[:2])]
    return {"name": api.name, "namespace": api.namespace, "versions": versions, "docs": api.docs, "methods": methods}


def _method(name: str, method: Method) -> Dict[str, Any]:
    args: List[Dict[str, Any]] = []
    for argument, (read, since) in method.arguments.items():
        later = _text(since) if since > method.since else None
        args.append({"name": argument, "type": read.__name__, "since": later})
    answer = str(method.run.__annotations__.get("return", ""))
    docs = method.run.__doc__ or ""
    kind = method.kind.name.lower()
    came = _text(method.since)
    return {"name": name, "kind": kind, "since": came, "until": None, "args": args, "answer": answer, "docs": docs}


def _text(version: Any) -> str:
    return f"{version[0]}.{version[1]}"
