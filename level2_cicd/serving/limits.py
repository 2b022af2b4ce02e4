"""How much is let in: bodies up to a size and within a time, and no more requests than can be answered."""

import asyncio
from typing import Any

from level2_cicd.serving.errors import Refused
from level2_cicd.serving.settings import Limits

Scope = dict[str, Any]
JSON = b"application/json"
SHED = "demand.shed"  # key of the scope by which the protocol says that a request is too many


class Admission:
    """How many requests and bytes of bodies wait; one for each process."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.waiting_bytes = 0
        self.held = 0  # requests that are told late that they are shed

    def full(self, waiting: int) -> bool:
        """Whether so many waiting requests, those that are only held not counted, are too many."""
        return waiting - self.held > self.limits.waiting

    async def hold(self) -> None:
        """Waits before a shed request is answered: a client that asks again at once would cost as much."""
        self.held += 1
        try:
            await asyncio.sleep(self.limits.hold_seconds)
        finally:
            self.held -= 1

    async def read_body(self, headers: dict[bytes, bytes], receive: Any) -> bytes:
        """The body of a request; raises Refused for one that is too large, too slow, too much or no JSON."""
        if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != JSON:
            raise Refused("not_json")
        if b"content-encoding" in headers:
            raise Refused("not_json")
        declared = headers.get(b"content-length", b"0")
        size = int(declared) if declared.isdigit() and len(declared) < 19 else self.limits.body_bytes + 1
        if size > self.limits.body_bytes:
            raise Refused("body_too_large")
        if self.waiting_bytes + size > self.limits.waiting_bytes:
            raise Refused("overloaded")
        self.waiting_bytes += size
        try:
            return await self._parts(receive)
        finally:
            self.waiting_bytes -= size

    async def _parts(self, receive: Any) -> bytes:
        message = await receive()
        body: bytes = message.get("body", b"")
        if not message.get("more_body"):
            return self._checked(body, message)
        parts, size = [body], len(body)
        while message.get("more_body"):
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > self.limits.body_bytes:
                raise Refused("body_too_large")
        return self._checked(b"".join(parts), message)

    def _checked(self, body: bytes, message: Scope) -> bytes:
        if message["type"] == "http.disconnect":
            raise Refused("slow_body")
        if len(body) > self.limits.body_bytes:
            raise Refused("body_too_large")
        return body
