"""What ``import miningsdk`` offers, at once or when it is first asked for."""

import subprocess
import sys

import pytest

from custom_components.miningsdk import sdk


def test_all_names_are_there() -> None:
    """Also those that are imported when they are first asked for."""
    assert {name for name in sdk.__all__ if not hasattr(sdk, name)} == set()
    assert set(sdk.__all__) <= set(dir(sdk))
    assert set(sdk._LATER) <= set(sdk.__all__)


def test_other_names_are_not() -> None:
    """As with any module."""
    with pytest.raises(AttributeError, match="no attribute 'hash_faster'"):
        sdk.hash_faster  # type: ignore[attr-defined]  # noqa: B018


def test_what_few_programs_need_costs_nothing() -> None:
    """Pools and the network's data are imported when they are used."""
    code = (
        "import sys; from custom_components.miningsdk import sdk as m;"
        "print({n for n in m._LATER.values() if f'{m.__name__}.{n}' in sys.modules});"
        "print(m.Network.__name__)"
    )
    # The integration itself is not wanted here, which imports everything.
    stub = "import sys, types; p = types.ModuleType('custom_components.miningsdk');"
    stub += "p.__path__ = ['custom_components/miningsdk'];"
    stub += "sys.modules[p.__name__] = p;"
    ran = subprocess.run(
        [sys.executable, "-c", stub + code], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["set()", "Network"]
