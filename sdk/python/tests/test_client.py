import base64
import json
import logging
import os
import threading
import time
import unittest
from datetime import datetime, timezone
from typing import Any, Callable
from unittest import mock

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from admit import Client, Refused, bearer
from admit._revoked import mark

from .fake import ISSUER, PATIENCE, Fake, forge, public, until


class Clock:
    """Stands in for the module time, and can be moved."""

    def __init__(self) -> None:
        self.moved = 0.0

    def time(self) -> float:
        return time.time() + self.moved

    def monotonic(self) -> float:
        return time.monotonic() + self.moved


class Case(unittest.TestCase):
    def setUp(self) -> None:
        self.fake = self.enter(Fake())
        self.enter(mock.patch("admit.client.PATIENCE", PATIENCE))
        logging.disable(logging.CRITICAL)

    def enter(self, context: Any) -> Any:
        value = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        return value

    def client(self, **options: Any) -> Client:
        client = Client(ISSUER, server=self.fake.url, **options)
        self.addCleanup(client.close)
        return client

    def heard(self, **options: Any) -> Client:
        """A client that has heard of the server."""
        client = self.client(**options)
        self.tell(client, whole=True)
        return client

    def tell(self, client: Client, **message: Any) -> None:
        """Has a client hear a message."""
        before = client._heard
        self.fake.feed.put(self.fake.message("c", **message))
        until("the message is heard", lambda: client._heard != before)

    def refused(self, client: Client, token: str) -> str:
        """The code of the refusal of a token, "" where it is good."""
        try:
            client.verify(token)
            return ""
        except Refused as refused:
            return refused.code


