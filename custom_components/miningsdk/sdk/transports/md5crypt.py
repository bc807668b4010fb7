"""The ``$1$`` password hash of crypt(3), which Python no longer ships.

Some devices derive their keys from it. Source: the algorithm as crypt(5) describes
it and as ``openssl passwd -1`` computes it.
"""

from hashlib import md5

_ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# Which bytes of the digest are written together, four characters for three bytes.
_GROUPS = ((0, 6, 12), (1, 7, 13), (2, 8, 14), (3, 9, 15), (4, 10, 5))
_ROUNDS = 1000


def md5_crypt(password: str, salt: str) -> str:
    """Return the 22 characters that ``$1$salt$`` is followed by.

    Only the first eight characters of the salt count.
    """
    secret, grain = password.encode(), salt.encode()[:8]
    digest = _first(secret, grain)
    for turn in range(_ROUNDS):
        mixed = secret if turn % 2 else digest
        if turn % 3:
            mixed += grain
        if turn % 7:
            mixed += secret
        mixed += digest if turn % 2 else secret
        digest = md5(mixed, usedforsecurity=False).digest()
    return _encode(digest)


def _first(secret: bytes, grain: bytes) -> bytes:
    inner = md5(secret + grain + secret, usedforsecurity=False).digest()
    mixed = secret + b"$1$" + grain
    mixed += (inner * (len(secret) // 16 + 1))[: len(secret)]
    bits = len(secret)
    while bits:
        mixed += b"\x00" if bits & 1 else secret[:1]
        bits >>= 1
    return md5(mixed, usedforsecurity=False).digest()


def _encode(digest: bytes) -> str:
    text = ""
    for high, middle, low in _GROUPS:
        text += _letters(digest[high] << 16 | digest[middle] << 8 | digest[low], 4)
    return text + _letters(digest[11], 2)


def _letters(value: int, count: int) -> str:
    return "".join(_ALPHABET[value >> 6 * place & 63] for place in range(count))
