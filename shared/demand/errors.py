"""What a caller can catch. Each message says what is wrong, what was expected, what came, and what to do."""


class DataError(ValueError):
    """A table or raw file breaks its contract; no row of it may be used."""


class IntegrityError(ValueError):
    """A model or artifact is not, byte for byte, the one that was recorded."""


class UsageError(ValueError):
    """A command or configuration asks for something that does not exist or cannot be."""
