"""The guards of each framework, in this process."""

import asyncio
import json
import logging
import time
import unittest
from datetime import timedelta
from typing import Any, Callable
from unittest import mock


from .fake import ISSUER, PATIENCE, Fake

Ask = Callable[..., tuple[int, dict[str, str], Any]]  # method, path, values of Authorization -> status, headers, body


class Walk:
    """What holds in every framework. An app has the routes /me, /orgs/{org_id}/jobs, /platform/jobs, /query/jobs?org=, /report, /fresh and /async."""

    def app(self, url: str) -> tuple[Any, Ask]:
        raise NotImplementedError

    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.fake = Fake().__enter__()
        self.addCleanup(self.fake.__exit__)  # type: ignore[attr-defined]
        patience = mock.patch("admit.client.PATIENCE", PATIENCE)
        patience.start()
        self.addCleanup(patience.stop)  # type: ignore[attr-defined]
        self.fake.beating.set()
        self.auth, self.ask = self.app(self.fake.url)
        self.addCleanup(self.auth.close)  # type: ignore[attr-defined]
        assert self.auth.ready(30)

    def code(self, method: str, path: str, *given: str) -> Any:
        """The status of an answer, and of a refusal its code."""
        status, headers, body = self.ask(method, path, *given)
        if status == 200:
            return 200
        assert headers["content-type"].startswith("application/problem+json"), headers
        assert (body["status"], body["type"]) == (status, f"{ISSUER}/docs/errors#{body['code']}"), body
        assert headers["cache-control"] == "no-store", headers
        return status, body["code"], headers.get("www-authenticate"), headers.get("retry-after")

    def test_walk(self) -> None:
        fake, code, equal = self.fake, self.code, self.assertEqual  # type: ignore[attr-defined]
        good = "Bearer " + fake.token()
        challenge = 'Bearer realm="admit"'
        for path in ("/me", "/report", "/fresh", "/async"):
            equal(code("GET", path, good), 200, path)
            equal(code("GET", path), (401, "unauthenticated", challenge, None), path)
            equal(code("GET", path, "Basic eA=="), (401, "unauthenticated", challenge, None), path)
            equal(code("GET", path, "Bearer x"), (401, "invalid_token", challenge + ', error="invalid_token"', None), path)
            equal(code("GET", path, good, good)[0], 401, path)
        equal(self.ask("GET", "/me", good)[2]["id"], "usr_1")
        equal(code("GET", "/report", "Bearer " + fake.token(roles=["user"])), (403, "missing_role", None, None))
        equal(code("GET", "/fresh", "Bearer " + fake.token(auth_time=int(time.time()) - 601)), (403, "reauthentication_required", None, None))

        jobs = "/orgs/acme/jobs"
        equal(code("POST", jobs, good), 200)
        equal(code("POST", "/platform/jobs", good), 200)
        equal(code("POST", "/query/jobs?org=acme", good), 200)
        equal(code("POST", "/query/jobs", good), 200)
        asked = [question for _, question in fake.questions]
        equal([question.get("org_id") for question in asked], ["acme", None, "acme", "-"])
        equal((fake.questions[0][0], asked[0]["permission"]), (good, "post_job"))
        equal(code("POST", jobs), (401, "unauthenticated", challenge, None))
        equal(len(fake.questions), 4, "a stranger has the server asked")
        fake.answer = (200, {"allowed": False})
        equal(code("POST", jobs, good), (403, "missing_permission", None, None))
        fake.answer = (404, {})
        equal(code("POST", jobs, good), (503, "check_unavailable", None, "2"))
        with mock.patch.object(type(self.auth), "stale", True):
            equal(code("GET", "/me", good), (503, "revocations_stale", None, "2"))


