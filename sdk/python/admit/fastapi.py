"""For FastAPI: dependencies, and an Authorize button in the app's own /docs.

    auth = Auth("https://auth.example.com")
    app.add_exception_handler(Problem, answer)

    @app.get("/me")
    def me(user: User = Depends(auth.current_user)): ...

    @app.post("/orgs/{org_id}/jobs", dependencies=[auth.require_permission("post_job", org="org_id")])
    def post_job(org_id: str): ...
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Callable

from fastapi import Depends, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer, OAuth2PasswordBearer

from ._guards import Guards
from .client import Refused, User

__all__ = ["Auth", "Problem", "User", "answer"]


class Problem(HTTPException):
    """A refusal. Its detail is a problem (RFC 9457); answer sends it as one."""


async def answer(_: Request, problem: Exception) -> JSONResponse:
    """Answers a Problem: app.add_exception_handler(Problem, answer). Without it FastAPI puts the problem into {"detail": …}."""
    assert isinstance(problem, Problem)
    return JSONResponse(problem.detail, problem.status_code, problem.headers, "application/problem+json")


class Auth(Guards[Request, Any]):
    """A Client whose guards are dependencies: dependencies=[auth.require_user], or user: User = auth.require_user.

    current_user is the dependency of all of them, for Depends.
    """

    current_user: Callable[..., User]

    def __init__(self, issuer: str, **options: Any) -> None:
        """The options are those of Client."""
        super().__init__(issuer, **options)
        sign_in = OAuth2PasswordBearer(self.issuer + "/api/v1/login", "password", description="Sign in with a username or an e-mail address.", auto_error=False)
        paste = HTTPBearer(bearerFormat="JWT", scheme_name="bearer", description="An access token.", auto_error=False)

        # The two schemes are there for /docs; what they read is read again, in the way of every other framework.
        def current_user(request: Request, _sign_in: Any = Depends(sign_in), _paste: Any = Depends(paste)) -> User:
            with self._problems():
                return self.identify(request)

        self.current_user = current_user

    @contextmanager
    def _problems(self) -> Iterator[None]:
        """Makes of a Refused what FastAPI knows how to answer."""
        try:
            yield
        except Refused as refused:
            raise Problem(refused.status, self.problem(refused), refused.headers) from refused

    def _authorization(self, request: Request) -> Sequence[str]:
        return request.headers.getlist("authorization")

    def _in_path(self, request: Request, name: str) -> object:
        return request.path_params.get(name)

    def _guard(self, check: Callable[[Request, User], None]) -> Any:
        def guard(request: Request, user: User = Depends(self.current_user)) -> User:
            with self._problems():
                check(request, user)
            return user

        return Depends(guard)
