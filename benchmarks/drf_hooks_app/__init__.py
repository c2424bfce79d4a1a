"""A Django project that uses drf-hooks as its README says; run by its own interpreter."""
