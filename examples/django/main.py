"""The job board, for Django, in one file."""

import json
import os
import sys
from datetime import timedelta

from admit.django import Auth
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.http import require_GET, require_POST

settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["localhost", "127.0.0.1"], SECRET_KEY="it signs nothing here", DEBUG=True)
auth = Auth(os.environ.get("ADMIT_URL", "http://localhost:8000"))
jobs = []


@auth.require_user
def me(request):
    user = auth.current_user(request)
    return JsonResponse({"id": user.id, "roles": user.roles})


@require_POST
@auth.require_permission("post_job", org="org_id")
def post_job(request, org_id):
    jobs.append({"title": json.loads(request.body)["title"], "org": org_id, "by": auth.current_user(request).id})
    return JsonResponse(jobs[-1])


@require_GET
@auth.require_global_role("manager")
def report(request):
    return JsonResponse({"jobs": len(jobs)})


@auth.require_global_role("manager")
@auth.require_fresh(timedelta(minutes=10))
def delete_jobs(request):
    jobs.clear()
    return JsonResponse({})


def board(request):
    return delete_jobs(request) if request.method == "DELETE" else JsonResponse({"jobs": jobs})


urlpatterns = [path("jobs", board), path("me", me), path("orgs/<str:org_id>/jobs", post_job), path("report", report)]

if __name__ == "__main__":
    execute_from_command_line(sys.argv)
