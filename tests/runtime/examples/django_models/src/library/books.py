import logging

from django.apps import apps
from django.core import serializers
from django.core.management import call_command
from django.http import JsonResponse
from django.shortcuts import render
from django.urls import path

from .logs import Kept
from .models import Author, Book
from .signals import SAVED

logger = logging.getLogger(__name__)


def add(request):
    call_command("migrate", verbosity=0)
    call_command("migrate", run_syncdb=True, verbosity=0)
    author = Author.objects.create(name=request.POST["author"])
    Book.objects.create(title=request.POST["title"], author=author)
    logger.info("added %s", request.POST["title"])
    found = serializers.serialize("python", Book.objects.select_related("author").all())
    return JsonResponse(
        {
            "found": [each["fields"]["title"] for each in found],
            "model": found[0]["model"],
            "app": apps.get_app_config("library").name,
            "module": Book.__module__,
            "saved": SAVED,
            "logged": Kept.lines,
        }
    )


def page(request):
    return render(request, "library/page.html", {"name": "Ann"})


urlpatterns = [path("add", add), path("page", page)]
