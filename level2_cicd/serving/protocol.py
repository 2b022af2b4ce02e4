"""HTTP/1.1 as uvicorn speaks it, with limits on headers and time; overload is noticed before any work."""

import asyncio
from typing import TYPE_CHECKING, Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from level2_cicd.serving.errors import KINDS, error_body
from level2_cicd.serving.limits import SHED

if TYPE_CHECKING:
    from level2_cicd.serving.app import Service

REASONS = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large"}
HEAD = b"HTTP/1.1 %d %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n"


class LimitedProtocol(HttpToolsProtocol):
    """One connection; `service` has the limits."""

    service: "Service"  # set by `limited`

    def connection_made(self, transport: Any) -> None:
        """Starts the clock that the first request's headers must beat."""
        super().connection_made(transport)
        self._size = 0
        self._begun = False  # a request of which the headers are not all there
        self._clock: asyncio.TimerHandle | None = None
        self._start(self.service.settings.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the clock."""
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Takes bytes; where a request is not all there after them, a clock runs until it is."""
        super().data_received(data)
        if self._clock is None and not self.transport.is_closing():
            if self._begun:
                self._start(self.service.settings.limits.header_seconds)
            elif self.cycle.more_body and not self.cycle.response_complete:
                self._start(self.service.settings.limits.body_seconds)

    def on_message_begin(self) -> None:
        """Begins to count the bytes of the headers."""
        self._size, self._begun = 0, True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Takes a part of the request line."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hands the request over, marked where too many wait already."""
        self._begun = False
        self._stop()
        if self.service.admission.full(len(self.tasks)):
            self.scope[SHED] = True  # type: ignore[literal-required]
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stops the clock of the body."""
        self._stop()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no request, in the service's words."""
        large = self._size > self.service.settings.limits.header_bytes
        self._end("headers_too_large" if large else "bad_http")

    def _unsupported_upgrade_warning(self) -> None:
        """A wish for another protocol is passed over; a body that came with it was not read."""
        if self.cycle.more_body and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
            self._end("bad_http")

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self.service.settings.limits.header_bytes:
            raise httptools.HttpParserError("too large")

    def _start(self, seconds: float) -> None:
        self._clock = self.loop.call_later(seconds, self._too_slow)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_slow(self) -> None:
        self._clock = None
        if self._begun or self.cycle is None or self.cycle.response_complete:
            self._end("slow_headers")
        elif not self.cycle.response_started:
            self._end("slow_body")
            self.cycle.disconnected = True  # the route is told that nobody listens any more
            self.cycle.message_event.set()

    def _end(self, code: str) -> None:
        """Answers an error and ends the connection."""
        if self.transport.is_closing():
            return
        status, content = KINDS[code].status, error_body(code)
        self.service.metrics.request("other", status, 0.0)
        self.transport.write(HEAD % (status, REASONS[status], len(content)) + content)
        self.transport.close()


def limited(service: "Service") -> type[LimitedProtocol]:
    """The protocol with the limits of a service."""
    return type("ServiceProtocol", (LimitedProtocol,), {"service": service})
