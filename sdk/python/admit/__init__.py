"""Lets a service written in Python know who sends a request and what they may do, with an Admit server elsewhere.

Access tokens are verified here, with the server's public keys and without asking it; its feed of revocations tells within a second which of
them count no more. Only a permission is asked of the server, each time, so that it holds by what is true now.

    from admit import Client

    client = Client("https://auth.example.com")
    user = client.verify(token)                     # or Refused is raised
    client.may(token, "post_job", "acme")

FastAPI, Flask and Django have an Auth each: admit.fastapi, admit.flask, admit.django.
"""

from .client import PATIENCE, Client, Refused, User, bearer

__all__ = ["PATIENCE", "Client", "Refused", "User", "bearer"]
