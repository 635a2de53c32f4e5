"""Reads members of a JSON object that somebody else made. What is not of its type raises ValueError; what is absent or null is empty."""

from typing import Any

LATEST = 253402300799  # the last second of the year 9999, which is the last that datetime has


def text(of: dict[str, Any], name: str) -> str:
    value = of.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(name)
    return value


def integer(of: dict[str, Any], name: str) -> int:
    value = of.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise ValueError(name)
    return value


def seconds(of: dict[str, Any], name: str) -> int:
    """A time, in seconds since 1970 UTC."""
    value = integer(of, name)
    if value > LATEST:
        raise ValueError(name)
    return value


def strings(of: dict[str, Any], name: str) -> tuple[str, ...]:
    value = of.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(name)
    return tuple(value)


def mapping(of: dict[str, Any], name: str) -> dict[str, Any]:
    value = of.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(name)
    return value
