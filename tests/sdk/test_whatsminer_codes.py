"""Whatsminer: its hashes and ciphers, its error codes and its names."""

import hashlib

import pytest

from custom_components.miningsdk.sdk import (
    InvalidReply,
    Severity,
    identify,
    register_miner,
)
from custom_components.miningsdk.sdk.drivers import _whatsminer_common as common
from custom_components.miningsdk.sdk.drivers._whatsminer_errors import fault, split
from custom_components.miningsdk.sdk.drivers._whatsminer_v2 import decrypt, encrypt
from custom_components.miningsdk.sdk.drivers.whatsminer import Whatsminer
from custom_components.miningsdk.sdk.registry import find
from custom_components.miningsdk.sdk.transports.cgminer import VERSION
from custom_components.miningsdk.sdk.transports.http import ROOT
from custom_components.miningsdk.sdk.transports.md5crypt import md5_crypt
from tests.conftest import Simulate
from tests.simulators._whatsminer_state import BARE
from tests.simulators.whatsminer import SimulatedWhatsminer

# The hash and the cipher, against what openssl makes of the same.


@pytest.mark.parametrize(
    ("password", "salt", "hashed"),
    [
        ("admin", "BQ5hoXV9", "RxmaDUO33TS7O26yeMHZ81"),
        ("s3cret", "a5TtWui2", "6y2kmDsrEGcpnojLob0Nh/"),
        ("x", "jbzkfQls", "sarrFDeE0xezelFTVNT4L1"),
        ("a-password-of-more-than-sixteen-bytes", "12345678", "QLZm6sLDUdYwJGIqAlFQO0"),
        ("süß", "./azAZ09", "X.ETzay.QcKXMaEhCra2L."),
    ],
)
def test_md5_crypt(password: str, salt: str, hashed: str) -> None:
    assert md5_crypt(password, salt) == hashed


def test_only_eight_characters_of_a_salt_count() -> None:
    assert md5_crypt("x", "jbzkfQls") == md5_crypt("x", "jbzkfQls-and-more")


def test_cipher() -> None:
    secret = md5_crypt("s3cret", "BQ5hoXV9")
    sign = md5_crypt(secret + "5626", "jbzkfQls")
    assert (secret, sign) == ("zh1vb6Zp4u7d0Hpb7a.kS0", "H9EWpCPHOgEUXHEAIE.pq1")
    key = hashlib.sha256(secret.encode()).digest()
    order = {"cmd": "power_off", "respbefore": "true", "token": sign}
    assert encrypt(key, order) == (
        "OFOhOZD9gJpiveuxCtzbCRsnoV8qb1CgO0v7sZSL9T+2rXUUVViON0UHvKl0hU6XsGJTN0josr/"
        "EdP24bRpQOT75hr2rBngkUlWe41iJ15A="
    )
    start = (
        "tcUqHd0l4wNvhqpPtTM59DpRNjVJ5Byf5KVsvXnGc+FBVpPJsWiUCwyJw+qvxWEEbTpdOP1vlc9E"
        "d6vvoMjaxcpBk85/XEUyd57j9lmM28"
    )
    padded = {"zeros": "B1z8hWRj2DzOs5iVbAtZw+", "numbers": "CVEKhz5rhe5aGC3TE5mMhg"}
    for end in padded.values():
        assert decrypt(key, start + end)["Msg"] == "API command OK"


@pytest.mark.parametrize("data", ["", "###", "AAAA", "A" * 44, None, 5, ["x"]])
def test_broken_cipher(data: object) -> None:
    with pytest.raises(InvalidReply):
        decrypt(b"k" * 32, data)


# Error codes.


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        (110, (1, 1, 0)),
        (531, (5, 3, 1)),
        (5111, (51, 1, 1)),
        (541023, (54, 1, 23)),
        (560999, (56, 0, 999)),
        (100001, (1000, 0, 1)),
    ],
)
def test_code_has_type_subtype_and_value(code: int, parts: tuple[int, ...]) -> None:
    assert split(code) == parts


@pytest.mark.parametrize(
    ("code", "words", "component", "severity"),
    [
        (110, "intake fan", "fan in", Severity.CRITICAL),
        (206, "mains voltage", "power supply", Severity.WARNING),
        (234, "too hot", "power supply", Severity.CRITICAL),
        (285, "status bit", "power supply", Severity.WARNING),
        (302, "Hashboard 2: temperature sensor", "board 2", Severity.CRITICAL),
        (329, "control board", "control board", Severity.WARNING),
        (352, "Hashboard 2: too hot", "board 2", Severity.CRITICAL),
        (410, "Hashboard 0: memory", "board 0", Severity.WARNING),
        (531, "Hashboard 1: not found", "board 1", Severity.CRITICAL),
        (600, "ambient", "ambient", Severity.CRITICAL),
        (714, "network", "network", Severity.INFO),
        (2010, "pools are disabled", "pool", Severity.WARNING),
        (2021, "pool cannot be reached", "pool", Severity.WARNING),
        (2310, "hashrate", "hashrate", Severity.WARNING),
        (5051, "Hashboard 1: chips too hot", "board 1", Severity.CRITICAL),
        (5079, "flows too slowly", "coolant", Severity.CRITICAL),
        (5112, "Hashboard 2: took too long", "board 2", Severity.WARNING),
        (9013, "process", "firmware", Severity.WARNING),
        (521045, "Chip 45 of hashboard 1", "board 1 chip 45", Severity.WARNING),
        (542007, "Chip 7 of hashboard 2 too hot", "board 2 chip 7", Severity.WARNING),
        (100002, "altered", "security", Severity.CRITICAL),
        (110001, "virus", "security", Severity.CRITICAL),
        (7777, "Unknown error 7777", None, Severity.WARNING),
        (990123, "Unknown error 990123", None, Severity.WARNING),
    ],
)
def test_fault(
    code: int, words: str, component: str | None, severity: Severity
) -> None:
    found = fault(str(code))
    assert found is not None
    assert (found.code, found.component, found.severity) == (
        str(code),
        component,
        severity,
    )
    assert words in found.message


