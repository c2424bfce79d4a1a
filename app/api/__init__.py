"""The front door: JSON over HTTP, the only home of flask-smorest and marshmallow."""

from app.api.application import create_api

__all__ = ["create_api"]
