"""The table of models: its schema, its sense, and what it adds to a device."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, override

import jsonschema
import orjson
import pytest

from custom_components.miningsdk.sdk import (
    Board,
    DeviceInfo,
    DeviceKind,
    InvalidReply,
    Miner,
    MinerStats,
    connect,
    models,
)
from custom_components.miningsdk.sdk.algorithms import ALGORITHMS
from tests.conftest import Simulate
from tests.sdk.conftest import Python
from tests.simulators.families import Family, families

DATA = orjson.loads(models._FILE.read_bytes())
SCHEMA = orjson.loads(models._FILE.with_name("models.schema.json").read_bytes())


# The data.


def test_data_keep_to_their_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA).validate(DATA)


@pytest.mark.parametrize(
    "change",
    [
        {"chips": 0},
        {"chips": "108"},
        {"hashrate": 0},
        {"cooling": "water"},
        {"algorithm": "SHA-256"},
        {"colour": "grey"},
        {"names": []},
        {"variants": {"VH10": [3]}},
    ],
)
def test_the_schema_refuses_nonsense(change: dict[str, Any]) -> None:
    data = {"makes": [{"make": "Acme", "models": {"A1": change}}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(SCHEMA).validate(data)


def test_algorithms_are_known() -> None:
    for model in models.known():
        assert model.algorithm is None or model.algorithm in ALGORITHMS, model
    for make in DATA["makes"]:
        assert set(make.get("series", {}).values()) <= set(ALGORITHMS)


def test_each_name_is_of_one_model() -> None:
    """Two models of a make by one name would hide each other."""
    for make in DATA["makes"]:
        found: dict[str, str] = {}
        for name, facts in make["models"].items():
            variants = [f"{name} {variant}" for variant in facts.get("variants", ())]
            for known in (name, *facts.get("names", ()), *variants):
                compact = models._compact(known)
                assert compact
                assert found.setdefault(compact, name) == name, known
                of = models.lookup(make["make"], known)
                assert of is not None
                assert of.make == make["make"], known


def test_makes_are_told_apart() -> None:
    words = [word for make in models._table().makes for word in make.words]
    assert len(words) == len(set(words))


def test_nominal_figures_go_together() -> None:
    """A wrong zero or unit would show in what a hash needs."""
    sane = {"sha256": (9, 200), "scrypt": (1.5e5, 2e6), "kheavyhash": (100, 700)}
    for model in models.known():
        if model.hashrate and model.power and model.algorithm in sane:
            low, high = sane[model.algorithm]
            assert low < model.power / model.hashrate < high, model


def test_a_liquid_needs_no_fans() -> None:
    for model in models.known():
        if model.cooling in ("hydro", "immersion"):
            assert model.fans == 0, model
        if model.fans == 0 and model.cooling == "air":
            assert model.model == "KS0", model


def test_the_table_is_large() -> None:
    known = models.known()
    assert len(known) > 700
    assert len({(model.make, model.model) for model in known}) == len(known)


def test_it_is_not_read_before_it_is_wanted(installed: Python) -> None:
    """What only imports the package does not pay for it."""
    code = (
        "from miningsdk import models; print(models._table.cache_info().currsize);"
        "models.load(); print(models._table.cache_info().currsize)"
    )
    assert installed("-c", code).stdout == "0\n1\n"


# Names.


@pytest.mark.parametrize(
    ("make", "told", "model"),
    [
        ("Bitmain", "Antminer S21", "Antminer S21"),
        ("Bitmain", "ANTMINER S19J PRO", "Antminer S19j Pro"),
        ("Bitmain", "Antminer S19j Pro 104T", "Antminer S19j Pro"),
        ("Bitmain", "Antminer S21 Pro (Vnish 1.2.7)", "Antminer S21 Pro"),
        ("Bitmain", "AntMiner S19 XP (141 TH/s)", "Antminer S19 XP"),
        ("Bitmain", "s21pro", "Antminer S21 Pro"),
        ("Bitmain", "Antminer S19 Pro Hydro", "Antminer S19 Pro Hyd."),
        ("Bitmain", "Antminer S21+ Hyd", "Antminer S21+ Hyd."),
        ("Bitmain", "Antminer S19J PRO PLUS NOPIC", "Antminer S19j Pro+"),
        ("Bitmain", "Antminer BHB68601", "Antminer S21"),
        ("Bitmain", "L3+", "Antminer L3+"),
        (None, "Antminer S9", "Antminer S9"),
        ("MaraFW", "Antminer S19k Pro", "Antminer S19k Pro"),
        ("MicroBT", "M60S_VK40", "Whatsminer M60S VK40"),
        ("MicroBT", "Whatsminer M30S++ VH70", "Whatsminer M30S++ VH70"),
        ("MicroBT", "M30S+VE40", "Whatsminer M30S+ VE40"),
        # A variant that is not listed is still of its family.
        ("MicroBT", "Whatsminer M30S++ VZ90", "Whatsminer M30S++"),
        ("Canaan", "Avalon Q", "Avalon Q"),
        ("Canaan", "AvalonMiner 1066", "Avalon A1066"),
        ("Canaan", "Avalon A15-194", "Avalon A15"),
        ("Bitaxe", "Gamma 601", "Gamma"),
        ("Bitaxe", "602", "Gamma"),
        ("Bitaxe", "Supra Hex 701", "Supra Hex"),
        ("NerdAxe", "NerdQAxe++", "NerdQAxe++"),
        ("NerdAxe", "NerdOCTAXE-γ", "NerdOCTAXE-γ"),
        ("Elphapex", "DG-Home1", "DG Home 1"),
        ("Elphapex", "DG1Plus", "DG1+"),
        ("Goldshell", "Goldshell-KDBOXII", "KD Box II"),
        ("IceRiver", "KS5M", "KS5M"),
        ("IceRiver", "KS5", "KS5"),
        ("Bitmain", "KS5", "Antminer KS5"),
        ("ePIC", "BLOCKMINER 520i", "BlockMiner 520i"),
        ("Braiins", "Braiins Mini Miner BMM 101", "BMM 101"),
        ("FutureBit", "Apollo2", "Apollo II"),
        ("Proto", "Rig", "Rig"),
    ],
)
def test_lookup(make: str | None, told: str, model: str) -> None:
    found = models.lookup(make, told)
    assert found is not None
    assert found.model == model


@pytest.mark.parametrize(
    ("make", "told"),
    [
        ("Bitmain", "Antminer S99"),
        ("Bitmain", "Antminer"),
        ("Bitmain", ""),
        ("Bitmain", None),
        ("MicroBT", "M99 V10"),
        ("Bitaxe", "BM1370"),
        ("Bitaxe", "999"),
        (None, "HashBox 9"),
        # Two makers have one of this name.
        (None, "KS5"),
        ("Acme", "S21"),
    ],
)
def test_what_is_not_known(make: str | None, told: str | None) -> None:
    assert models.lookup(make, told) is None


def test_facts_of_a_model() -> None:
    assert models.lookup("Bitmain", "Antminer S21") == models.Model(
        make="Bitmain",
        model="Antminer S21",
        algorithm="sha256",
        boards=3,
        chips=108,
        fans=4,
        cooling="air",
        hashrate=200,
        power=3500,
        names=("BHB68601", "BHB68606"),
    )


def test_a_variant_may_have_other_boards() -> None:
    usual = models.lookup("MicroBT", "M66S VK40")
    other = models.lookup("MicroBT", "M66S VK20")
    family = models.lookup("MicroBT", "M66S VZ10")
    assert usual is not None and other is not None and family is not None
    assert (usual.boards, usual.chips) == (4, 240)
    assert (other.boards, other.chips) == (3, 368)
    assert (family.boards, family.chips) == (None, None)
    assert (family.fans, family.cooling) == (0, "immersion")


@pytest.mark.parametrize(
    ("make", "told", "algorithm"),
    [
        ("Bitmain", "Antminer L7", "scrypt"),
        ("Bitmain", "Antminer KS5 Pro", "kheavyhash"),
        # Not listed, but the letters tell.
        ("Bitmain", "Antminer L99", "scrypt"),
        ("Bitmain", "Antminer KS9", "kheavyhash"),
        (None, "Antminer S99", "sha256"),
        ("MicroBT", "Whatsminer M99", "sha256"),
        ("Canaan", "Avalon Z9", "sha256"),
        ("IceRiver", "AE0", None),
        ("Bitmain", "Antminer B7", None),
        ("Bitmain", None, None),
        (None, "HashBox 9", None),
        ("FluMiner", "X1", None),
    ],
)
def test_algorithm(make: str | None, told: str | None, algorithm: str | None) -> None:
    assert models.algorithm(make, told) == algorithm


def info(**facts: Any) -> DeviceInfo:
    return DeviceInfo(kind=DeviceKind.MINER, driver="x", host="127.0.0.1", **facts)


@pytest.mark.parametrize(
    ("facts", "label"),
    [
        ({"make": "Bitmain", "model": "Antminer S21"}, "Antminer S21"),
        ({"make": "Bitmain", "model": "S99"}, "Unknown model (S99)"),
        ({"make": None, "model": "HashBox 9"}, "Unknown model (HashBox 9)"),
        # Its driver knows the models of its own make.
        ({"make": "Acme", "model": "A1"}, "A1"),
        ({"make": "Bitmain", "model": None}, None),
        ({"kind": DeviceKind.METER, "make": None, "model": "EM24"}, "EM24"),
    ],
)
def test_label(facts: dict[str, Any], label: str | None) -> None:
    assert models.label(replace(info(), **facts)) == label


# What it adds to a device.


class Told(Miner):
    """A driver that says what a test has it say."""

    name = "told"
    make = "Bitmain"
    default_port = 4444
    facts: ClassVar[dict[str, Any]] = {}
    stats: ClassVar[MinerStats] = MinerStats()

    @override
    async def _fetch_info(self) -> DeviceInfo:
        if self.facts is None:
            raise InvalidReply("nothing")
        return replace(self.info, **self.facts)

    @override
    async def _fetch_stats(self, failed: dict[str, str]) -> MinerStats:
        return self.stats


type Say = Callable[..., None]


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch) -> Say:
    """Return a function that sets what the device says from now on."""

    def put(*boards: Board, **facts: Any) -> None:
        monkeypatch.setattr(Told, "facts", facts)
        monkeypatch.setattr(Told, "stats", MinerStats(boards=boards))

    return put


def counts(device: Told) -> tuple[Any, ...]:
    told = device.info
    return (told.algorithm, told.boards, told.chips, told.fans)


async def test_info_is_completed(say: Say) -> None:
    say(model="Antminer S19 Pro")
    device = await Told("127.0.0.1").connect()
    assert counts(device) == ("sha256", 3, 342, 4)
    assert device.info.model == "Antminer S19 Pro"


async def test_what_the_device_says_stays(say: Say) -> None:
    say(model="Antminer S19 Pro", algorithm="other", chips=300, fans=2)
    device = await Told("127.0.0.1").connect()
    assert counts(device) == ("other", 3, 300, 2)


async def test_an_unknown_model_keeps_its_name(say: Say) -> None:
    say(Board(index=0, chips=5), model="Antminer L99")
    device = await Told("127.0.0.1").connect()
    assert counts(device) == ("scrypt", None, None, None)
    assert device.info.model == "Antminer L99"
    (board,) = (await device.read()).boards
    assert (board.chips, board.chips_expected) == (5, None)


async def test_another_model_at_the_address_brings_its_own_facts(say: Say) -> None:
    """What the table said of the first one is not what the second one says."""
    say(model="Antminer S19 Pro")
    device = await Told("127.0.0.1").connect()
    say(model="Antminer L7")
    await device.connect()
    assert counts(device) == ("scrypt", 3, 360, 4)
    say(model="Antminer B7")
    await device.connect()
    assert counts(device) == (None, None, None, None)
    say(model="Antminer S21", chips=300)
    await device.connect()
    assert counts(device) == ("sha256", 3, 300, 4)


async def test_boards_learn_how_many_chips_they_should_have(say: Say) -> None:
    say(
        Board(index=0, chips=114),
        Board(index=1, chips=112),
        Board(index=2, chips=None, chips_expected=110),
        model="Antminer S19 Pro",
    )
    stats = await Told("127.0.0.1").read()
    assert [(b.chips, b.chips_expected) for b in stats.boards] == [
        (114, 114),
        (112, 114),
        (None, 110),
    ]


@pytest.mark.parametrize(
    "chips",
    [
        pytest.param((126, 126, 126), id="more"),
        pytest.param((88, 88, 88), id="others that agree"),
        pytest.param((114, 114, 114, 114), id="one board more"),
        pytest.param((120, 0, 0), id="one more, others off"),
    ],
)
async def test_other_boards_than_the_table_has(
    say: Say, chips: tuple[int, ...]
) -> None:
    """Makers change boards and keep the name; the device is right."""
    boards = [Board(index=n, chips=count) for n, count in enumerate(chips)]
    say(*boards, model="Antminer S19 Pro")
    device = await Told("127.0.0.1").connect()
    assert counts(device) == ("sha256", 3, 342, 4)
    for _ in range(2):
        stats = await device.read()
        assert {board.chips_expected for board in stats.boards} == {None}
        assert counts(device) == ("sha256", None, None, None)
        device.forget_info()
    # Another model at that address begins anew.
    say(Board(index=0, chips=108), model="Antminer S21")
    device.forget_info()
    (board,) = (await device.read()).boards
    assert board.chips_expected == 108


@pytest.mark.parametrize(
    "chips", [(114, 114, 114), (0, 0, 0), (110, 110, 114), (None,)]
)
async def test_boards_that_may_be_those_of_the_table(
    say: Say, chips: tuple[int | None, ...]
) -> None:
    boards = [Board(index=n, chips=count) for n, count in enumerate(chips)]
    say(*boards, model="Antminer S19 Pro")
    stats = await Told("127.0.0.1").read()
    assert {board.chips_expected for board in stats.boards} == {114}


async def test_only_miners_have_models() -> None:
    meter = replace(info(make="Bitmain", model="Antminer S21"), kind=DeviceKind.METER)
    assert models.additions(meter, models.lookup("Bitmain", "Antminer S21")) == {}


# Every family that is simulated.

# Any miner at all, and one that tells no model.
_NAMELESS = {"cgminer"}


@pytest.mark.parametrize("family", families(), ids=lambda family: family.driver)
async def test_families_call_themselves_by_names_that_are_known(
    family: Family, simulate: Simulate
) -> None:
    device = await simulate(family.simulator, **family.options)
    found = await connect(
        device.address,
        driver=family.driver,
        username=family.username,
        password=family.password,
    )
    await found.close()
    told = found.info
    if family.driver in _NAMELESS:
        assert models.label(told) == f"Unknown model ({told.model})"
        return
    assert models.lookup(told.make, told.model), (told.make, told.model)
    assert models.label(told) == told.model
    assert told.algorithm is not None


# Names in recorded replies: file, how the model is written there, and its make.
_RECORDED = (
    ("antminer/v2020/asicrs/stats.json", "Antminer S19 Pro", "Bitmain"),
    ("antminer/v2020/asicrs/system_info.json", "Antminer S21", "Bitmain"),
    ("auradine/v1/asicrs/ipreport.json", "AT1500", "Auradine"),
    ("avalonminer/asicrs/version.json", "Avalon Q", "Canaan"),
    ("bitaxe/v2_0_0/asicrs/system_info.json", "401", "Bitaxe"),
    ("braiins/v25_07/asicrs/miner_details.json", "Antminer S19 XP", "Bitmain"),
    ("epic/v1/asicrs/capabilities.json", "AntMiner S19 XP", "Bitmain"),
    ("luxminer/v1/asicrs/version.json", "Antminer S19k Pro", "Bitmain"),
    ("nerdqaxe/vendor-docs-v2/get_system.json", "NerdQAxe+", "NerdAxe"),
    ("proto/v1/asicrs/system.json", "Rig", "Proto"),
    ("vnish/proto-fleet-s21pro-1.2.7/manifest.json", "S21Pro", "Bitmain"),
    (
        "whatsminer/vendor-v2.0.5/049-devdetails.not-valid-json.txt",
        "M30S+VE40",
        "MicroBT",
    ),
    ("whatsminer/v3/asicrs/get_device_info.json", "M60S_VK40", "MicroBT"),
)


@pytest.mark.parametrize(("path", "told", "make"), _RECORDED)
def test_names_in_recorded_replies(
    example: Callable[[str], bytes], path: str, told: str, make: str
) -> None:
    assert told.encode() in example(path)
    found = models.lookup(make, told)
    assert found is not None
    assert found.make == make
