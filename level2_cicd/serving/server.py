"""One serving process: uvicorn on a given socket, which drains its connections before it ends."""

import asyncio
import signal
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn

from level2_cicd.serving.protocol import limited
from level2_cicd.serving.sockets import BACKLOG

if TYPE_CHECKING:
    from level2_cicd.serving.app import Service

STEP = 0.02  # seconds between looks at the connections that are left


class Server(uvicorn.Server):
    """Ends in the order that loses no request: no new connections, the last answers, then the idle ones."""

    def __init__(self, service: "Service", ready: Callable[[], None]) -> None:
        limits = service.settings.limits
        config = uvicorn.Config(
            service,
            http=limited(service),
            ws="none",
            lifespan="on",
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,  # nothing here asks who the client is
            date_header=True,
            backlog=BACKLOG,
            timeout_keep_alive=int(limits.keep_alive_seconds),
            timeout_graceful_shutdown=int(limits.drain_seconds) + 1,
        )
        super().__init__(config)
        self.service, self._ready = service, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begins to answer, and says so."""
        await super().startup(sockets)
        self._ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answers what comes on open connections, asking each to close, until none is left or time is up."""
        self.service.draining = True
        for server in self.servers:
            server.close()
        loop = asyncio.get_running_loop()
        until = loop.time() + self.service.settings.limits.drain_seconds
        while self.server_state.connections and loop.time() < until and not self.force_exit:
            await asyncio.sleep(STEP)
        await super().shutdown(sockets)


def serve(service: "Service", sock: socket.socket, ready: Callable[[], None]) -> None:
    """Serves until SIGTERM or SIGINT; `ready` is called once requests are answered."""
    for each in (signal.SIGTERM, signal.SIGINT):  # uvicorn raises them again at the end: an end as any other
        signal.signal(each, lambda *_: None)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a hang-up is the supervisor's business
    Server(service, ready).run(sockets=[sock])
