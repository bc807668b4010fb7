"""What the cgminer socket API of a simulated Braiins OS answers."""

from dataclasses import dataclass
from typing import Any

type Section = dict[str, Any]

FAILOVER = ("stratum+tcp://a.example:3333", "stratum+tcp://b.example:3333")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What the API has to tell: all boards share what the miner does.

    ``rate`` is TH/s of all that is not ``off``, ``words`` what the tuner says of each
    board by its id, ``hertz`` whether frequencies are told in Hz.
    """

    model: str
    ids: tuple[int, ...]
    chips: int
    rate: float
    nominal: float
    watts: float
    limit: float
    uptime: int
    words: dict[int, str]
    off: tuple[int, ...] = ()
    fans: tuple[int, ...] = (5340, 4620, 0, 0)
    duty: int = 100
    dead: bool = False
    hertz: bool = True
    pools: tuple[tuple[str, str], ...] = tuple((url, "me.1") for url in FAILOVER)


def sections(look: Look) -> dict[str, Section]:
    """Return the data of all commands by name."""
    return {
        "summary": {"SUMMARY": [_summary(look)]},
        "devs": {"DEVS": [_device(look, n, i) for n, i in enumerate(look.ids)]},
        "devdetails": {
            "DEVDETAILS": [_details(look, n, i) for n, i in enumerate(look.ids)]
        },
        "temps": {
            "TEMPS": [
                {"Board": 61.875 + n, "Chip": 74.625 + n, "ID": i, "TEMP": n}
                for n, i in enumerate(look.ids)
                if i not in look.off
            ]
        },
        "fans": {
            "FANS": [
                {"FAN": n, "ID": n, "RPM": rpm, "Speed": look.duty}
                for n, rpm in enumerate(look.fans)
            ]
        },
        "tempctrl": {
            "TEMPCTRL": [
                {"Dangerous": 110, "Hot": 100, "Mode": "Automatic", "Target": 89}
            ]
        },
        "tunerstatus": {"TUNERSTATUS": [_tuner(look)]},
        "pools": {"POOLS": [_pool(look, n) for n in range(len(look.pools))]},
    }


def _rates(rate: float) -> Section:
    now = round(rate * 1e6, 3)
    windows = ("5s", "1m", "5m", "15m", "24h")
    return {f"MHS {window}": now for window in windows}


def _summary(look: Look) -> Section:
    return {
        "Accepted": look.uptime // 20,
        "Best Share": 65536,
        "Elapsed": look.uptime,
        "Found Blocks": 0,
        "Hardware Errors": 186,
        **_rates(look.rate),
        "MHS av": round(look.nominal * 0.95e6, 3),
        "Rejected": 3,
        "Stale": 1,
        "Total MH": look.uptime * look.nominal * 1e6,
    }


def _device(look: Look, number: int, name: int) -> Section:
    share = 0.0 if name in look.off else look.rate / len(look.ids)
    return {
        "ASC": number,
        "Enabled": "N" if name in look.off else "Y",
        "ID": name,
        **_rates(share),
        "MHS av": round(look.nominal / len(look.ids) * 1e6, 3),
        "Nominal MHS": round(look.nominal / len(look.ids) * 1e6, 3),
        "Name": "",
        "Status": "Alive",
        "Temperature": 0.0,
    }


def _details(look: Look, number: int, name: int) -> Section:
    megahertz = 573 + number
    return {
        "Chips": look.chips,
        "Cores": look.chips * 114,
        "DEVDETAILS": number,
        "Device Path": "",
        "Driver": "",
        "Frequency": megahertz * 1_000_000 if look.hertz else megahertz,
        "ID": name,
        "Kernel": "",
        "Model": look.model,
        "Name": f"Hash Chain {name}",
        "Voltage": 8.416799545288086,
    }


def _tuner(look: Look) -> Section:
    chains = [
        {
            "ApproximatePowerConsumptionWatt": round(look.watts / len(look.ids)),
            "HashchainIndex": name,
            "Iteration": 0,
            "PowerLimitWatt": round(look.limit / len(look.ids)),
            "Status": look.words.get(name, "Stable"),
            "TunerRunning": True,
        }
        for name in look.ids
    ]
    return {
        "ApproximateChainPowerConsumption": round(look.watts * 0.95),
        "ApproximateMinerPowerConsumption": round(look.watts),
        "DynamicPowerScaling": "Disabled",
        "PowerLimit": round(look.limit),
        "TunerChainStatus": chains,
    }


def _pool(look: Look, number: int) -> Section:
    url, user = look.pools[number]
    return {
        "Accepted": look.uptime // 20 if number == 0 else 0,
        "AsicBoost": True,
        "Best Share": 65536,
        "POOL": number,
        "Priority": number,
        "Quota": 1,
        "Rejected": 3 if number == 0 else 0,
        "Stale": 1 if number == 0 else 0,
        "Status": "Dead" if look.dead else "Alive",
        "Stratum Active": not look.dead and number == 0,
        "Stratum URL": url.rpartition("//")[2],
        "URL": url,
        "User": user,
    }
