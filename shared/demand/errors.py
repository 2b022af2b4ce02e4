"""What a caller can catch. Each message says what is wrong, what was expected, what came, and what to do."""


class DataError(ValueError):
    """A table or raw file breaks its contract; no row of it may be used."""


class UnitJumpError(DataError):
    """A region's units jump as no demand does; `region` names it, so that the others can go on without it."""

    def __init__(self, message: str, *, region: str) -> None:
        super().__init__(message)
        self.region = region


class IntegrityError(ValueError):
    """A model or artifact is not, byte for byte, the one that was recorded."""


class UsageError(ValueError):
    """A command or configuration asks for something that does not exist or cannot be."""
