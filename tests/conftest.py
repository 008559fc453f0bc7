"""What all tests share: how hypothesis runs here, where many things run on two cores; the databases of the records."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

from tests.databases import new_database, postgres

__all__ = ["new_database", "postgres"]

settings.register_profile("shared-cores", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared-cores")
