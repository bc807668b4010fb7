"""Simulated HomeWizard meters and sockets, with both versions of their API."""

from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
import secrets
import ssl
import tempfile
import time
from typing import Any, override

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .home_meter import SimulatedLoad, object_of, reply

_PRODUCTS = {
    "HWE-P1": ("P1 Meter", "p1dongle", 3),
    "HWE-SKT": ("Energy Socket", "energysocket", 1),
    "HWE-KWH1": ("kWh Meter 1-Phase", "energymeter", 1),
    "HWE-KWH3": ("kWh Meter 3-Phase", "energymeter", 3),
    "HWE-BAT": ("Plug-In Battery", "battery", 1),
    "HWE-WTR": ("Watermeter", "watermeter", 0),
}
_PRESSED_FOR = 30.0


class _HomeWizard(SimulatedLoad):
    """What both versions share; ``model`` is the type of the product.

    ``phases`` is how many a P1 Meter reads, ``old`` makes it tell each tariff only.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        model: str = "HWE-P1",
        phases: int | None = None,
        old: bool = False,
        **options: Any,
    ) -> None:
        """Describe a device that is not switched on yet."""
        self.product, self.appliance, most = _PRODUCTS[model]
        options.setdefault("relays", int(model == "HWE-SKT"))
        super().__init__(host, channels=phases or max(most, 1), **options)
        self.model = model
        self.old = old

    @property
    def serial_number(self) -> str:
        """Return its serial number, which is its MAC address."""
        return self.mac.lower()

    def device(self, api_version: str) -> dict[str, Any]:
        """Return who it is."""
        return {
            "product_type": self.model,
            "product_name": self.product,
            "serial": self.serial_number,
            "firmware_version": "6.10",
            "api_version": api_version,
        }

    def measurement(self, prefix: str, energy: str) -> dict[str, Any]:
        """Return what it measures."""
        if self.model == "HWE-WTR":
            return {"active_liter_lpm": 1.2, "total_liter_m3": 81.9}
        numbers = range(self.channels)
        told = self._energies(energy)
        told[f"{prefix}power_w"] = round(sum(map(self.power, numbers)))
        if self.model in {"HWE-KWH1", "HWE-BAT", "HWE-SKT"}:
            return told | self._single(prefix)
        for number in numbers:
            watts, volts = self.power(number), self.voltage(number)
            told |= {
                f"{prefix}power_l{number + 1}_w": round(watts),
                f"{prefix}voltage_l{number + 1}_v": round(volts, 1),
                f"{prefix}current_l{number + 1}_a": round(watts / volts, 3),
            }
        if self.model == "HWE-KWH3":
            told |= self._quality(prefix)
        return told

    def _energies(self, energy: str) -> dict[str, Any]:
        drawn = sum(map(self.imported, range(self.channels)))
        fed = sum(map(self.exported, range(self.channels)))
        told: dict[str, Any] = {}
        for way, value in (("import", drawn), ("export", fed)):
            if not self.old:
                told[f"{energy}_{way}_kwh"] = round(value, 3)
            told[f"{energy}_{way}_t1_kwh"] = round(value * 0.7, 3)
            told[f"{energy}_{way}_t2_kwh"] = round(value * 0.3, 3)
        return told

    def _single(self, prefix: str) -> dict[str, Any]:
        return {
            f"{prefix}power_l1_w": round(self.power()),
            f"{prefix}voltage_v": round(self.voltage(), 1),
            f"{prefix}current_a": round(abs(self.power()) / 230, 3),
            f"{prefix}power_factor": 0.95,
        } | self._quality(prefix)

    def _quality(self, prefix: str) -> dict[str, Any]:
        power = sum(map(self.power, range(self.channels)))
        return {
            f"{prefix}apparent_power_va": round(abs(power) / 0.95, 1),
            f"{prefix}reactive_power_var": round(-power * 0.3, 1),
            f"{prefix}frequency_hz": 49.98,
        }


class SimulatedHomeWizard(_HomeWizard):
    """A device with version 1 of the API, which may be switched off in the app.

    ``locked`` keeps an Energy Socket from being switched off.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        *,
        enabled: bool = True,
        locked: bool = False,
        **options: Any,
    ) -> None:
        """Describe a device that is not switched on yet."""
        super().__init__(host, **options)
        self.enabled = enabled
        self.locked = locked

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/api{path:.*}", self._serve)
        await self.serve_http(80, app)

    async def _serve(self, request: web.Request) -> web.Response:
        if not self.enabled:
            return _error(403, 202, "API not enabled")
        match request.method, request.path:
            case "GET", "/api":
                return reply(self.device("v1"))
            case "GET", "/api/v1/data":
                wifi = {"wifi_ssid": "mine", "wifi_strength": 88}
                return reply(wifi | self.measurement("active_", "total_power"))
            case "GET", "/api/v1/state" if self.on:
                return reply(self._state())
            case "PUT", "/api/v1/state" if self.on:
                return self._set(await request.read())
        return _error(404, 0, "Not found")

    def _state(self) -> dict[str, Any]:
        return {"power_on": self.on[0], "switch_lock": self.locked, "brightness": 255}

    def _set(self, body: bytes) -> web.Response:
        wanted = object_of(body).get("power_on")
        if not isinstance(wanted, bool):
            return _error(400, 7, "power_on must be a boolean")
        if self.locked and not wanted:
            words = "power_on cannot be turned off when switch_lock is on"
            return _error(400, 8, words)
        self.switch(0, wanted)
        return reply({"power_on": wanted})


