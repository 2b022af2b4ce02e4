"""The application: tokens, limits and errors around the routes; the hot ones do without the frame."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from level2_cicd.serving.errors import Headers, Refused
from level2_cicd.serving.frame import build_frame
from level2_cicd.serving.limits import SHED, Admission
from level2_cicd.serving.metrics import Metrics
from level2_cicd.serving.reload import Reloader, check_environment
from level2_cicd.serving.routes import Hot, Routes
from level2_cicd.serving.settings import ServingSettings

LOG = logging.getLogger("demand.serving")
OPEN = frozenset({"/livez", "/readyz"})  # without a token: who asks whether it lives has none
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Scope]]
Send = Callable[[Scope], Awaitable[None]]


def create(settings: ServingSettings) -> "Service":
    """The ASGI application on the release in use, which has passed its self-test.

    Raises UsageError where the store has no release or no token, IntegrityError where a file was changed.
    """
    check_environment(settings)
    return Service(settings)


class Service:
    """An ASGI application; `reloader.now` is what serves, `draining` that the process is about to end."""

    def __init__(self, settings: ServingSettings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        for counter in settings.capture.counters if settings.capture else ():
            self.metrics.registry.register(counter)
        self.reloader = Reloader(settings, self.metrics)
        self.admission = Admission(settings.limits)
        self.routes = Routes(settings, self.metrics)
        self.hot: dict[str, Hot] = {"/v1/score": self.routes.score, "/v1/forecast": self.routes.forecast}
        self.frame = build_frame(self.routes, self.reloader, self.metrics)
        self.draining = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, or goes through the life of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        path = scope["path"]
        hot = self.hot.get(path)
        try:
            if scope.get(SHED):
                await self._shed()
            headers = dict(scope["headers"])
            if self.settings.token_required and path not in OPEN:
                self._check_token(headers)
            if hot is None:
                return await self._framed(scope, receive, send, began)
            if scope["method"] != "POST":
                raise Refused("no_method", headers=[(b"allow", b"POST")])
            body = await self.admission.read_body(headers, receive)
            status, content, extra = 200, await self._work(hot, body), []
        except Refused as refused:
            status, content, extra = refused.status, refused.body(), refused.headers
        except Exception:  # the one place beyond which nothing may escape to a client
            LOG.exception("a request failed")
            failed = Refused("failed")
            status, content, extra = failed.status, failed.body(), []
        self.metrics.request(path if hot else "other", status, time.perf_counter() - began)
        await self._send(send, (status, content), extra)

    async def _work(self, hot: Hot, body: bytes) -> bytes:
        serving = self.reloader.now
        if len(body) <= self.settings.limits.inline_bytes:
            return hot(serving, body)
        return await asyncio.to_thread(hot, serving, body)

    async def _shed(self) -> None:
        self.metrics.shed.inc()
        await self.admission.hold()
        raise Refused("overloaded")

    def _check_token(self, headers: dict[bytes, bytes]) -> None:
        if not self.reloader.now.tokens.allow(headers.get(b"authorization", b"")):
            raise Refused("no_token")

    async def _send(self, send: Send, answer: tuple[int, bytes], extra: Headers) -> None:
        status, content = answer
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content)), *extra]
        if self.draining:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    async def _framed(self, scope: Scope, receive: Receive, send: Send, began: float) -> None:
        """The routes of the frame, counted; while draining they ask the client to connect elsewhere."""

        async def counted(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                self.metrics.request(route, message["status"], time.perf_counter() - began)
                if self.draining:
                    message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(dict(message))

        await self.frame(scope, receive, counted)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        watching = asyncio.create_task(self.reloader.watch())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        if self.settings.capture is not None:
            await asyncio.to_thread(self.settings.capture.close)
        await send({"type": "lifespan.shutdown.complete"})
