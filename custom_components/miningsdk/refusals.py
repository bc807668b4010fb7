"""What accounts each device has refused, remembered over restarts.

Many devices lock everybody out after a few wrong passwords, so that one that was
refused is not tried again by itself, and only a few are tried within an hour.
"""

import asyncio
from collections.abc import Iterable, Iterator
from hashlib import blake2b
import secrets
from typing import Any
from weakref import WeakValueDictionary

from homeassistant.core import HomeAssistant
from homeassistant.helpers.singleton import singleton
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util
from homeassistant.util.hass_dict import HassKey

from .const import DOMAIN
from .sdk import Account

_VERSION = 1
_SAVE_DELAY = 10.0
_HOUR = 3600.0
_DAY = 24 * _HOUR
# So many that do not work are tried on one device within an hour.
MOST_WRONG = 3
# By then the device may well have another password, or be another device.
_REFUSED_FOR = 90 * _DAY
# What was sent and got no clear answer may have been wrong.
_UNCLEAR_FOR = 6 * _HOUR
# In place of the digest of an account: the device takes none at all for now.
_LOCKED = "locked"

# When an account was tried and until when it is not tried again, by its digest.
type _Tries = dict[str, tuple[float, float]]


class Refusals:
    """The accounts that did not work, by device; of an account only a digest."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Begin with nothing; see ``async_refusals``."""
        self._store = Store[dict[str, Any]](
            hass, _VERSION, f"{DOMAIN}.refusals", private=True
        )
        self._salt = secrets.token_hex(16)
        self._tries: dict[str, _Tries] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def async_load(self) -> None:
        """Read what was refused before the last restart, as far as it still counts."""
        if not (data := await self._store.async_load()):
            return
        now = dt_util.utcnow().timestamp()
        self._salt = data["salt"]
        for device, tries in data["tries"].items():
            kept = {key: (at, end) for key, (at, end) in tries.items() if end > now}
            if kept:
                self._tries[device] = kept

    def turn(self, device: str) -> asyncio.Lock:
        """Return what lets one after another try accounts on a device."""
        return self._locks.setdefault(device, asyncio.Lock())

    def due(self, device: str, accounts: Iterable[Account]) -> Iterator[Account]:
        """Yield the accounts that may be tried on a device now, each just before.

        Say ``refused`` or ``harmless`` of them when that is known.
        """
        for account in accounts:
            if self._is_full(device):
                return
            if not self._is_remembered(device, account):
                # Noted before: whatever happens to it, it must not become a loop.
                self._note(device, self._digest(device, account), _UNCLEAR_FOR)
                yield account

    def refused(self, device: str, account: Account) -> None:
        """Take note that a device refuses an account."""
        self._note(device, self._digest(device, account), _REFUSED_FOR)

    def harmless(self, device: str, account: Account) -> None:
        """Take note that an account was right, or that the device never saw it."""
        if (tries := self._tries.get(device)) is not None:
            tries.pop(self._digest(device, account), None)
            self._save()

    def locked(self, device: str) -> None:
        """Take note that a device takes no account at all for now."""
        self._note(device, _LOCKED, _HOUR)

    def forget(self, *devices: str) -> None:
        """Forget devices that were removed."""
        for device in devices:
            if self._tries.pop(device, None) is not None:
                self._save()

    def _is_full(self, device: str) -> bool:
        """Tell whether no more may be tried on a device within this hour."""
        now = dt_util.utcnow().timestamp()
        recent = {
            key
            for key, (at, _) in self._tries.get(device, {}).items()
            if now - at < _HOUR
        }
        return _LOCKED in recent or len(recent) >= MOST_WRONG

    def _is_remembered(self, device: str, account: Account) -> bool:
        found = self._tries.get(device, {}).get(self._digest(device, account))
        return found is not None and dt_util.utcnow().timestamp() < found[1]

    def _note(self, device: str, key: str, seconds: float) -> None:
        now = dt_util.utcnow().timestamp()
        self._tries.setdefault(device, {})[key] = (now, now + seconds)
        self._save()

    def _digest(self, device: str, account: Account) -> str:
        text = "\0".join((device, account.username or "", account.password))
        return blake2b(
            text.encode(), key=self._salt.encode(), digest_size=8
        ).hexdigest()

    def _save(self) -> None:
        self._store.async_delay_save(self._data, _SAVE_DELAY)

    def _data(self) -> dict[str, Any]:
        return {"salt": self._salt, "tries": self._tries}


_REFUSALS: HassKey[Refusals] = HassKey(f"{DOMAIN}_refusals")


@singleton(_REFUSALS, async_=True)
async def async_refusals(hass: HomeAssistant) -> Refusals:
    """Return what this Home Assistant remembers, read once."""
    refusals = Refusals(hass)
    await refusals.async_load()
    return refusals
