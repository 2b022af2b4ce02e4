"""How well a question is answered."""

from enum import IntEnum


class Grade(IntEnum):
    """From nothing to shown within the last 90 days; a claim alone is worth as much as nothing."""

    NONE = 0
    CLAIMED = 1
    EXISTS = 2
    AUTOMATIC = 3
    DEMONSTRATED = 4

    @property
    def label(self) -> str:
        """As reports say it."""
        return LABELS[self]

    @property
    def steps(self) -> int:
        """Steps above nothing: a claim is none."""
        return max(0, self - Grade.CLAIMED)


LABELS = {
    Grade.NONE: "none",
    Grade.CLAIMED: "claimed",
    Grade.EXISTS: "exists",
    Grade.AUTOMATIC: "runs automatically",
    Grade.DEMONSTRATED: "demonstrated",
}
UNKNOWN = "unknown"


def label(grade: Grade | None) -> str:
    """A grade in words; None is unknown."""
    return UNKNOWN if grade is None else grade.label
