"""Who sends a request, as their access token says, and whether it counts still."""

import json
import logging
import os
import random
import threading
import time
import urllib.error
import urllib.parse
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any, Literal, Optional

from ._http import UNREACHABLE, ask
from ._keys import Keys
from ._members import mapping, seconds, strings, text
from ._revoked import TYPE, Revoked

log = logging.getLogger("admit")

PATIENCE = 3.0  # seconds that the feed may be silent. The server says something every second

_LONGEST = 8 << 10  # more than an access token can have
_LARGEST = 256 << 20  # of a message: every session that ended while a token lives may be in one
_LEEWAY = 30  # seconds that clocks may differ


@dataclass(frozen=True)
class User:
    """Who sent a request, as their access token says."""

    id: str
    roles: tuple[str, ...]  # global roles
    org_id: Optional[str]  # the organization they work in
    org_roles: tuple[str, ...]  # the keys of their roles there
    session_id: str
    amr: tuple[str, ...]  # how they signed in, RFC 8176
    auth_at: datetime  # when they last proved who they are
    actor_id: Optional[str]  # who acts in their name

    def has_role(self, role: str) -> bool:
        """Whether the person holds a global role."""
        return role in self.roles


class Refused(Exception):
    """A request is not let through. The code is one of the server's, and never changes:

    401 unauthenticated, invalid_token, session_invalid, token_outdated
    403 missing_role, missing_permission, reauthentication_required
    503 revocations_stale, check_unavailable
    """

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(code, detail)
        self.status, self.code, self.detail = status, code, detail

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says beside its body."""
        headers = {"Cache-Control": "no-store"}
        if self.status == 401:
            why = "" if self.code == "unauthenticated" else ', error="invalid_token"'
            headers["WWW-Authenticate"] = 'Bearer realm="admit"' + why
        elif self.status == 503:
            headers["Retry-After"] = "2"
        return headers


def _invalid() -> Refused:
    return Refused(401, "invalid_token", "The access token is not valid or has expired. Refresh it, or sign in again.")


def bearer(given: Sequence[str]) -> str:
    """The one token that a request shows in its Authorization headers (RFC 6750, section 2.1), or Refused."""
    scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    token = token.lstrip(" ")
    if scheme.lower() != "bearer" or not token:
        raise Refused(401, "unauthenticated", "You are not signed in. Send an access token as Authorization: Bearer.")
    return token


class Client:
    """Verifies access tokens. It is for as many threads as come, and for processes that are forked from this one.

    It does not wait for the server: requests are refused with 503 until it was heard from; see ready.
    """

    def __init__(self, issuer: str, *, audience: Optional[str] = None, server: Optional[str] = None, secret: Optional[str] = None, on_stale: Literal["refuse", "accept"] = "refuse") -> None:
        """Follows the server that issues tokens as issuer, its BASE_URL.

        audience is the aud of the tokens, server where the server is reached, both the issuer if not given. secret is ACCESS_SECRET, where the server signs with it instead
        of keys. on_stale says what holds while the server has not been heard from for longer than PATIENCE: nobody is let in, or a token is good until it expires.
        """
        server = issuer if server is None else server
        for address in (issuer, server):
            parts = urllib.parse.urlsplit(address)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
                raise ValueError(f"{address!r} is no address of a server, such as https://auth.example.com")
        if on_stale not in ("refuse", "accept"):
            raise ValueError(f"on_stale is {on_stale!r}, which is neither refuse nor accept")
        self.issuer, self._server = issuer.rstrip("/"), server.rstrip("/")
        self._audience, self._secret, self._on_stale = audience or self.issuer, secret or None, on_stale
        self._closed = False
        self._begin()
        if hasattr(os, "register_at_fork"):
            mine = weakref.WeakMethod(self._begin)

            def again() -> None:
                begin = mine()
                if begin is not None:
                    begin()

            os.register_at_fork(after_in_child=again)

    def _begin(self) -> None:
        """Knows nothing yet, and listens. A process that was forked has no thread that does, and perhaps locks that nobody opens."""
        if self._closed:
            return
        self._keys = Keys(self._server, self._secret)
        self._lock = threading.Lock()
        self._revoked = Revoked()
        self._heard: Optional[float] = None  # when the feed said something last, on the monotonic clock
        self._ready = threading.Event()
        self._over = threading.Event()
        threading.Thread(target=self._follow, name="admit", daemon=True).start()

    def close(self) -> None:
        """Ends what was begun; the feed is left with its next message."""
        self._closed = True
        self._over.set()

    def ready(self, timeout: Optional[float] = None) -> bool:
        """Waits until the server was heard from, for some seconds at the most."""
        return self._ready.wait(timeout)

    @property
    def stale(self) -> bool:
        """Whether the server has not been heard from for longer than PATIENCE, so that a session may have ended without this client knowing."""
        heard = self._heard
        return heard is None or time.monotonic() - heard > PATIENCE

    def verify(self, token: str) -> User:
        """Whose a token is, or Refused. It asks the server only for a key it has not seen yet."""
        claims = self._keys.open(token, "at+jwt") if len(token) <= _LONGEST else None
        if claims is None:
            raise _invalid()
        try:
            user, revision = self._read(claims)
        except ValueError:
            raise _invalid() from None
        with self._lock:
            ended = self._revoked.ended(user.session_id)
            outdated = self._revoked.outdated(user.id, user.org_id or "", revision)
            stale = self.stale
        if ended:
            raise Refused(401, "session_invalid", "The session of this access token has ended. Sign in again.")
        if outdated:
            raise Refused(401, "token_outdated", "Your rights have changed since this access token was issued. Refresh it.")
        if stale and self._on_stale == "refuse":
            raise Refused(503, "revocations_stale", "Whether this session has ended cannot be known at the moment. Try again in a few seconds.")
        return user

    def _read(self, claims: dict[str, Any]) -> tuple[User, str]:
        """Who holds a token, and the revision of their rights. ValueError where it is not for here and now."""
        now = int(time.time())
        if (
            text(claims, "iss") != self.issuer
            or text(claims, "aud") != self._audience
            or text(claims, "typ") != "access"
            or not text(claims, "sub")
            or seconds(claims, "exp") <= now
            or max(seconds(claims, "nbf"), seconds(claims, "iat")) > now + _LEEWAY
        ):
            raise ValueError("it is not for here and now")
        user = User(
            id=text(claims, "sub"),
            roles=strings(claims, "roles"),
            org_id=text(claims, "org") or None,
            org_roles=strings(claims, "org_roles"),
            session_id=text(claims, "sid"),
            amr=strings(claims, "amr"),
            auth_at=datetime.fromtimestamp(seconds(claims, "auth_time"), timezone.utc),
            actor_id=text(mapping(claims, "act"), "sub") or None,
        )
        return user, text(claims, "rev")

    def may(self, token: str, permission: str, org: Optional[str] = None) -> bool:
        """Asks the server whether whoever holds a token has a permission in an organization, by id or slug, or with None on the whole platform.

        Refused where the token is not good, and where there is no answer, as for a permission that was never declared.
        """
        question = {"permission": permission}
        if org is not None:
            question["org_id"] = org or "-"  # a name that was forgotten does not mean the platform: no organization is called so
        headers = {"Authorization": "Bearer " + token, "Content-Type": "application/json"}
        try:
            with ask(self._server + "/api/v1/check", json.dumps(question).encode(), headers) as answer:
                return json.loads(answer.read(64 << 10))["allowed"] is True
        except urllib.error.HTTPError as err:
            with err:
                if err.code == 401:
                    raise _invalid() from None
                why = f"{err} {err.read(64 << 10)!r}"
        except (*UNREACHABLE, ValueError, KeyError, TypeError) as err:
            why = str(err)
        log.error("the permission %s cannot be checked: %s", permission, why)
        raise Refused(503, "check_unavailable", "Whether you may do this cannot be known at the moment. Try again in a few seconds.")

    def problem(self, refused: Refused) -> dict[str, Any]:
        """What a refusal is answered with, as application/problem+json (RFC 9457)."""
        return {
            "type": f"{self.issuer}/docs/errors#{refused.code}",
            "title": HTTPStatus(refused.status).phrase,
            "status": refused.status,
            "detail": refused.detail,
            "code": refused.code,
        }

    def _follow(self) -> None:
        """Listens to the feed until it is over, and connects again whenever it breaks off."""
        over, cursor, pause, told = self._over, "", 0.1, False
        while not over.is_set():
            why = "it ended"
            try:
                for cursor in self._listen(cursor):
                    pause, told = 0.1, False
                    if over.is_set():
                        return
            except urllib.error.HTTPError as err:
                err.close()
                why = str(err)
                if err.code < 500:
                    cursor = ""
            except ValueError as err:  # it cannot be gone on with
                cursor, why = "", str(err)
            except Exception as err:  # whatever it was, nobody else begins again
                why = str(err)
            if self.stale and not told:
                log.warning("the revocation feed of the Admit server %s is not heard: %s", self._server, why)
                told = True
            over.wait(pause * random.uniform(1, 2))
            pause = min(2 * pause, 2.0)

    def _listen(self, cursor: str) -> Iterator[str]:
        """Hears one stream to its end, and gives the place after each message. ValueError after what cannot be gone on with."""
        url = self._server + "/api/v1/revocations/stream?since=" + urllib.parse.quote(cursor, safe="")
        with ask(url, timeout=2 * PATIENCE) as answer:
            place, last = "", time.monotonic()
            for line in iter(lambda: answer.readline(_LARGEST), b""):
                name, _, value = line.rstrip(b"\n").decode().partition(": ")
                if name == "id":
                    place = value
                elif name == "data":
                    self._hear(value)
                    last = time.monotonic()
                    yield place
                elif time.monotonic() - last > 2 * PATIENCE:
                    raise TimeoutError("the feed is silent")

    def _hear(self, message: str) -> None:
        """Takes in a message of the feed. ValueError where it is none of this server, or an old one shown again."""
        told, now = self._keys.open(message, TYPE), time.time()
        if told is None or text(told, "iss") != self.issuer or abs(now - seconds(told, "iat")) > _LEEWAY:
            raise ValueError("a message of the feed is not one of this server")
        with self._lock:
            self._revoked.add(told, now)
            self._heard = time.monotonic()
        self._ready.set()
