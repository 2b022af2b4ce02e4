"""HTTP/1.1 on a plain socket: whatever bytes one likes to send, and every byte that comes back."""

import contextlib
import re
import socket
import struct
from dataclasses import dataclass
from types import TracebackType
from typing import Self

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
RESET = struct.pack("ii", 1, 0)  # closing leaves no port waiting: a hundred thousand connections have enough


@dataclass(frozen=True)
class Answer:
    """One response. closes: the server says that no other comes on this connection."""

    status: int
    head: bytes
    body: bytes
    closes: bool


class Line:
    """A connection that is kept as long as answers follow requests one by one.

    `ask` raises TimeoutError where nothing whole came in time, ConnectionError where the server hung up.
    """

    def __init__(self, port: int, seconds: float = 10.0) -> None:
        self.port, self.seconds = port, seconds
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def open(self) -> bool:
        """Whether the next request goes on a connection that has served one before."""
        return self._socket is not None

    def ask(self, request: bytes, seconds: float | None = None) -> Answer:
        """The answer to these bytes."""
        try:
            self._send(request)
            return self._receive(seconds or self.seconds, has_body=not request.startswith(b"HEAD "))
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Ends the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, request: bytes) -> None:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), self.seconds)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.settimeout(self.seconds)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may have answered and hung up
            self._socket.sendall(request)

    def _receive(self, seconds: float, *, has_body: bool) -> Answer:
        assert self._socket is not None
        self._socket.settimeout(seconds)
        head, body = self._head(b"")
        while head[9:10] == b"1":  # "100 Continue" and its like: the answer follows
            head, body = self._head(body)
        found = LENGTH.search(head)
        length = int(found[1]) if found and has_body else 0
        while len(body) < length:
            body += self._more()
        closes = bool(CLOSES.search(head)) or len(body) > length
        if closes:
            self.close()
        return Answer(int(head[9:12]), head, body[:length], closes)

    def _head(self, got: bytes) -> tuple[bytes, bytes]:
        """The head of a response, and what came of its body with it."""
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self._more()
        return got[:end], got[end + 4 :]

    def _more(self) -> bytes:
        assert self._socket is not None
        got = self._socket.recv(1 << 16)
        if not got:
            raise ConnectionResetError("the server hung up before its answer was whole")
        return got


def request(method: str, path: str, body: bytes = b"", token: str = "") -> bytes:
    """The bytes of a request; a body is JSON."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    told = {"Host": "127.0.0.1", **({"Content-Type": "application/json"} if body else {}), **headers}
    if body:
        told["Content-Length"] = str(len(body))
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
