"""An Admit server that does as the test says."""

import base64
import json
import queue
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Optional
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

ISSUER = "https://auth.example.com"
PATIENCE = 1000.0  # of clients in tests: a busy machine is no silence


def public(key: Any, kid: str, alg: str) -> dict[str, Any]:
    """A key as it is in the key set."""
    kinds = {"ES256": jwt.algorithms.ECAlgorithm, "EdDSA": jwt.algorithms.OKPAlgorithm, "RS256": jwt.algorithms.RSAAlgorithm}
    told = json.loads(kinds[alg].to_jwk(key.public_key()))
    if alg == "ES256":  # of whole length (RFC 7518, section 6.2.1.2); PyJWT leaves the zeros away that one coordinate in 256 begins with
        point = key.public_key().public_numbers()
        told |= {name: base64.urlsafe_b64encode(n.to_bytes(32, "big")).rstrip(b"=").decode() for name, n in (("x", point.x), ("y", point.y))}
    return {**told, "kid": kid, "alg": alg, "use": "sig"}


class Fake:
    """Its keys, its feed and its answers. Used as a context."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.kid = "k1"
        self.keys = [public(self.key, "k1", "ES256")]
        self.asked_keys = 0
        self.since: list[str] = []  # what the feed was asked for
        self.questions: list[Any] = []  # what /api/v1/check was asked
        self.answer: tuple[int, Any] = (200, {"allowed": True})
        self.feed: "queue.Queue[Optional[str]]" = queue.Queue()  # None ends a stream
        self.turn = threading.Lock()  # of the streams, to take something of the feed
        self.beating = threading.Event()  # a message again and again
        self.away = False
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def reply(self, status: int, body: Any, **headers: str) -> None:
                text = json.dumps(body).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self) -> None:
                address = urlsplit(self.path)
                if fake.away:
                    self.reply(500, {})
                elif address.path == "/.well-known/jwks.json":
                    fake.asked_keys += 1
                    self.reply(200, {"keys": fake.keys})
                elif address.path == "/api/v1/revocations/stream":
                    with fake.turn:
                        fake.since.append(parse_qs(address.query).get("since", [""])[0])
                        mine = len(fake.since)
                    self.send_response(200)
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    try:
                        self.stream(mine)
                    except OSError:
                        self.close_connection = True  # nobody listens any more
                else:
                    self.reply(200, {"allowed": True})  # where a redirect leads to

            def stream(self, mine: int) -> None:
                text: Optional[str]
                while True:
                    with fake.turn:
                        if mine != len(fake.since):
                            return  # who listened before has gone
                        try:
                            text = fake.feed.get_nowait()
                        except queue.Empty:
                            text = ""
                    if text == "":
                        time.sleep(0.005)
                        text = fake.message("beat") if fake.beating.is_set() else ""
                    if text is None or fake.closed:
                        self.wfile.write(b"0\r\n\r\n")
                        return
                    if text:
                        self.wfile.write(f"{len(text.encode()):x}\r\n{text}\r\n".encode())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.questions.append((self.headers["Authorization"], body))
                status, answer = fake.answer
                self.reply(status, answer, **({"Location": "/elsewhere"} if status == 302 else {}))

        self.closed = False
        self._handler = Handler

    def __enter__(self) -> "Fake":
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.closed = True
        self._server.shutdown()
        self._server.server_close()

    def sign(self, claims: Any, typ: str = "at+jwt", key: Any = None, alg: str = "ES256", **headers: Any) -> str:
        given = {"typ": typ, "kid": self.kid, **headers}
        return jwt.PyJWS().encode(json.dumps(claims).encode(), key or self.key, algorithm=alg, headers=given)

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": ISSUER, "aud": ISSUER, "sub": "usr_1", "sid": "ses_1", "typ": "access", "rev": "az1.e.5", "exp": now + 900, "iat": now, "nbf": now,
            "roles": ["manager"], "org": "org_1", "org_roles": ["recruiter"], "amr": ["pwd"], "auth_time": now, **other,
        }  # fmt: skip

    def token(self, **other: Any) -> str:
        return self.sign(self.claims(**other))

    def signed(self, typ: str = "revocations+jwt", **other: Any) -> str:
        """A message of the feed as it is signed."""
        told = {"iss": ISSUER, "iat": int(time.time()), "cursor": "c", "keep": 1000, "epoch": "e", "whole": False, "ended": [], "changed": {}, **other}
        return self.sign(told, typ=typ)

    def message(self, cursor: str, **other: Any) -> str:
        """The same as it is sent."""
        return f"id: {cursor}\ndata: {self.signed(cursor=cursor, **other)}\n\n"


def forge(header: Any, claims: Any, sign: Callable[[bytes], bytes] = lambda _: b"") -> str:
    """A token with any header at all."""
    parts = [base64.urlsafe_b64encode(part if isinstance(part, bytes) else json.dumps(part).encode()).rstrip(b"=") for part in (header, claims)]
    signed = b".".join(parts)
    return (signed + b"." + base64.urlsafe_b64encode(sign(signed)).rstrip(b"=")).decode()


def until(what: str, so: Callable[[], object]) -> None:
    """Asks until it is so."""
    for _ in range(2000):
        if so():
            return
        time.sleep(0.005)
    raise AssertionError("never: " + what)
