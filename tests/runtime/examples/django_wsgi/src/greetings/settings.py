SECRET_KEY = "for an example only"
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "greetings.urls"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
INSTALLED_APPS = []
USE_TZ = True
