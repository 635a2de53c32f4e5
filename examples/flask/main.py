"""The job board, for Flask."""

import os
from datetime import timedelta

from admit.flask import Auth
from flask import Flask, request

auth = Auth(os.environ.get("ADMIT_URL", "http://localhost:8000"))
app = Flask(__name__)
jobs = []


@app.get("/jobs")
def read_jobs():
    return {"jobs": jobs}


@app.get("/me")
@auth.require_user
def me():
    return {"id": auth.current_user.id, "roles": auth.current_user.roles}


@app.post("/orgs/<org_id>/jobs")
@auth.require_permission("post_job", org="org_id")
def post_job(org_id):
    jobs.append({"title": request.json["title"], "org": org_id, "by": auth.current_user.id})
    return jobs[-1]


@app.get("/report")
@auth.require_global_role("manager")
def report():
    return {"jobs": len(jobs)}


@app.delete("/jobs")
@auth.require_global_role("manager")
@auth.require_fresh(timedelta(minutes=10))
def delete_jobs():
    jobs.clear()
    return {}
