"""The web server of a simulated Antminer: digest, and the form up to X17."""

from collections.abc import Sequence
from hashlib import md5
import json
import re
import secrets

from aiohttp import web

REALM = "antMiner Configuration"
_FIELD = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')
_POOL_FIELDS = tuple(
    f"_ant_pool{number}{part}" for number in (1, 2, 3) for part in ("url", "user", "pw")
)
FORMS = {
    "S9": (
        *_POOL_FIELDS,
        "_ant_nobeeper",
        "_ant_notempoverctrl",
        "_ant_fan_customize_switch",
        "_ant_fan_customize_value",
        "_ant_freq",
        "_ant_voltage",
    ),
    # The same fields and one more, but the fan comes last.
    "T17+": (
        *_POOL_FIELDS,
        "_ant_nobeeper",
        "_ant_notempoverctrl",
        "_ant_freq",
        "_ant_voltage",
        "_ant_work_mode",
        "_ant_fan_customize_switch",
        "_ant_fan_customize_value",
    ),
}
# All that the scripts of 2016 decode, in their order.
_DECODED = "#$%&,+:;<=>?@[]^{|}/"


class Digest:
    """HTTP digest as lighttpd asks for it; ``wrong`` counts wrong passwords."""

    def __init__(self, realm: str = REALM) -> None:
        """Start without any challenge."""
        self._counts: dict[str, int] = {}
        self._realm = realm
        self.wrong = 0

    def expire(self) -> None:
        """Forget all challenges, as the web server does in time."""
        self._counts.clear()

    def refusal(self, request: web.Request, password: str) -> web.Response | None:
        """Return a challenge unless the request answers one."""
        header = request.headers.get("Authorization", "")
        told = {m[1]: m[2] or m[3] for m in _FIELD.finditer(header)}
        nonce, count = told.get("nonce", ""), int(told.get("nc", "0"), 16)
        if nonce in self._counts and told.get("uri") == request.raw_path:
            expected = _answer(self._realm, request.method, told, password)
            if count > self._counts[nonce] and told.get("response") == expected:
                self._counts[nonce] = count
                return None
            self.wrong += 1
        nonce = secrets.token_hex(16)
        self._counts[nonce] = 0
        challenge = f'Digest realm="{self._realm}", nonce="{nonce}", qop="auth"'
        return web.Response(
            status=401, headers={"WWW-Authenticate": challenge}, text="<h1>401</h1>"
        )


def _answer(realm: str, method: str, told: dict[str, str], password: str) -> str:
    secret = _md5(f"{told.get('username')}:{realm}:{password}")
    if told.get("username") != "root":
        secret = "nobody"
    target = _md5(f"{method}:{told['uri']}")
    return _md5(
        f"{secret}:{told['nonce']}:{told.get('nc')}:{told.get('cnonce')}:"
        f"{told.get('qop')}:{target}"
    )


def _md5(text: str) -> str:
    return md5(text.encode()).hexdigest()


def decode_form(text: str, names: Sequence[str]) -> dict[str, str]:
    """Return the fields as the script sees them: cut at ``&``, by position."""
    values = {}
    for name, part in zip(names, text.split("&"), strict=False):
        value = part.replace("+", " ")
        for char in _DECODED:
            value = value.replace(f"%{ord(char):02X}", char)
        values[name] = value.removeprefix(f"{name}=")
    return values


def form_page(names: Sequence[str]) -> str:
    """Return the page whose script sends the form, with the order of its fields."""
    data = ", ".join(f"{name}:{name}" for name in names)
    return (
        "<html><script>jQuery.ajax({\n url: '/cgi-bin/set_miner_conf.cgi',\n"
        f" type: 'POST',\n data: {{{data}}},\n}});</script></html>"
    )


def verdict(stats: str, code: str, message: str, *, chat: str = "") -> web.Response:
    """Return what set_miner_conf.cgi prints, always with HTTP status 200."""
    verdict = json.dumps({"stats": stats, "code": code, "msg": message})
    return web.Response(text=f"{chat}{verdict}\n")


def status_reply(body: str) -> bytes:
    """Return a reply of the status server, whose status line is not quite HTTP."""
    head = (
        "HTTP/1.0  200  OK\r\nServer: SearchFreqServer\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        "Connection: Keep-Alive\r\n\r\n"
    )
    return (head + body).encode()
