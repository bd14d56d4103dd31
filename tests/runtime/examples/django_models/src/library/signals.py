from django.db.models.signals import post_save
from django.dispatch import receiver

SAVED = []


@receiver(post_save, sender="library.Book")
def saved(sender, instance, **_):
    SAVED.append(instance.title)