class Tokens(Case):
    def test_who_it_is(self) -> None:
        client = self.heard()
        user = client.verify(self.fake.token(act={"sub": "usr_2"}, auth_time=1900000000))
        self.assertEqual((user.id, user.roles, user.org_id, user.org_roles, user.session_id, user.amr), ("usr_1", ("manager",), "org_1", ("recruiter",), "ses_1", ("pwd",)))
        self.assertEqual((user.auth_at, user.actor_id), (datetime.fromtimestamp(1900000000, timezone.utc), "usr_2"))
        self.assertTrue(user.has_role("manager") and not user.has_role("super_admin"))
        bare = client.verify(self.fake.token(org=None, org_roles=None, roles=[]))
        self.assertEqual((bare.org_id, bare.org_roles, bare.roles, bare.actor_id), (None, (), (), None))

    def test_hostile_tokens(self) -> None:
        client, fake = self.heard(), self.fake
        good, claims, other = fake.token(), fake.claims(), ec.generate_private_key(ec.SECP256R1())
        head, body, signature = good.split(".")
        header = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
        pem = fake.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

        def mac(signed: bytes) -> bytes:
            import hashlib
            import hmac

            return hmac.new(pem, signed, hashlib.sha256).digest()

        def real(signed: bytes) -> bytes:
            return jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(signed, fake.key)

        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        raised = json.dumps({**claims, "roles": ["super_admin"]}).encode()
        bad = {
            "nothing": "", "a dot": ".", "two dots": "..", "text": "hello", "no signature": f"{head}.{body}.", "two parts": f"{head}.{body}", "four parts": good + ".x",
            "alg none": forge({**header, "alg": "none"}, claims), "alg None": forge({**header, "alg": "None"}, claims, real), "no alg": forge({"typ": "at+jwt", "kid": "k1"}, claims, real),
            "alg none with its signature": forge({**header, "alg": "none"}, claims, real),
            "the public key as a secret": forge({**header, "alg": "HS256"}, claims, mac),
            "alg of another key": forge({**header, "alg": "EdDSA"}, claims, real), "alg as list": forge({**header, "alg": ["ES256"]}, claims, real),
            "type of any JWT": fake.sign(claims, typ="JWT"), "type of the feed": fake.sign(claims, typ="revocations+jwt"), "a message of the feed": fake.signed(),
            "kid of nobody": fake.sign(claims, kid="k2"), "no kid": forge({"alg": "ES256", "typ": "at+jwt"}, claims, real), "kid as list": forge({**header, "kid": ["k1"]}, claims, real),
            "kid as path": fake.sign(claims, kid="../../dev/null"), "another key": fake.sign(claims, key=other),
            "its own key": fake.sign(claims, key=other, jwk=public(other, "k1", "ES256")), "an address of a key": fake.sign(claims, key=other, jku="https://evil.example/keys"),
            "critical extension": fake.sign(claims, crit=["exp"], exp=1), "critical b64": fake.sign(claims, crit=["b64"]),
            "other issuer": fake.token(iss="https://evil.example"), "issuer with a slash": fake.token(iss=ISSUER + "/"), "no issuer": fake.token(iss=None),
            "other audience": fake.token(aud="https://other.example"), "audiences": fake.token(aud=[ISSUER]), "no audience": fake.token(aud=None),
            "expired": fake.token(exp=int(time.time()) - 1), "expires now": fake.token(exp=int(time.time())), "no end": fake.token(exp=None), "end as text": fake.token(exp="9999999999"),
            "end as truth": fake.token(exp=True), "endless": fake.token(exp=1 << 80), "end in fractions": fake.token(exp=time.time() + 900), "end at infinity": fake.token(exp=float("inf")),
            "not yet": fake.token(nbf=int(time.time()) + 60), "issued later": fake.token(iat=int(time.time()) + 60),
            "a refresh token": fake.token(typ="refresh"), "no type": fake.token(typ=None), "nobody": fake.token(sub=""), "no subject": fake.token(sub=None), "subject as number": fake.token(sub=1),
            "roles as text": fake.token(roles="super_admin"), "roles as numbers": fake.token(roles=[1]), "act as text": fake.token(act="usr_2"), "session as number": fake.token(sid=7),
            "proved in the year 300000": fake.token(auth_time=1 << 43),
            "a list": fake.sign([1]), "null": fake.sign(None), "no JSON": forge(header, b"{", real), "no JSON in front": forge(b"{", claims, real), "a list in front": forge([], claims, real),
            "deep": forge(b"[" * 3000, claims, real), "deep within": forge(header, b"[" * 3000 + b"]" * 3000, real), "not UTF-8": forge(header, b"\xff", real),
            "other claims": f"{head}.{base64.urlsafe_b64encode(raised).rstrip(b'=').decode()}.{signature}",
            "other header": forge({**header, "x": 1}, b"", lambda _: b"").split(".")[0] + f".{body}.{signature}",
            "signature changed": f"{head}.{body}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}", "signature cut": good[:-4],
            "signature written otherwise": good[:-1] + alphabet[alphabet.index(good[-1]) ^ 1], "signature with padding": good + "==", "signature and more": good + "!!!!", "a line more": good + "\n",
            "a space before": " " + good, "letters of others": good + "é", "half a letter": good + "\ud800", "NUL": good + "\0", "too long": fake.token(x="x" * 9000),
        }  # fmt: skip
        for name, token in bad.items():
            with self.subTest(name):
                self.assertEqual(self.refused(client, token), "invalid_token")
        self.assertEqual(self.refused(client, good), "")
        self.assertEqual(self.refused(client, fake.token(nbf=int(time.time()) + 20, iat=int(time.time()) + 20)), "", "clocks may differ")

    def test_algorithms(self) -> None:
        edwards, large = ed25519.Ed25519PrivateKey.generate(), rsa.generate_private_key(65537, 2048)
        self.fake.keys += [public(edwards, "ed", "EdDSA"), public(large, "rs", "RS256"), {"kty": "oct", "k": "AAAA", "kid": "hs", "alg": "HS256"}, {"kty": "?"}, 7, {"kid": "k", "alg": "ES256", "kty": "EC"}]
        client, claims = self.heard(), self.fake.claims()
        self.assertEqual(self.refused(client, self.fake.sign(claims, key=edwards, alg="EdDSA", kid="ed")), "")
        self.assertEqual(self.refused(client, self.fake.sign(claims, key=large, alg="RS256", kid="rs")), "")
        self.assertEqual(self.refused(client, self.fake.sign(claims, key=large, alg="RS512", kid="rs")), "invalid_token")
        self.assertEqual(self.refused(client, self.fake.sign(claims, key=b"\0\0\0", alg="HS256", kid="hs")), "invalid_token")

    def test_secret(self) -> None:
        client = self.client(secret="a secret of thirty-two characters!", on_stale="accept")
        sign = lambda secret: self.fake.sign(self.fake.claims(), key=secret, alg="HS256")
        self.assertEqual(self.refused(client, sign(b"a secret of thirty-two characters!")), "")
        self.assertEqual(self.refused(client, sign(b"another one of thirty-two letters!")), "invalid_token")
        self.assertEqual(self.refused(client, self.fake.token()), "invalid_token")

    def test_new_keys(self) -> None:
        clock = self.enter(mock.patch("admit._keys.time", Clock()))
        client = self.heard()
        old = self.fake.token()
        self.assertEqual((self.refused(client, old), self.fake.asked_keys), ("", 1))
        self.fake.key = ec.generate_private_key(ec.SECP256R1())
        self.fake.kid, self.fake.keys = "k2", [public(self.fake.key, "k2", "ES256")]
        for _ in range(20):
            self.assertEqual(self.refused(client, self.fake.token()), "invalid_token")
        self.assertEqual(self.fake.asked_keys, 1, "a stranger can have the server asked again and again")
        clock.moved += 5
        self.assertEqual((self.refused(client, self.fake.token()), self.fake.asked_keys), ("", 2))
        self.assertEqual(self.refused(client, old), "invalid_token", "a key that is gone is gone")
        clock.moved += 5
        self.fake.away = True
        self.assertEqual(self.refused(client, self.fake.sign(self.fake.claims(), kid="k3")), "invalid_token")
        self.assertEqual(self.refused(client, self.fake.token()), "", "keys that are known hold while no others can be read")

    def test_many_ask_once(self) -> None:
        client, found = self.client(on_stale="accept"), []
        tokens = [self.fake.token() for _ in range(16)]
        threads = [threading.Thread(target=lambda token=token: found.append(self.refused(client, token))) for token in tokens]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual((found, self.fake.asked_keys), ([""] * 16, 1))


