"""For Django: decorators of views.

    auth = Auth("https://auth.example.com")

    @auth.require_user
    def me(request): return JsonResponse({"id": auth.current_user(request).id})

    @auth.require_permission("post_job", org="org_id")
    def post_job(request, org_id): ...
"""

import asyncio
import functools
from collections.abc import Sequence
from typing import Any, Callable, Optional, cast

from asgiref.sync import sync_to_async
from django.http import HttpRequest, JsonResponse

from ._guards import Decorator, Guards, View
from .client import Refused, User

__all__ = ["Auth", "User"]


class Auth(Guards[HttpRequest, Decorator]):
    """A Client whose guards are decorators. They take the view out of Django's protection against forged requests, which is about cookies: no page
    of another site can have a browser send an Authorization header."""

    def current_user(self, request: HttpRequest) -> User:
        """Who sends a request, or Refused, which it never is behind a guard."""
        known: dict[Auth, User] = request.__dict__.setdefault("_admit", {})
        if self not in known:
            known[self] = self.identify(request)
        return known[self]

    def _authorization(self, request: HttpRequest) -> Sequence[str]:
        given = request.META.get("HTTP_AUTHORIZATION")  # of several, the server makes one, which is no token
        return [] if given is None else [given]

    def _in_path(self, request: HttpRequest, name: str) -> object:
        match = request.resolver_match
        return None if match is None else match.kwargs.get(name)

    def _guard(self, check: Callable[[HttpRequest, User], None]) -> Decorator:
        def refusal(request: HttpRequest) -> Optional[JsonResponse]:
            try:
                check(request, self.current_user(request))
                return None
            except Refused as refused:
                answer = JsonResponse(self.problem(refused), status=refused.status, content_type="application/problem+json")
                for name, value in refused.headers.items():
                    answer[name] = value
                return answer

        def decorator(view: View) -> View:
            if asyncio.iscoroutinefunction(view):

                @functools.wraps(view)
                async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                    answer = await sync_to_async(refusal)(request)
                    return await view(request, *args, **kwargs) if answer is None else answer

            else:

                @functools.wraps(view)
                def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
                    answer = refusal(request)
                    return view(request, *args, **kwargs) if answer is None else answer

            guarded.csrf_exempt = True  # type: ignore[attr-defined]
            return cast(View, guarded)

        return decorator