def _error(status: int, number: int, words: str) -> web.Response:
    return reply({"error": {"id": number, "description": words}}, status)


class SimulatedHomeWizardV2(_HomeWizard):
    """A device with version 2 of the API: HTTPS, and tokens made at its button.

    ``password`` is a token that it knows already. ``foreign`` gives it a certificate
    that its maker did not sign.
    """

    ports = (443,)

    def __init__(
        self, host: str = "127.0.0.1", *, foreign: bool = False, **options: Any
    ) -> None:
        """Describe a device that is not switched on yet."""
        super().__init__(host, **options)
        self.foreign = foreign
        self.tokens = {"local/known": self.password} if self.password else {}
        self.tokens_seen: set[str] = set()
        self._pressed_at = -_PRESSED_FOR

    def press(self) -> None:
        """Press the button on the device."""
        self._pressed_at = time.monotonic()

    @override
    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/api{path:.*}", self._serve)
        name = f"appliance/{self.appliance}/{self.serial_number}"
        maker = Maker("Somebody else") if self.foreign else maker_of_devices()
        await self.serve_http(443, app, maker.server_context(name))

    async def _serve(self, request: web.Request) -> web.Response:
        if request.method == "POST" and request.path == "/api/user":
            return self._create_user(await request.read())
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.tokens_seen.add(token)
        if token not in self.tokens.values():
            self.unauthorised += 1
            return reply({"error": "user:unauthorized"}, 401)
        if request.headers.get("X-Api-Version") != "2":
            return reply({"error": "request:api-version-not-supported"}, 400)
        match request.path:
            case "/api":
                return reply(self.device("2.1.0"))
            case "/api/measurement":
                return reply(self.measurement("", "energy"))
        return reply({"error": "request:not-found"}, 404)

    def _create_user(self, body: bytes) -> web.Response:
        name = object_of(body).get("name")
        if not isinstance(name, str) or not name.startswith("local/"):
            return reply({"error": "user:invalid-prefix"}, 400)
        if time.monotonic() - self._pressed_at > _PRESSED_FOR:
            return reply({"error": "user:creation-not-enabled"}, 403)
        self.tokens[name] = secrets.token_hex(16).upper()
        return reply({"name": name, "token": self.tokens[name]})


class Maker:
    """An authority that signs certificates of devices."""

    def __init__(self, name: str) -> None:
        """Make its key and its own certificate."""
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        self._certificate = self._sign(self._name, self._key.public_key(), True)

    @property
    def pem(self) -> str:
        """Return the certificate that proves all others."""
        return self._certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePublicKey, authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def server_context(self, name: str) -> ssl.SSLContext:
        """Return what a device of this name serves TLS with."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(_name(name), key.public_key(), False)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "device.pem"
            file.write_bytes(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
                + certificate.public_bytes(serialization.Encoding.PEM)
            )
            context.load_cert_chain(file)
        return context


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@cache
def maker_of_devices() -> Maker:
    """Return the authority that all simulated devices come from."""
    return Maker("Appliance Access CA of the simulators")