class Feed(Case):
    def test_silence_is_no_consent(self) -> None:
        clock = self.enter(mock.patch("admit.client.time", Clock()))
        client = self.client()
        self.assertFalse(client.ready(0))
        self.assertEqual((self.refused(client, self.fake.token()), client.stale), ("revocations_stale", True))
        self.tell(client)
        self.assertTrue(client.ready(0))
        self.assertEqual((self.refused(client, self.fake.token()), client.stale), ("", False))
        clock.moved += PATIENCE + 0.001
        self.assertEqual((self.refused(client, self.fake.token(exp=int(clock.time()) + 900)), client.stale), ("revocations_stale", True))
        self.tell(client, iat=int(clock.time()))
        self.assertEqual((client.stale, self.refused(client, self.fake.token(exp=int(clock.time()) + 900))), (False, ""))

    def test_goes_on_where_it_was(self) -> None:
        client = self.heard()
        self.fake.away = True
        self.fake.feed.put(self.fake.message("c 2&"))
        self.fake.feed.put(None)
        until("the stream has ended", self.fake.feed.empty)
        self.fake.away = False
        until("it connects again", lambda: len(self.fake.since) == 2)
        self.assertEqual(self.fake.since, ["", "c 2&"])
        self.tell(client)

    def test_accept(self) -> None:
        clock = self.enter(mock.patch("admit.client.time", Clock()))
        client = self.client(on_stale="accept")
        self.assertEqual(self.refused(client, self.fake.token()), "")
        self.tell(client, ended=[mark("session", "ses_2")])
        clock.moved += PATIENCE + 1
        self.assertTrue(client.stale)
        late = int(clock.time()) + 900
        self.assertEqual(self.refused(client, self.fake.token(exp=late)), "")
        self.assertEqual(self.refused(client, self.fake.token(sid="ses_2", exp=late)), "session_invalid", "what was heard goes on to hold")

    def test_ended(self) -> None:
        clock = self.enter(mock.patch("admit.client.time", Clock()))
        client = self.heard()
        token = self.fake.token()
        self.assertEqual(self.refused(client, token), "")
        self.tell(client, ended=[mark("session", "ses_1")], keep=100)
        self.assertEqual(self.refused(client, token), "session_invalid")
        self.assertEqual(self.refused(client, self.fake.token(sid="ses_2")), "")
        self.tell(client)
        self.assertEqual(self.refused(client, token), "session_invalid")
        clock.moved += 61  # it sweeps, and this is to be remembered still
        self.tell(client, iat=int(clock.time()))
        self.assertEqual(self.refused(client, token), "session_invalid")
        clock.moved += 61
        self.tell(client, iat=int(clock.time()))
        self.assertEqual(self.refused(client, token), "")

    def test_whole_begins_anew(self) -> None:
        client = self.heard()
        self.tell(client, ended=[mark("session", "ses_1")], changed={mark("rights", "", "usr_1"): 9})
        self.tell(client, whole=True)
        self.assertEqual(self.refused(client, self.fake.token()), "")

    def test_revisions(self) -> None:
        client = self.heard()
        self.tell(client, changed={mark("rights", "", "usr_1"): 5, mark("rights", "org_1", "usr_1"): 7, mark("rights", "org_2", ""): 9, mark("rights", "org_3", "usr_2"): 99})
        self.tell(client, changed={mark("rights", "org_1", "usr_1"): 6})
        for org, rev, code in (
            (None, "az1.e.4", "token_outdated"), (None, "az1.e.5", ""), ("org_1", "az1.e.6", "token_outdated"), ("org_1", "az1.e.7", ""),
            ("org_2", "az1.e.8", "token_outdated"), ("org_2", "az1.e.9", ""), ("org_3", "az1.e.5", ""), (None, "az1.other.50", "token_outdated"),
            (None, "", "token_outdated"), (None, None, "token_outdated"), (None, "az1.e.x", "token_outdated"), (None, "az1.e.\u0665", "token_outdated"), (None, "az1.e." + "9" * 5000, "token_outdated"),
        ):  # fmt: skip
            with self.subTest(org=org, rev=rev):
                self.assertEqual(self.refused(client, self.fake.token(org=org, rev=rev)), code)

    def test_marks_are_the_servers(self) -> None:
        # TestMarks of the server holds the same.
        self.assertEqual(mark("session", "ses_1"), "VLai6aSh3cYhraXfXcfhuA")
        self.assertEqual(mark("rights", "org_1", "usr_1"), "r82VlWnlmoSUfgxicBHdQw")

    def test_messages_of_others(self) -> None:
        now = int(time.time())
        bad: dict[str, Callable[[Fake], str]] = {
            "an access token": lambda fake: fake.message("c2", typ="at+jwt"),
            "another issuer": lambda fake: fake.message("c2", iss="https://evil.example"),
            "an old one": lambda fake: fake.message("c2", iat=now - 40),
            "one to come": lambda fake: fake.message("c2", iat=now + 40),
            "another key": lambda _: Fake().message("c2"),
            "no signature": lambda _: "id: c2\ndata: {}\n\n",
            "nothing": lambda _: "id: c2\ndata: \n\n",
            "no text": lambda _: "id: c2\ndata: é\n\n",
            "changed that is none": lambda fake: fake.message("c2", changed=[1]),
            "keep that is none": lambda fake: fake.message("c2", keep="x"),
            "ended that is none": lambda fake: fake.message("c2", ended=[1]),
            "revision that is none": lambda fake: fake.message("c2", changed={"x": "y"}),
        }
        for name, message in bad.items():
            with self.subTest(name):
                self.fake = self.enter(Fake())
                self.fake.feed.put(message(self.fake))
                client = self.client()
                until("it connects again", lambda: len(self.fake.since) == 2)
                self.assertTrue(client.stale, "it is believed")
                self.tell(client)
                self.assertEqual((self.fake.since, client.stale), (["", ""], False))

    def test_close(self) -> None:
        client = self.heard()
        thread = next(thread for thread in threading.enumerate() if thread.name == "admit" and thread._target == client._follow)  # type: ignore[attr-defined]
        client.close()
        self.fake.beating.set()
        thread.join(30)
        self.assertFalse(thread.is_alive())

    @unittest.skipUnless(hasattr(os, "fork"), "there is no fork")
    def test_fork(self) -> None:
        self.fake.beating.set()
        client = self.client()
        self.assertTrue(client.ready(30))
        with client._lock:  # as if another thread were at it
            child = os.fork()
            if child == 0:
                try:
                    os._exit(0 if client._heard is None and client.ready(30) and self.refused(client, self.fake.token()) == "" else 1)
                finally:
                    os._exit(2)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)


