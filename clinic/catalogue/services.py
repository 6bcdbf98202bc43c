"""Changing the catalogue."""

from __future__ import annotations

from sqlalchemy.orm import Session

from clinic.catalogue.starter import starter_rows


def add_starter_catalogue(session: Session) -> None:
    """Add the seven services and two add-ons of a new clinic; part of the caller's transaction."""
    services, addons = starter_rows()
    session.add_all([*addons, *services])
    session.flush()
