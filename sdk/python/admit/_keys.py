"""The server's public keys, and what they have signed."""

import base64
import json
import logging
import threading
import time
from typing import Any, Optional

import jwt

from ._http import UNREACHABLE, ask
from ._members import text

log = logging.getLogger("admit")

REST = 5.0  # seconds between two questions for a key that is not known
ALGORITHMS = ("ES256", "EdDSA", "RS256")


class Keys:
    """The key set of a server (RFC 7517), read when a key is asked for that is not known yet. For as many threads as come."""

    def __init__(self, server: str, secret: Optional[str]) -> None:
        self._url = server + "/.well-known/jwks.json"
        self._secret = secret
        self._known: dict[str, tuple[str, Any]] = {}  # algorithm and key by id; replaced as a whole
        self._asked: Optional[float] = None
        self._fetching = threading.Lock()

    def open(self, token: str, typ: str) -> Optional[dict[str, Any]]:
        """What a token of a type says, or None where its signature is not the server's (RFC 8725, sections 3.1, 3.2 and 3.11)."""
        try:
            signature = token.rpartition(".")[2]
            raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
            if base64.urlsafe_b64encode(raw).rstrip(b"=") != signature.encode():
                return None  # the same signature, written in another way
            header = jwt.get_unverified_header(token)
            if header.get("typ") != typ or "crit" in header:
                return None
            algorithm, key = self._key(header)
            if key is None:
                return None
            payload = json.loads(jwt.PyJWS().decode_complete(token, key, algorithms=[algorithm])["payload"])
            return payload if isinstance(payload, dict) else None
        except Exception as err:  # whatever a stranger's text does to those who read it, it is no token
            log.debug("a token cannot be read: %s", type(err).__name__)
            return None

    def _key(self, header: dict[str, Any]) -> tuple[str, Any]:
        if self._secret is not None:
            return "HS256", self._secret.encode()
        none: tuple[str, Any] = ("", None)
        name = text(header, "kid")
        if name in self._known:
            return self._known[name]
        with self._fetching:  # whoever comes while another asks waits for the answer
            now = time.monotonic()
            if name not in self._known and (self._asked is None or now - self._asked >= REST):
                self._asked = now
                try:
                    self._known = self._fetch()
                except (*UNREACHABLE, ValueError) as err:
                    log.warning("the keys of the Admit server cannot be read: %s", err)
            return self._known.get(name, none)

    def _fetch(self) -> dict[str, tuple[str, Any]]:
        with ask(self._url) as answer:
            given = json.loads(answer.read(1 << 20))
        keys: dict[str, tuple[str, Any]] = {}
        for item in given.get("keys", []) if isinstance(given, dict) else []:
            try:
                if item["alg"] in ALGORITHMS and "d" not in item:
                    keys[text(item, "kid")] = (item["alg"], jwt.PyJWK(item, item["alg"]).key)
            except Exception as err:  # of another kind than these, for other clients
                log.debug("a key of the Admit server is not used: %s", type(err).__name__)
        return keys
