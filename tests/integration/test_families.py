"""All entities of each family that is not recorded entity by entity."""

import pytest

from tests.integration.families import (
    OTHERS,
    CheckPlatform,
    check_platform_fixture,  # noqa: F401
    recorded_fixture,  # noqa: F401
)
from tests.integration.fixtures_fleet import FROZEN


@FROZEN
@pytest.mark.parametrize("family", OTHERS)
async def test_entities(check_platform: CheckPlatform, family: str) -> None:
    """What each of them shows and can be told, on all platforms."""
    await check_platform(None, family, short=True)