def test_fault_with_the_words_of_the_device() -> None:
    found = fault(264, "Power xfer error. code: 0xc0 ")
    assert found is not None
    assert found.message.endswith("does not answer: Power xfer error. code: 0xc0")


@pytest.mark.parametrize("code", ["", "0", "reason", None, -3, "1e3", "٣٤٥", [110]])
def test_what_is_no_code(code: object) -> None:
    assert fault(code) is None


# Names.


@pytest.mark.parametrize(
    ("raw", "name", "liquid"),
    [
        ("M20SV10", "Whatsminer M20S V10", False),
        ("M29V10", "Whatsminer M29 V10", False),
        ("M30S++_VH70", "Whatsminer M30S++ VH70", False),
        ("M30S+VE40", "Whatsminer M30S+ VE40", False),
        ("M31S+_V100", "Whatsminer M31S+ V100", False),
        ("M36S+_VG30", "Whatsminer M36S+ VG30", True),
        ("M50S_VH53", "Whatsminer M50S VH53", False),
        ("M53_VH30", "Whatsminer M53 VH30", True),
        ("M56S++_VJ30", "Whatsminer M56S++ VJ30", True),
        ("M60S_VK40", "Whatsminer M60S VK40", False),
        ("M63S++_VL20", "Whatsminer M63S++ VL20", True),
        ("M7BS_VM30", "Whatsminer M7BS VM30", True),
        ("M70_VM30", "Whatsminer M70 VM30", False),
        ("M56S", "Whatsminer M56S", True),
        ("something new", "Whatsminer something new", False),
    ],
)
def test_model_name(raw: str, name: str, liquid: bool) -> None:
    assert common.model_name(raw) == name
    assert common.is_liquid(name) is liquid
    assert common.is_liquid(None) is False


@pytest.mark.parametrize(
    ("name", "driver", "model"),
    [
        ("whatsminer", "whatsminer", None),
        ("whatsminer-m56s", "whatsminer", "M56S"),
        ("Whatsminer-M30S++", "whatsminer", "M30S++"),
        ("miner-wm-m56s", "whatsminer", "M56S"),
        ("whatsminer-v3", "whatsminer-v3", None),
        ("whatsminer-v3-m60s", "whatsminer-v3", "M60S"),
    ],
)
def test_driver_by_name(name: str, driver: str, model: str | None) -> None:
    found, hint = find(name)
    assert (found.name, hint) == (driver, model)


async def test_register_as_in_the_readme(simulate: Simulate) -> None:
    device = await simulate(SimulatedWhatsminer, model="M56S", serial="WM0012345")
    miner = register_miner(
        "whatsminer-m56s",
        host=device.host,
        port=device.port(4028),
        serial_number="WM001",
    )
    assert (miner.info.model, miner.info.serial_number) == ("M56S", "WM001")
    async with miner:
        assert miner.info.model == "Whatsminer M56S VH30"
        assert miner.info.serial_number == "WM0012345"
        assert (await miner.read()).hashrate == pytest.approx(212, rel=0.03)


async def test_found_on_the_network(simulate: Simulate) -> None:
    for api in ("1.4.0", "2.0.5", BARE):
        device = await simulate(SimulatedWhatsminer, api=api)
        found = await identify(device.host, port=device.port(4028))
        assert found is not None
        assert (found.driver, found.score) == (Whatsminer, 50), api
        assert found.port == device.port(4028)


def test_recognised_by_weaker_hints() -> None:
    refused = '{"STATUS":"E","When":1,"Code":14,"Msg":"invalid cmd","Description":""}'
    login = "HTTP 307\nLocation: https://192.0.2.1/cgi-bin/luci\n\n"
    assert Whatsminer.recognise({VERSION: refused, ROOT: login}) == 40
    assert Whatsminer.recognise({VERSION: refused}) == 0
    assert Whatsminer.recognise({ROOT: login}) == 0
    old = refused.replace('""', '"whatsminer v1.3"')
    assert Whatsminer.recognise({VERSION: old}) == 50
    custom = '{"STATUS":[{"STATUS":"S","Code":22,"Description":"BOSer"}],"VERSION":[]}'
    assert Whatsminer.recognise({VERSION: custom, ROOT: login}) == 0
