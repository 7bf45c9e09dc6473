"""Why a question was not answered with its own figures."""

from enum import StrEnum


class Miss(StrEnum):
    """The reasons of a miss."""

    NOT_HOT = "not_hot"
    """The live generation does not hold the variant: nobody asked for it in time, or there was no room."""

    CORRUPT = "corrupt"
    """The variant is stored and makes no sense."""

    VANISHED = "vanished"
    """The variant was published and is gone."""

    EXPIRED = "expired"
    """The whole generation is too old to be shown."""

    UNREACHABLE = "unreachable"
    """Redis could not be read and the process did not hold the variant."""
