"""What every framework's Auth has: the guards, under the names of the Go library."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Generic, Optional, Protocol, TypeVar, Union

from .client import Client, Refused, User, bearer

Request = TypeVar("Request")
Guard = TypeVar("Guard")  # what a framework puts in front of a handler

View = TypeVar("View", bound=Callable[..., Any])


class Decorator(Protocol):
    """The guard of a framework that has decorators of views."""

    def __call__(self, view: View, /) -> View: ...


class Guards(Client, Generic[Request, Guard]):
    """A Client with guards."""

    def _authorization(self, request: Request) -> Sequence[str]:
        """Every Authorization header of a request."""
        raise NotImplementedError

    def _in_path(self, request: Request, name: str) -> object:
        """What a wildcard of the route stands for, or None."""
        raise NotImplementedError

    def _guard(self, check: Callable[[Request, User], None]) -> Guard:
        """Lets only requests through of which check raises no Refused, with the user that was identified."""
        raise NotImplementedError

    def identify(self, request: Request) -> User:
        """Who sends a request, or Refused."""
        return self.verify(bearer(self._authorization(request)))

    @property
    def require_user(self) -> Guard:
        """Lets only requests with a good access token through: 401 for every other."""
        return self._guard(lambda _request, _user: None)

    def require_global_role(self, role: str) -> Guard:
        """Lets only people with a global role through, such as super_admin: 401 for strangers, 403 for others."""

        def check(_: Request, user: User) -> None:
            if not user.has_role(role):
                raise Refused(403, "missing_role", f"This needs the role {role}.")

        return self._guard(check)

    def require_fresh(self, most: timedelta) -> Guard:
        """Lets only people through who proved less than most ago that it is them: 401 for strangers, and 403 with the code
        reauthentication_required for everybody else, who go to POST /auth/reauthenticate and refresh their token."""

        def check(_: Request, user: User) -> None:
            if datetime.now(timezone.utc) - user.auth_at >= most:
                raise Refused(403, "reauthentication_required", "Prove again that it is you, then repeat this.")

        return self._guard(check)

    def require_permission(self, permission: str, org: Union[str, Callable[[Request], Optional[str]], None] = None) -> Guard:
        """Lets only people through who have a permission, such as post_job: 401 for strangers, 403 for others. It asks the server, so that
        it goes by what holds now.

        org is the name of the wildcard of the route that has the organization's id or slug, as org_id in /orgs/{org_id}/jobs, or a function
        that finds it in a request. Without it the permission is needed on the whole platform.
        """

        def check(request: Request, _: User) -> None:
            place: Optional[str] = None
            if org is not None:
                found = org(request) if callable(org) else self._in_path(request, org)
                place = "" if found is None else str(found)
            if not self.may(bearer(self._authorization(request)), permission, place):
                raise Refused(403, "missing_permission", f"This needs the permission {permission}.")

        return self._guard(check)
