"""How the server is asked."""

import urllib.error
import urllib.request
from http.client import HTTPException, HTTPResponse
from typing import Any, Optional

ANSWER = 5.0  # seconds that the server may take

# What goes wrong on the way. urllib.error.HTTPError, an answer that is none, is one of them.
UNREACHABLE = (OSError, HTTPException)


class _Stay(urllib.request.HTTPRedirectHandler):
    """Goes nowhere else: a token is shown to the server and to nobody it names."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_Stay)


def ask(url: str, body: Optional[bytes] = None, headers: Optional[dict[str, str]] = None, timeout: float = ANSWER) -> HTTPResponse:
    """Sends a GET, or a POST with a body. Raises one of UNREACHABLE where the answer is none."""
    answer: HTTPResponse = _opener.open(urllib.request.Request(url, data=body, headers=headers or {}), timeout=timeout)
    return answer
