"""Which worker at a pool is which miner."""

import pytest

from custom_components.miningsdk.sdk import PoolWorker
from custom_components.miningsdk.sdk.pool_workers import match_workers


def worker(name: str, online: bool | None = True) -> PoolWorker:
    return PoolWorker(name=name, online=online)


@pytest.mark.parametrize(
    ("at_the_pool", "user"),
    [
        ("rig1", "account.rig1"),
        ("account.rig1", "account.rig1"),
        ("Rig1", "account.rIG1"),
        ("bc1qaddress.rig1", "bc1qaddress.rig1"),
        ("bc1qaddress", "bc1qaddress"),
        ("192x168x1x20", "account.192x168x1x20"),
        ("hall2.rig1", "account.hall2.rig1"),
        ("rig_1", "account.rig_1"),
        ("rig1", "bc1qaddress_rig1"),
        ("rig1", " account.rig1 "),
    ],
)
def test_a_match(at_the_pool: str, user: str) -> None:
    found = match_workers([worker(at_the_pool)], [("miner", [user])])
    assert found.pairs == (("miner", worker(at_the_pool)),)
    assert found.unseen == ()
    assert found.strangers == ()


@pytest.mark.parametrize(
    ("at_the_pool", "user"),
    [
        ("rig1", "account.rig2"),
        ("account.rig1", "other.rig1"),
        ("rig1", "rig1.rig"),
        ("account", "account.rig1"),
        ("", "account."),
        ("1", "account.rig_1"),
    ],
)
def test_no_match(at_the_pool: str, user: str) -> None:
    found = match_workers([worker(at_the_pool)], [("miner", [user])])
    assert found.pairs == ()
    assert found.unseen == ("miner",)
    assert [w.name for w in found.strangers] == ([at_the_pool] if at_the_pool else [])


def test_a_site() -> None:
    workers = [
        worker("a.one"),
        worker("a.two", online=False),
        worker("a.three", online=None),
        worker("a.old", online=False),
    ]
    miners = [
        ("first", ["a.one"]),
        ("second", ["a.two"]),
        ("third", ["x.backup", "a.three"]),
        ("fourth", ["a.four"]),
        ("twin", ["a.one"]),
        ("silent", []),
        ("empty", [" "]),
    ]
    found = match_workers(workers, miners)
    assert [(miner, w.name) for miner, w in found.pairs] == [
        ("first", "a.one"),
        ("second", "a.two"),
        ("third", "a.three"),
        ("twin", "a.one"),
    ]
    assert found.unseen == ("second", "fourth")
    assert [w.name for w in found.strangers] == ["a.old"]


def test_nothing() -> None:
    found = match_workers([], [])
    assert (found.pairs, found.unseen, found.strangers) == ((), (), ())


def test_a_miner_is_seen_when_any_of_its_workers_is() -> None:
    workers = [worker("a.x", online=False), worker("x")]
    found = match_workers(workers, [("miner", ["a.x"])])
    assert len(found.pairs) == 2
    assert found.unseen == ()
