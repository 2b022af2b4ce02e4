"""The release that serves, and how another takes its place: verified, loaded and self-tested beside it."""

import asyncio
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from demand.errors import IntegrityError, UsageError
from level2_cicd.serving.auth import TOKENS, Tokens, read_tokens
from level2_cicd.serving.memory import settle
from level2_cicd.serving.metrics import Metrics
from level2_cicd.serving.published import FORECASTS, Published, published_file, read_published
from level2_cicd.serving.release import CURRENT, Release, read_pointer, read_release, read_with, self_test
from level2_cicd.serving.settings import LOCAL, ServingSettings
from level2_cicd.serving.tables import read_tables

LOG = logging.getLogger("demand.serving")
NOTES = {
    CURRENT: "a newer release was refused; see the log",
    FORECASTS: "newer forecasts were refused; see the log",
}
Stamp = tuple[int, int, int] | None


@dataclass(frozen=True)
class Serving:
    """All that a request looks at: it takes this once, so that no answer mixes two releases."""

    release: Release
    published: Published | None
    tokens: Tokens
    note: str = ""


class Reloader:
    """Holds what serves, and exchanges it when the store says so.

    Raises UsageError where the store has no release, IntegrityError where it is not what was recorded.
    """

    def __init__(self, settings: ServingSettings, metrics: Metrics) -> None:
        self.settings, self.metrics = settings, metrics
        store = settings.store
        self._stamps = {name: _stamp(store / name) for name in (FORECASTS, TOKENS)}
        self._pointer = read_pointer(store)
        tokens = read_tokens(store, settings.environment)
        if settings.token_required and not tokens.digests:
            raise UsageError(
                f"{store / TOKENS}: expected a token, which {settings.environment} requires; got none. "
                f"Run `python -m level2_cicd token new --env {settings.environment}` first."
            )
        release, tables = read_with(store, self._pointer, published_file(store))
        self_test(release, settings.self_test_rows)
        self.now = Serving(release, read_published(tables, release), tokens)
        self._serves = self._pointer
        self._refused: set[str] = set()
        metrics.serves(release, None)
        settle()

    async def watch(self) -> None:
        """Looks at the store until it is cancelled; what it loads, it loads in a thread."""
        while True:
            await asyncio.sleep(self.settings.poll_seconds)
            try:
                if self._changed():
                    await asyncio.to_thread(self.look)
            except (
                Exception
            ) as error:  # whatever a store may hold, what serves goes on, and so does the watch
                LOG.exception("the store could not be looked at")
                self._refuse(CURRENT, error)

    def look(self) -> None:
        """Takes over what changed in the store; what is bad stays out, and what served goes on."""
        try:
            pointer = read_pointer(self.settings.store)
        except UsageError as error:
            self._pointer = b""
            self._refuse(CURRENT, error)
            return
        if pointer != self._pointer:
            self._pointer = pointer
            self._take_release(pointer)
        # Forecasts that are another release's stand, under its name, until others are published.
        if self._moved(FORECASTS) or self.now.published is None:
            self._take_published()
        if self._moved(TOKENS):
            self._take_tokens()

    def _changed(self) -> bool:
        store = self.settings.store
        try:
            pointer = read_pointer(store)
        except UsageError:
            pointer = b""
        return pointer != self._pointer or any(
            _stamp(store / name) != self._stamps[name] for name in self._stamps
        )

    def _moved(self, name: str) -> bool:
        before, self._stamps[name] = self._stamps[name], _stamp(self.settings.store / name)
        return self._stamps[name] != before

    def _take_release(self, pointer: bytes) -> None:
        if pointer == self._serves:  # back again, from one that was refused
            self._take(CURRENT)
            return
        before = self.now.release.version
        try:
            release = read_release(self.settings.store, pointer)
            self_test(release, self.settings.self_test_rows)
        except (IntegrityError, UsageError, OSError) as error:
            self._refuse(CURRENT, error)
            return
        self._serves = pointer
        self._take(CURRENT, release=release)
        self.metrics.serves(release, before)
        self.metrics.reloads.labels("done").inc()
        LOG.info("release %s serves, after %s", release.version, before)
        settle()

    def _take_published(self) -> None:
        try:
            files = published_file(self.settings.store)
            published = read_published(read_tables(files), self.now.release) if files else None
        except (IntegrityError, OSError) as error:
            self._refuse(FORECASTS, error)
            return
        self._take(FORECASTS, published=published or self.now.published)

    def _take_tokens(self) -> None:
        try:
            tokens = read_tokens(self.settings.store, self.settings.environment)
            self.now = replace(self.now, tokens=tokens)
        except (UsageError, OSError) as error:
            LOG.error("tokens stay as they were: %s", error)

    def _take(self, name: str, **changes: Any) -> None:
        """Serves what one of the files now says, in one step."""
        self._refused.discard(name)
        self.now = replace(self.now, **changes, note=self._note())

    def _refuse(self, name: str, error: Exception) -> None:
        """Keeps what serves, and says so."""
        self._refused.add(name)
        self.metrics.reloads.labels("refused").inc()
        LOG.error("release %s goes on serving: %s", self.now.release.version, error)
        self.now = replace(self.now, note=self._note())

    def _note(self) -> str:
        return "; ".join(text for name, text in NOTES.items() if name in self._refused)


def check_environment(settings: ServingSettings) -> None:
    """Raises UsageError where an environment other than local goes without tokens."""
    if settings.environment != LOCAL and not settings.token_required:
        raise UsageError(
            f"serve: expected tokens in {settings.environment}; only {LOCAL} goes without. Require them."
        )


def _stamp(path: Path) -> Stamp:
    """What changes when a file is replaced."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