class FastAPI(Walk, unittest.TestCase):
    def app(self, url: str) -> tuple[Any, Ask]:
        import fastapi

        from admit.fastapi import Auth, Problem, User, answer

        auth, app = Auth(ISSUER, server=url), fastapi.FastAPI()
        app.add_exception_handler(Problem, answer)

        def me(user: User = fastapi.Depends(auth.current_user)) -> User:
            return user

        async def later(user: User = auth.require_user) -> User:
            return user

        def nothing() -> None: ...

        app.get("/me")(me)
        app.get("/async")(later)
        app.get("/report", dependencies=[auth.require_global_role("manager")])(nothing)
        app.get("/fresh", dependencies=[auth.require_fresh(timedelta(minutes=10))])(nothing)
        app.post("/orgs/{org_id}/jobs", dependencies=[auth.require_permission("post_job", org="org_id")])(nothing)
        app.post("/platform/jobs", dependencies=[auth.require_permission("post_job")])(nothing)
        app.post("/query/jobs", dependencies=[auth.require_permission("post_job", org=lambda request: request.query_params.get("org"))])(nothing)
        self.api = app

        def ask(method: str, path: str, *given: str) -> tuple[int, dict[str, str], Any]:
            path, _, query = path.partition("?")
            scope = {
                "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(),
                "root_path": "", "headers": [(b"authorization", value.encode()) for value in given], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
            }  # fmt: skip
            sent: list[Any] = []

            async def receive() -> Any:
                return {"type": "http.request", "body": b"", "more_body": False}

            async def send(message: Any) -> None:
                sent.append(message)

            asyncio.run(app(scope, receive, send))
            headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
            return sent[0]["status"], headers, json.loads(b"".join(message.get("body", b"") for message in sent[1:]))

        return auth, ask

    def test_document(self) -> None:
        document = self.api.openapi()
        schemes = document["components"]["securitySchemes"]
        self.assertEqual(schemes["password"]["flows"]["password"]["tokenUrl"], ISSUER + "/api/v1/login")
        self.assertEqual((schemes["bearer"]["type"], schemes["bearer"]["scheme"]), ("http", "bearer"))
        for path, operations in document["paths"].items():
            for operation in operations.values():
                self.assertEqual(operation["security"], [{"password": []}, {"bearer": []}], path)
                self.assertEqual([p["name"] for p in operation.get("parameters", [])], [], path)

    def test_without_the_handler(self) -> None:
        from admit.fastapi import Problem

        del self.api.exception_handlers[Problem]
        status, headers, body = self.ask("GET", "/me")
        self.assertEqual((status, body["detail"]["code"], headers["www-authenticate"]), (401, "unauthenticated", 'Bearer realm="admit"'))


class Flask(Walk, unittest.TestCase):
    def app(self, url: str) -> tuple[Any, Ask]:
        import flask

        from admit.flask import Auth

        auth, app = Auth(ISSUER, server=url), flask.Flask(__name__)

        def me() -> Any:
            return {"id": auth.current_user.id}

        def nothing(**_: str) -> Any:
            return {}

        app.get("/me", endpoint="me")(auth.require_user(me))
        app.get("/async", endpoint="async")(me)  # it refuses by itself
        app.get("/report", endpoint="report")(auth.require_global_role("manager")(nothing))
        app.get("/fresh", endpoint="fresh")(auth.require_fresh(timedelta(minutes=10))(nothing))
        app.post("/orgs/<org_id>/jobs", endpoint="jobs")(auth.require_permission("post_job", org="org_id")(nothing))
        app.post("/platform/jobs", endpoint="platform")(auth.require_permission("post_job")(nothing))
        app.post("/query/jobs", endpoint="query")(auth.require_permission("post_job", org=lambda request: request.args.get("org"))(nothing))
        app.testing = True

        def ask(method: str, path: str, *given: str) -> tuple[int, dict[str, str], Any]:
            answer = app.test_client().open(path, method=method, headers=[("Authorization", value) for value in given])
            return answer.status_code, {name.lower(): value for name, value in answer.headers}, answer.json

        return auth, ask


class Django(Walk, unittest.TestCase):
    def app(self, url: str) -> tuple[Any, Ask]:
        import django.conf
        from django.http import HttpRequest, JsonResponse
        from django.test import Client
        from django.urls import path

        from admit.django import Auth

        auth = Auth(ISSUER, server=url)

        @auth.require_user
        def me(request: HttpRequest) -> Any:
            return JsonResponse({"id": auth.current_user(request).id})

        @auth.require_user
        async def later(request: HttpRequest) -> Any:
            return JsonResponse({"id": auth.current_user(request).id})

        def nothing(request: HttpRequest, **_: str) -> Any:
            return JsonResponse({})

        class Routes:
            urlpatterns = [
                path("me", me),
                path("async", later),
                path("report", auth.require_global_role("manager")(nothing)),
                path("fresh", auth.require_fresh(timedelta(minutes=10))(nothing)),
                path("orgs/<str:org_id>/jobs", auth.require_permission("post_job", org="org_id")(nothing)),
                path("platform/jobs", auth.require_permission("post_job")(nothing)),
                path("query/jobs", auth.require_permission("post_job", org=lambda request: request.GET.get("org"))(nothing)),
            ]

        if not django.conf.settings.configured:
            django.conf.settings.configure(ALLOWED_HOSTS=["testserver"], MIDDLEWARE=["django.middleware.csrf.CsrfViewMiddleware"])
            django.setup()
        routes = django.test.override_settings(ROOT_URLCONF=Routes)
        routes.enable()
        self.addCleanup(routes.disable)
        client = Client(enforce_csrf_checks=True)

        def ask(method: str, path: str, *given: str) -> tuple[int, dict[str, str], Any]:
            more = {"HTTP_AUTHORIZATION": ",".join(given)} if given else {}  # as servers join them
            answer = client.generic(method, path, **more)
            return answer.status_code, {name.lower(): value for name, value in answer.items()}, answer.json()

        return auth, ask
