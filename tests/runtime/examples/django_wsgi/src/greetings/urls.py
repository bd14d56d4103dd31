from django.http import HttpResponse, JsonResponse
from django.urls import path


def home(request):
    return HttpResponse("Hello from Django")


def greet(request, name):
    return JsonResponse({"hello": name, "asked": request.GET.get("q"), "agent": request.headers.get("User-Agent")})


urlpatterns = [path("", home), path("greet/<str:name>/", greet)]
