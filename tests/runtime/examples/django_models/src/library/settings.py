SECRET_KEY = "for an example only"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "library.urls"
WSGI_APPLICATION = "library.wsgi.application"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "library.middleware.Stamp"]
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "library.apps.LibraryConfig"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"kept": {"class": "library.logs.Kept"}},
    "loggers": {"library": {"handlers": ["kept"], "level": "INFO"}},
}
USE_TZ = True
