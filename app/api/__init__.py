"""The front door: JSON over HTTP, the only home of flask-smorest and marshmallow."""
