"""What a caller can catch. Each message says what is wrong, what was expected, what came, and what to do."""


class AnswersError(ValueError):
    """A file of answers, a baseline or the questions themselves break their form."""


class UsageError(ValueError):
    """A command asks for something that does not exist or cannot be."""
