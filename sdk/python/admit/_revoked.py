"""What a verifier of access tokens knows beyond the tokens themselves: which sessions have ended, and whose rights have changed."""

import base64
import hashlib
from typing import Any

from ._members import integer, mapping, strings, text

TYPE = "revocations+jwt"  # the typ header of a message: it can pass for no access token, and none can pass for it


def mark(*parts: str) -> str:
    """The name that something has in the feed. Who does not know what it is about learns nothing from it."""
    return base64.urlsafe_b64encode(hashlib.sha256("\0".join(parts).encode()).digest()[:16]).rstrip(b"=").decode()


class Revoked:
    """Everything a verifier remembers. One thread at a time may use it."""

    def __init__(self) -> None:
        self._epoch = ""
        self._ended: dict[str, float] = {}  # until when it is remembered, in seconds since 1970
        self._changed: dict[str, tuple[int, float]] = {}  # since which revision, and until when it is remembered
        self._swept = 0.0

    def add(self, message: dict[str, Any], now: float) -> None:
        """Remembers what a message tells. ValueError where it is none, and then nothing of it is remembered."""
        epoch, until = text(message, "epoch"), now + integer(message, "keep")
        ended = strings(message, "ended")
        changed = {name: integer({name: revision}, name) for name, revision in mapping(message, "changed").items()}
        if message.get("whole") is True:
            self._ended, self._changed = {}, {}
        self._epoch = epoch
        for name in ended:
            self._ended[name] = until
        for name, revision in changed.items():
            self._changed[name] = (max(revision, self._changed.get(name, (0, 0.0))[0]), until)
        if now - self._swept >= 60:
            self._swept = now
            self._ended = {name: until for name, until in self._ended.items() if until >= now}
            self._changed = {name: change for name, change in self._changed.items() if change[1] >= now}

    def ended(self, sid: str) -> bool:
        """Whether a session has ended."""
        return mark("session", sid) in self._ended

    def outdated(self, user: str, org: str, revision: str) -> bool:
        """Whether the rights of a person have changed since a token was made that works in an organization, "" for none."""
        about = [mark("rights", "", user)]
        if org:
            about += [mark("rights", org, ""), mark("rights", org, user)]
        at = self._number(revision)
        return any(at < self._changed[name][0] for name in about if name in self._changed)

    def _number(self, revision: str) -> int:
        """The place of a revision, before all others when it is of another life of the database."""
        life, _, number = revision.rpartition(".")
        if life != "az1." + self._epoch or not (number.isascii() and number.isdigit()) or len(number) > 19:
            return -1
        return int(number)
