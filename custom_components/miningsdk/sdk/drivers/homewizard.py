"""HomeWizard meters and sockets: their local API of version 1 and of version 2."""

from collections.abc import Mapping
from typing import Any, ClassVar, override

from ..device import describe
from ..errors import (
    AuthenticationFailed,
    CommandFailed,
    DeviceUnreachable,
    InvalidReply,
    MiningSDKError,
    NotSupported,
)
from ..fields import Fields, mac_address
from ..model import Capability, DeviceInfo, MeterStats, Socket
from ..transports.http import HttpClient, Response, ask_page
from ..transports.tls import certificate_name, trust
from ..transports.wire import Probe, Wire
from ._home_meter import HomeMeter, as_object
from ._homewizard_ca import AUTHORITY
from ._homewizard_stats import read_measurement

_SECURE_PORT = 443
_SOCKET = "HWE-SKT"
# A water meter and a display.
_NO_METERS = ("HWE-WTR", "HWE-DSP")
_LOCAL_API_OFF = (
    "the local API of this device is off: switch it on in the app of its maker"
)


async def _ask_api(wire: Wire, port: int) -> str:
    return await ask_page(wire, port, "/api")


async def _ask_certificate(wire: Wire, port: int) -> str:
    return await certificate_name(wire, port, HomeWizardV2.authority)


API = Probe("homewizard api", 80, _ask_api)
CERTIFICATE = Probe("homewizard certificate", _SECURE_PORT, _ask_certificate)


class _HomeWizard(HomeMeter):
    """What both versions share."""

    integration = "homewizard"
    make = "HomeWizard"

    def _introduce(self, device: Fields, *capabilities: Capability) -> DeviceInfo:
        product, serial = device.text("product_type"), device.text("serial")
        if product is None or serial is None:
            raise InvalidReply("the reply does not say what it is")
        if product in _NO_METERS:
            raise NotSupported("this device does not measure any power")
        return describe(
            self.info,
            model=product,
            firmware_version=device.text("firmware_version"),
            mac=mac_address(serial),
            serial_number=serial,
            capabilities=capabilities,
        )

    @staticmethod
    def _checked(stats: MeterStats) -> MeterStats:
        if stats.power is None and stats.energy_import is None and not stats.failed:
            raise InvalidReply("the reply does not hold a measurement")
        return stats


class HomeWizard(_HomeWizard):
    """P1 Meter, Energy Socket and kWh Meter over their API of version 1.

    It takes no login, but must be switched on in the app. A reading is one request,
    two for an Energy Socket. Source: protocols.md 13.2.
    """

    name = "homewizard"
    models = "P1 Meter, Energy Socket, kWh Meter (1 and 3 phases), SDM230/630-wifi"
    transport = "HTTP, port 80 (API v1)"
    probes = (API,)
    zeroconf_types = ("_hwenergy._tcp.local.",)

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        answer = evidence.get(API, "")
        if '"product_type"' in answer and '"api_version"' in answer:
            return 90
        return (
            40 if answer.startswith("HTTP 403") and "API not enabled" in answer else 0
        )

    async def _read_path(self, path: str) -> dict[str, Any]:
        response = await self._request("GET", path)
        if response.status == 403:
            raise NotSupported(_LOCAL_API_OFF)
        response.raise_for_status()
        return as_object(response)

    @override
    async def _fetch_info(self) -> DeviceInfo:
        device = Fields(await self._read_path("/api"))
        relay = device.text("product_type") == _SOCKET
        return self._introduce(device, *((Capability.SOCKET,) if relay else ()))

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MeterStats:
        data = Fields(await self._read_path("/api/v1/data"), failed)
        sockets: tuple[Socket, ...] = ()
        if Capability.SOCKET in self._info.capabilities:
            sockets = await self._optional("sockets", failed, self._sockets, ())
        return self._checked(
            read_measurement(data, "active_", "total_power", failed, sockets)
        )

    async def _sockets(self) -> tuple[Socket, ...]:
        state = Fields(await self._read_path("/api/v1/state"))
        return (Socket(index=0, on=state.boolean("power_on")),)

    @override
    async def _set_socket(self, index: int, on: bool) -> None:
        if index != 0:
            raise CommandFailed(f"this device has no socket {index}")
        response = await self._request("PUT", "/api/v1/state", json={"power_on": on})
        if response.status != 200:
            raise CommandFailed(f"the device refused: {_words(response)}")


class HomeWizardV2(_HomeWizard):
    """P1 Meter, kWh Meter and Plug-In Battery over their API of version 2.

    The password is a token, made once with ``pair`` while somebody presses the
    button. The device proves by its certificate that it is genuine and which serial
    number it has, before the token is sent. A reading is one request. Source:
    protocols.md 13.2.
    """

    name = "homewizard-v2"
    models = "P1 Meter, kWh Meter (1 and 3 phases), Plug-In Battery"
    transport = "HTTPS, port 443 (API v2)"
    default_port = _SECURE_PORT
    needs_password = "always"
    pairs = True
    probes = (CERTIFICATE,)
    zeroconf_types = ("_homewizard._tcp.local.",)
    authority: ClassVar[str] = AUTHORITY

    def __init__(self, *args: Any, **options: Any) -> None:
        """Describe a meter without talking to it; see ``SwitchedMeter``."""
        super().__init__(*args, **options)
        self._name: str | None = None

    @classmethod
    @override
    def recognise(cls, evidence: Mapping[Probe, str]) -> int:
        return 80 if evidence.get(CERTIFICATE, "").startswith("appliance/") else 0

    @override
    async def _pair(self, name: str) -> str:
        """Return a new token, within 30 s after the button was pressed."""
        await self._make_sure()
        response = await self._http.request(
            "POST",
            "/api/user",
            json={"name": f"local/{name}"},
            headers={"X-Api-Version": "2"},
        )
        if response.status == 403:
            raise AuthenticationFailed(
                "press the button on the device, then ask again within 30 s"
            )
        response.raise_for_status()
        token = Fields(as_object(response)).text("token")
        if token is None:
            raise InvalidReply("the reply does not hold a token")
        self._refused_at = float("-inf")
        return token

    async def _make_sure(self) -> None:
        """See that the device is genuine, and the one it was before."""
        name = await certificate_name(self.wire, self.port, self.authority)
        known, serial = self._info.serial_number, name.rpartition("/")[2]
        if known is not None and known.lower() != serial.lower():
            raise DeviceUnreachable(
                f"{self.host}: another device of this make answers there now"
            )
        if name != self._name:
            self._name = name
            self._http = HttpClient(
                self.wire,
                self.port,
                secure=True,
                trust=await trust(self.authority, by_name=True),
                peer=name,
            )

    async def _read_path(self, path: str) -> dict[str, Any]:
        if not self.password:
            raise AuthenticationFailed(
                "this needs a token: create one while you press the button"
            )
        login = {"Authorization": f"Bearer {self.password}", "X-Api-Version": "2"}
        return await self._get(path, login)

    @override
    async def _fetch_info(self) -> DeviceInfo:
        await self._make_sure()
        return self._introduce(Fields(await self._read_path("/api")))

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MeterStats:
        data = Fields(await self._read_path("/api/measurement"), failed)
        return self._checked(read_measurement(data, "", "energy", failed))


def _words(response: Response) -> str:
    try:
        error = Fields(response.json()).child("error")
    except MiningSDKError:
        error = Fields(None)
    return error.text("description") or f"HTTP status {response.status}"


DRIVERS = (HomeWizard, HomeWizardV2)
