"""Requests that are nearly right: valid ones, broken in one to three places as servers choke on."""

import random
import re
from collections.abc import Callable, Sequence

CANARY = b"zqCANARYqz"  # sits in hostile values: an answer that holds it has echoed its input
VALUES = (
    b"NaN", b"-NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"1e-400", b"-0", b"-1", b"0x10",
    b"01", b"9" * 400, b"1" + b"0" * 5000, b"18446744073709551616", b"-9223372036854775809", b"1.0",
    b"1e0", b".5", b"true", b"false", b"null", b"undefined", b"[]", b"{}", b'""', b'"' + CANARY + b'"',
    b"[[[]]]", b'"\\ud800"', b'"\\udfff' + CANARY + b'"', b'"\\u0000"', b'"\xff\xfe"', b'"\xed\xa0\x80"',
    b'"\xc0\xaf"', b'"' + b"A" * 3000 + b'"', b'"../../../../etc/passwd"', b'"R01\\nR02"', b'"R01S001 "',
    b"'R01'", b'"2026-13-45"', b'"0000-00-00"', b'"9999999-01-01"', b'"2026-06-22T00:00:00Z"',
    b'"\xf0\x9f\x8d\x93"', b"[" * 300 + b"]" * 300, b'{"a":' * 300 + b"1" + b"}" * 300, b'"\\x"',
    b'"\\u12"', b"/*x*/1", b"1,,2",
)  # fmt: skip
CHUNKS = (
    b"\x00", b"\xff", b"\r\n", b"\n", b"\r", b" ", b"\t", b"%00", b"%2e%2e%2f", b"..", b"//", b"%", b"%zz",
    b"?", b"#", b";", b"{", b"}", b"[", b"]", b'"', b"\\", b",", b":", b"\xed\xa0\x80", CANARY, b"A" * 500,
    b"\xe2\x80\xae", b"${jndi:x}", b"<script>", b"' OR 1=1 --", b"{{7*7}}",
)  # fmt: skip
METHODS = (
    b"GET", b"POST", b"PUT", b"DELETE", b"HEAD", b"OPTIONS", b"PATCH", b"TRACE", b"CONNECT", b"get",
    b"PROPFIND", b"", b"G\x00T", b"A" * 300,
)  # fmt: skip
HEADERS = (
    b"Content-Length: -1", b"Content-Length: 0", b"Content-Length: 99999999999999999999",
    b"Content-Length: 1e3", b"Content-Length: 5\r\nContent-Length: 6", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked\r\nContent-Length: 3",
    b"Content-Encoding: gzip", b"Content-Type: text/plain",
    b"Content-Type: application/json; charset=utf-7", b"Content-Type: multipart/form-data; boundary=x",
    b"Content-Type: ", b"Authorization: Bearer " + CANARY, b"Authorization: Bearer",
    b"Authorization: Basic eDp4", b"Authorization: Bearer \xff\xfe", b"Authorization: " + b"B" * 5000,
    b"Host: ", b"Host: a\r\nHost: b", b"Connection: close", b"Connection: upgrade\r\nUpgrade: websocket",
    b"Connection: upgrade\r\nUpgrade: h2c", b"Expect: 100-continue", b"Expect: " + CANARY,
    b"X-A: " + b"y" * 9000, b"X" * 3000 + b": 1", b"X-B: \x00", b"X-C : 1", b" X-D: 1", b": empty",
    b"no colon", b"Range: bytes=0-1", b"If-Match: *", b"Accept: nothing/x", b"Cookie: " + b"c=1; " * 400,
    b"X-Forwarded-For: 1.2.3.4", b"Upgrade-Insecure-Requests: 1",
    b"\r\n".join(b"X-%d: 1" % i for i in range(200)),
)  # fmt: skip
VERSIONS = (b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0", b"HTTP/1.", b"", b"HTTP/1.1.1", b"HTTP/9" + b"9" * 40)
SCALAR = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')
Parts = list[bytes]  # of a request: first line, header lines, body


class Mutator:
    """Requests without end, the same for the same seed."""

    def __init__(self, requests: Sequence[bytes], seed: int) -> None:
        self.requests = [bytes(each) for each in requests]
        self.random = random.Random(seed)
        self.ways: tuple[tuple[int, Callable[[Parts], None]], ...] = (
            (8, self._value), (3, self._key), (3, self._bytes_of_body), (1, self._cut), (2, self._repeat),
            (3, self._path), (2, self._method), (1, self._version), (3, self._header),
            (1, self._bytes_of_head),
        )  # fmt: skip

    def next(self) -> bytes:
        """The next request; four of five tell the length of their body truly."""
        head, _, body = self.random.choice(self.requests).partition(b"\r\n\r\n")
        first, _, lines = head.partition(b"\r\n")
        parts = [first, lines, body]
        chosen = self.random.choices(
            [way for _, way in self.ways], [w for w, _ in self.ways], k=self.random.randint(1, 3)
        )
        for way in chosen:
            way(parts)
        if self.random.random() < 0.8:
            parts[1] = re.sub(rb"(?im)^content-length: *\d+", b"Content-Length: %d" % len(parts[2]), parts[1])
        return parts[0] + b"\r\n" + parts[1] + b"\r\n\r\n" + parts[2]

    def _value(self, parts: Parts) -> None:
        """One value of the JSON becomes a hostile one."""
        found = list(SCALAR.finditer(parts[2]))
        if found:
            at = self.random.choice(found)
            parts[2] = parts[2][: at.start()] + self.random.choice(VALUES) + parts[2][at.end() :]

    def _key(self, parts: Parts) -> None:
        """One text of the JSON becomes another's, so that keys are missing, doubled or unknown."""
        found = [each for each in SCALAR.finditer(parts[2]) if each[0].startswith(b'"')]
        if found:
            at, other = self.random.choice(found), self.random.choice(found)
            text = self.random.choice((other[0], b'"' + CANARY + b'"'))
            parts[2] = parts[2][: at.start()] + text + parts[2][at.end() :]

    def _bytes_of_body(self, parts: Parts) -> None:
        parts[2] = self._disturbed(parts[2])

    def _bytes_of_head(self, parts: Parts) -> None:
        parts[1] = self._disturbed(parts[1])

    def _cut(self, parts: Parts) -> None:
        parts[2] = parts[2][: self.random.randint(0, len(parts[2]))]

    def _repeat(self, parts: Parts) -> None:
        """A piece of the body comes again, up to two hundred times."""
        start = self.random.randint(0, len(parts[2]))
        piece = parts[2][start : start + self.random.choice((1, 7, 40, 200))]
        parts[2] = parts[2][:start] + piece * self.random.choice((2, 9, 200)) + parts[2][start:]

    def _path(self, parts: Parts) -> None:
        method, _, rest = parts[0].partition(b" ")
        path, _, version = rest.rpartition(b" ")
        parts[0] = method + b" " + self._disturbed(path) + b" " + version

    def _method(self, parts: Parts) -> None:
        parts[0] = self.random.choice(METHODS) + b" " + parts[0].partition(b" ")[2]

    def _version(self, parts: Parts) -> None:
        parts[0] = parts[0].rpartition(b" ")[0] + b" " + self.random.choice(VERSIONS)

    def _header(self, parts: Parts) -> None:
        """A header more, or one fewer."""
        lines = parts[1].split(b"\r\n")
        at = self.random.randrange(len(lines))
        if self.random.random() < 0.3:
            del lines[at]
        else:
            lines.insert(at, self.random.choice(HEADERS))
        parts[1] = b"\r\n".join(lines)

    def _disturbed(self, text: bytes) -> bytes:
        """The text with a byte flipped, dropped, or something put in."""
        at = self.random.randint(0, max(0, len(text) - 1))
        kind = self.random.random()
        if kind < 0.3 and text:
            return text[:at] + bytes([text[at] ^ (1 << self.random.randrange(8))]) + text[at + 1 :]
        if kind < 0.5:
            return text[:at] + text[at + self.random.choice((1, 2, 9)) :]
        return text[:at] + self.random.choice(CHUNKS) + text[at:]
