"""Addresses of databases and servers: in one spelling, compared, and shown without a password."""

from pathlib import Path
from urllib.parse import urlsplit

from demand.errors import UsageError

DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg"}
PORTS = {"postgresql": 5432, "http": 80, "https": 443}


def sqlite_address(path: Path) -> str:
    """The address of a SQLite file."""
    return f"sqlite:///{path.resolve()}"


def own_address(address: str, name: str) -> str:
    """The address of a database with the driver that is used here.

    name: of the variable that it came from. Raises UsageError, without showing the address, for any other
    database than SQLite in a file or PostgreSQL.
    """
    scheme, mark, rest = address.partition("://")
    scheme = DRIVERS.get(scheme, scheme)
    is_file = scheme == "sqlite" and len(rest) > 1
    if not mark or not (is_file or scheme.startswith("postgresql+")):
        raise UsageError(
            f"{name}: expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/DATABASE; got an "
            f"address that begins with {scheme.split('@')[-1][:20]!r}. Mend the variable."
        )
    return f"{scheme}{mark}{rest}"


def same_address(first: str, second: str) -> bool:
    """Whether two addresses lead to the same database or server, whoever asks and by whichever driver."""
    return _essence(first) == _essence(second)


def _essence(address: str) -> tuple[object, ...]:
    scheme = address.partition("://")[0].partition("+")[0]
    if scheme == "sqlite":
        return (scheme, str(Path(address.partition(":///")[2]).resolve()))
    parts = urlsplit(address)
    scheme = "postgresql" if scheme == "postgres" else scheme
    host = "localhost" if parts.hostname in (None, "127.0.0.1", "::1") else parts.hostname
    return (scheme, host, parts.port or PORTS.get(scheme), parts.path.rstrip("/"), _socket(parts.query))


def _socket(query: str) -> str:
    """What of a query says where the database is: the folder of its socket."""
    return "&".join(sorted(each for each in query.split("&") if each.startswith(("host=", "port="))))