class Questions(Case):
    def test_may(self) -> None:
        client = self.client()
        self.assertTrue(client.may("t", "post_job", "acme"))
        self.fake.answer = (200, {"allowed": False})
        self.assertFalse(client.may("t", "post_job"))
        self.assertFalse(client.may("t", "post_job", ""))
        self.assertEqual(
            self.fake.questions,
            [("Bearer t", {"permission": "post_job", "org_id": "acme"}), ("Bearer t", {"permission": "post_job"}), ("Bearer t", {"permission": "post_job", "org_id": "-"})],
        )

    def test_no_answer_is_no_consent(self) -> None:
        client = self.client()
        for status, answer, code in (
            (401, {}, "invalid_token"), (403, {}, "check_unavailable"), (404, {"code": "permission_unknown"}, "check_unavailable"), (500, {}, "check_unavailable"),
            (302, {"allowed": True}, "check_unavailable"), (200, {}, "check_unavailable"), (200, [], "check_unavailable"), (200, None, "check_unavailable"),
        ):  # fmt: skip
            self.fake.answer = (status, answer)
            with self.subTest(status=status, answer=answer), self.assertRaises(Refused) as raised:
                client.may("t", "post_job")
            self.assertEqual(raised.exception.code, code)
        self.fake.answer = (200, {"allowed": "yes"})
        self.assertFalse(client.may("t", "post_job"))
        gone = Client(ISSUER, server="http://127.0.0.1:9")
        self.addCleanup(gone.close)
        with self.assertRaises(Refused) as raised:
            gone.may("t", "post_job")
        self.assertEqual(raised.exception.status, 503)

    def test_bearer(self) -> None:
        self.assertEqual(bearer(["Bearer x"]), "x")
        self.assertEqual(bearer(["bEARER   x.y"]), "x.y")
        for given in ([], [""], ["Bearer"], ["Bearer "], ["Basic x"], ["Bearer x", "Bearer x"], ["Bearer\tx"], ["x"]):
            with self.subTest(given), self.assertRaises(Refused) as raised:
                bearer(given)
            self.assertEqual((raised.exception.code, raised.exception.headers["WWW-Authenticate"]), ("unauthenticated", 'Bearer realm="admit"'))

    def test_problems(self) -> None:
        problem = self.client().problem(Refused(503, "revocations_stale", "Why."))
        self.assertEqual(problem, {"type": ISSUER + "/docs/errors#revocations_stale", "title": "Service Unavailable", "status": 503, "detail": "Why.", "code": "revocations_stale"})
        self.assertEqual(Refused(503, "x", "y").headers, {"Cache-Control": "no-store", "Retry-After": "2"})

    def test_options(self) -> None:
        for issuer, options in (("auth.example.com", {}), ("ftp://auth.example.com", {}), ("https://", {}), (ISSUER + "?x", {}), (ISSUER, {"server": "x"}), (ISSUER, {"on_stale": "perhaps"})):
            with self.subTest(issuer=issuer, **options), self.assertRaises(ValueError):
                Client(issuer, **options)
