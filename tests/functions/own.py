"""Functions of a user's own, in Python."""

import datetime

NAMESPACE = "http://example.com/py/"


def shout(text: str, times: int = 1) -> str:
    return text.upper() + "!" * times


def letters(text: str) -> list[str]:
    return sorted(set(text))


def born(age: int) -> datetime.date:
    return datetime.date(2024 - age, 1, 1)
