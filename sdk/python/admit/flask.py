"""For Flask: decorators, under the one of the route.

    auth = Auth("https://auth.example.com")

    @app.get("/me")
    @auth.require_user
    def me(): return {"id": auth.current_user.id}

    @app.post("/orgs/<org_id>/jobs")
    @auth.require_permission("post_job", org="org_id")
    def post_job(org_id): ...
"""

import functools
from collections.abc import Sequence
from typing import Any, Callable, NoReturn, cast

from flask import Request, abort, current_app, g, json, request

from ._guards import Decorator, Guards, View
from .client import Refused, User

__all__ = ["Auth", "User"]


class Auth(Guards[Request, Decorator]):
    """A Client whose guards are decorators. A function for org is given flask.request."""

    @property
    def current_user(self) -> User:
        """Who sends the request. Where that is nobody, the request is answered with 401 and the view ends, with or without a guard."""
        known: dict[Auth, User] = g.setdefault("_admit", {})
        if self not in known:
            try:
                known[self] = self.identify(request)
            except Refused as refused:
                self._answer(refused)
        return known[self]

    def _answer(self, refused: Refused) -> NoReturn:
        body = json.dumps(self.problem(refused))
        abort(current_app.response_class(body, refused.status, refused.headers, content_type="application/problem+json"))

    def _authorization(self, request: Request) -> Sequence[str]:
        return request.headers.getlist("Authorization")

    def _in_path(self, request: Request, name: str) -> object:
        return (request.view_args or {}).get(name)

    def _guard(self, check: Callable[[Request, User], None]) -> Decorator:
        def decorator(view: View) -> View:
            @functools.wraps(view)
            def guarded(*args: Any, **kwargs: Any) -> Any:
                try:
                    check(request, self.current_user)
                except Refused as refused:
                    self._answer(refused)
                return current_app.ensure_sync(view)(*args, **kwargs)

            return cast(View, guarded)

        return decorator
