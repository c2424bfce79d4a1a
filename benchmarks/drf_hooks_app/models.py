"""The product's model, and its serializer, whose creation fires hooks."""

from django.conf import settings
from django.db import models
from rest_framework import serializers


class Appointment(models.Model):
    """An appointment; ``record`` holds the fields that a payload of Relais has too."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    event_id = models.CharField(max_length=30)
    record = models.JSONField()

    def __str__(self) -> str:
        """Return its name."""
        return self.event_id


class AppointmentSerializer(serializers.ModelSerializer):
    """What subscribers get."""

    class Meta:
        """All of it."""

        model = Appointment
        fields = "__all__"
