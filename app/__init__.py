"""Relais: a self-hosted REST Hooks provider."""

from importlib.metadata import version

__version__ = version("relais")
