"""A job board: everybody reads it, and each organization decides with its roles who posts to it."""

import os
from datetime import timedelta

from admit.fastapi import Auth, Problem, User, answer
from fastapi import Depends, FastAPI
from pydantic import BaseModel

auth = Auth(os.environ.get("ADMIT_URL", "http://localhost:8000"))
app = FastAPI(title="Job board")
app.add_exception_handler(Problem, answer)


class Job(BaseModel):
    title: str


jobs: list[dict[str, str]] = []


@app.get("/jobs")
def read_jobs() -> list[dict[str, str]]:
    return jobs


@app.get("/me")
def me(user: User = Depends(auth.current_user)) -> User:
    return user


@app.post("/orgs/{org_id}/jobs")
def post_job(org_id: str, job: Job, user: User = auth.require_permission("post_job", org="org_id")) -> dict[str, str]:
    jobs.append({"title": job.title, "org": org_id, "by": user.id})
    return jobs[-1]


@app.get("/report", dependencies=[auth.require_global_role("manager")])
def report() -> dict[str, int]:
    return {"jobs": len(jobs)}


@app.delete("/jobs", dependencies=[auth.require_global_role("manager"), auth.require_fresh(timedelta(minutes=10))])
def delete_jobs() -> None:
    jobs.clear()
