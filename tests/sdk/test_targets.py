"""What may be typed for an address."""

import pytest

from custom_components.miningsdk.sdk import MiningSDKError, scan
from custom_components.miningsdk.sdk.targets import (
    InvalidTarget,
    Target,
    expand,
    register_addresses,
    single,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.5", ["10.0.0.5"]),
        ("10.0.0.0/30", ["10.0.0.1", "10.0.0.2"]),
        ("10.0.0.6/30", ["10.0.0.5", "10.0.0.6"]),
        ("10.0.0.4/31", ["10.0.0.4", "10.0.0.5"]),
        ("10.0.0.4/32", ["10.0.0.4"]),
        ("10.0.0.8-10", ["10.0.0.8", "10.0.0.9", "10.0.0.10"]),
        ("10.0.0.254-10.0.1.1", ["10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"]),
        ("10.0.0.7-7", ["10.0.0.7"]),
        ("10.0.0.1, 10.0.0.2;10.0.0.1\n10.0.0.3", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
        ("fd00::1", ["fd00::1"]),
        ("FD00:0::1", ["fd00::1"]),
        ("fd00::/126", ["fd00::1", "fd00::2", "fd00::3"]),
        ("fd00::fe-100", ["fd00::fe", "fd00::ff", "fd00::100"]),
        ("fd00::1-fd00::2", ["fd00::1", "fd00::2"]),
        ("fe80::1%lo", ["fe80::1%lo"]),
        ("bitaxe.local", ["bitaxe.local"]),
        ("miner-1-2", ["miner-1-2"]),
        ("rack_7.example.", ["rack_7.example."]),
    ],
)
def test_targets(text: str, expected: list[str]) -> None:
    assert expand(text) == [Target(host) for host in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.5:4028", [("10.0.0.5", 4028)]),
        ("10.0.0.5-6:4028", [("10.0.0.5", 4028), ("10.0.0.6", 4028)]),
        ("10.0.0.0/31:80", [("10.0.0.0", 80), ("10.0.0.1", 80)]),
        ("miner:1", [("miner", 1)]),
        ("[::1]:65535", [("::1", 65535)]),
        ("[::1]", [("::1", None)]),
        ("[fd00::/127]:80", [("fd00::", 80), ("fd00::1", 80)]),
        ("http://10.0.0.5:8080/#/home", [("10.0.0.5", 8080)]),
        ("http://root:secret@[::1]/", [("::1", None)]),
        ("10.0.0.5 10.0.0.5:80", [("10.0.0.5", None), ("10.0.0.5", 80)]),
    ],
)
def test_targets_with_ports(text: str, expected: list[tuple[str, int | None]]) -> None:
    assert expand(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.300",
        "10.0.0",
        "10.0.0.5-3",
        "10.0.0.5-300",
        "10.0.0.5-fd00::1",
        "10.0.0.5-10.0.0.",
        "10.0.0.0/33",
        "10.0.0.0/x",
        "10.0.0.5:0",
        "10.0.0.5:65536",
        "10.0.0.5:",
        "10.0.0.5:x",
        "10.0.0.5:²",
        "[::1",
        "[::1]x",
        "fd00::1-2::3::4",
        "my miner!",
        "-a",
        "a..b",
        "a" * 254,
    ],
)
def test_targets_that_are_none(text: str) -> None:
    with pytest.raises(InvalidTarget, match=r"."):
        expand(text)


@pytest.mark.parametrize(
    "text",
    [
        "10.0.0.0/8",
        "10.0.0.0-10.1.0.0",
        "fd00::/64",
        "fd00::-fd00::1:0",
        "10.0.0.0/16 10.1.0.0/29",
    ],
)
def test_too_many_targets_are_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="more than 65,536 addresses") as caught:
        scan(text)
    assert isinstance(caught.value, MiningSDKError)


def test_the_largest_range_is_taken() -> None:
    assert len(expand("10.0.0.0-10.0.255.255")) == 65_536


def test_a_list_of_targets() -> None:
    assert expand(["10.0.0.1", Target("10.0.0.2", 80), "10.0.0.3,10.0.0.1"]) == [
        ("10.0.0.1", None),
        ("10.0.0.2", 80),
        ("10.0.0.3", None),
    ]


def test_a_single_target_is_no_range() -> None:
    assert single(" [::1]:80 ") == ("::1", 80)
    with pytest.raises(InvalidTarget):
        single("10.0.0.0/30")


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.3.2.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False)],
)
def test_loopback_targets(host: str, expected: bool) -> None:
    assert Target(host).is_loopback is expected


def test_registers() -> None:
    assert register_addresses("2,3, 4;5") == (2, 3, 4, 5)
    assert register_addresses(" 65535 ") == (65535,)


@pytest.mark.parametrize("text", ["", " , ", "2,x", "-1", "65536", "1.5", "٣"])
def test_what_are_no_registers(text: str) -> None:
    with pytest.raises(InvalidTarget):
        register_addresses(text)
