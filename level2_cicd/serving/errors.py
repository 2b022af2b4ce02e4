"""What the service refuses, and how it says so: a stable code, a fixed message, nothing of the input."""

from dataclasses import dataclass

import msgspec


@dataclass(frozen=True)
class Kind:
    """One way to be refused: HTTP status, and a message that is the same for everybody."""

    status: int
    message: str


KINDS: dict[str, Kind] = {
    "bad_http": Kind(400, "Expected an HTTP/1.1 request."),
    "bad_json": Kind(400, "Expected a body of JSON in UTF-8."),
    "no_token": Kind(
        401, "Expected the header `Authorization: Bearer TOKEN` with a token of this environment."
    ),
    "no_route": Kind(404, "No such path; /openapi.json lists all."),
    "unknown_series": Kind(404, "The release knows no such region, store and product."),
    "unknown_week": Kind(404, "Expected Mondays that the release forecasts."),
    "no_method": Kind(405, "This path does not take this method; the header Allow lists those it takes."),
    "slow_headers": Kind(408, "The headers did not arrive in time."),
    "slow_body": Kind(408, "The body did not arrive in time."),
    "other_columns": Kind(
        409, "The features are not the columns of this release; /v1/release has their names and their id."
    ),
    "body_too_large": Kind(413, "The body is larger than this service takes; send fewer rows at once."),
    "not_json": Kind(415, "Expected Content-Type application/json and no Content-Encoding."),
    "bad_request": Kind(422, "The body does not have the form that /openapi.json describes."),
    "bad_name": Kind(422, "Expected names of 1 to 64 printable characters."),
    "bad_number": Kind(422, "Expected numbers that fit 32 bits."),
    "bad_width": Kind(422, "Expected as many features in each row as the release has columns."),
    "too_many_rows": Kind(422, "More rows than this service takes at once; send them in parts."),
    "headers_too_large": Kind(431, "The request line and headers are larger than this service takes."),
    "failed": Kind(500, "The service failed; the request was not answered."),
    "overloaded": Kind(503, "Too many requests wait; send it again after the seconds in Retry-After."),
    "not_published": Kind(503, "The release in use has no published forecasts yet."),
}
RETRY_AFTER = 1  # seconds a client is asked to wait
EXTRA: dict[str, list[tuple[bytes, bytes]]] = {
    "no_token": [(b"www-authenticate", b"Bearer")],
    "overloaded": [(b"retry-after", str(RETRY_AFTER).encode())],
    "not_published": [(b"retry-after", b"60")],
    "slow_body": [(b"connection", b"close")],
    "body_too_large": [(b"connection", b"close")],
}
Headers = list[tuple[bytes, bytes]]


class Refused(Exception):
    """A request that is not answered; `at` is the place in the body, of known field names and indices."""

    def __init__(self, code: str, at: str = "", headers: Headers | None = None) -> None:
        super().__init__(code)
        self.code, self.at = code, at
        self.headers = [*EXTRA.get(code, []), *(headers or [])]

    @property
    def status(self) -> int:
        """The HTTP status."""
        return KINDS[self.code].status

    def body(self) -> bytes:
        """The answer as JSON."""
        return error_body(self.code, self.at)


def error_body(code: str, at: str = "") -> bytes:
    """An error as JSON: code, message and, where it is known, the place in the body."""
    content = {"code": code, "message": KINDS[code].message, **({"at": at} if at else {})}
    return msgspec.json.encode({"error": content})
