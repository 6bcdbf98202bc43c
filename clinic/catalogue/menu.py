"""What can be named in a wish, for the document of the JSON API and for what it is asked."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, select

from clinic.catalogue.models import Addon, Service, ServiceAddon, ServiceLength
from clinic.shared.database import db


@dataclass(frozen=True)
class Menu:
    """What can be named in a wish, in order: keys of services, modes and add-ons, and lengths."""

    services: tuple[str, ...]
    minutes: tuple[int, ...]
    modes: tuple[str, ...]
    addons: tuple[str, ...]


def menu() -> Menu:
    """Everything that is on offer, without what goes with what. One statement."""
    rows = db.session.execute(
        select(Service.key, ServiceLength.minutes, ServiceLength.mode, Addon.key)
        .join(ServiceLength, ServiceLength.service_id == Service.id)
        .outerjoin(ServiceAddon, ServiceAddon.service_id == Service.id)
        .outerjoin(Addon, and_(Addon.id == ServiceAddon.addon_id, Addon.is_active))
        .where(Service.is_active)
    ).all()
    services, minutes, modes, addons = (
        tuple(sorted({one for one in column if one is not None}))
        for column in (zip(*rows, strict=True) if rows else ((), (), (), ()))
    )
    return Menu(services, minutes, modes, addons)
