"""The cookies by which a web server knows who has logged in."""

from collections.abc import Mapping
import re

from ..transports.http import Response

# What a browser would send on unharmed; a header holds no line breaks.
_COOKIE = re.compile(r"\s*([^=;,\s\x00-\x1f]+)=([^;\x00-\x1f]*)")


def cookies_of(response: Response) -> dict[str, str]:
    """Return the cookies that a reply sets; one with no value is being taken away."""
    found = {}
    for name, value in response.headers.items():
        if name.lower() == "set-cookie" and (match := _COOKIE.match(value)):
            found[match[1]] = match[2].strip()
    return {name: value for name, value in found.items() if value}


def cookie_header(cookies: Mapping[str, str]) -> dict[str, str]:
    """Return the header that brings cookies back."""
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
