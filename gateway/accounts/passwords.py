"""Passwords: what they must be like, and argon2id over them, off the loop and a few at a time."""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gateway.api.problems import RequestError
from gateway.api.words import TextWords

KEPT = 5
LONGEST = 128
# Of small letters, capitals, digits, others.
KINDS = 3
_CLASSES = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
# Words that stand alone, or before digits and signs, in lists of leaked passwords, and those of the trade.
_WORDS = (
    "password passwd pass admin administrator root guest user test welcome login letmein master secret default",
    "changeme qwerty asdf asdfgh asdfghjkl zxcvbn zxcvbnm qazwsx qazwsxedc abc abcd abcde abcdef abcdefgh aa aaa",
    "qwertyuiop iloveyou monkey dragon sunshine princess football baseball superman batman hello woaini woaiwojia",
    "wodemima mima zhongguo china beijing shanghai jieneng nengyuan nenghao jiguan shiwu energy energyplatform",
)
_COMMON = frozenset(" ".join(_WORDS).split())


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """`least` characters, of three of the four classes: small and large letters, digits, others."""

    least: int = 10

    def faults(self, name: str, password: str) -> list[TextWords]:
        """What is wrong with a new password of this account."""
        found = []
        if len(password) < self.least:
            found.append(TextWords(f"密码至少 {self.least} 个字符", f"A password has at least {self.least} characters"))
        if len(password) > LONGEST:
            found.append(TextWords(f"密码最多 {LONGEST} 个字符", f"A password has at most {LONGEST} characters"))
        if _classes(password) < KINDS:
            zh = "密码须含小写字母、大写字母、数字、其他字符中的至少三类"
            found.append(TextWords(zh, "A password has three of: small letters, capitals, digits, other characters"))
        if name and name.casefold() in password.casefold():
            found.append(TextWords("密码不得包含账户名", "A password does not contain the name of the account"))
        if _is_common(password):
            found.append(TextWords("此密码过于常见", "This password is too common"))
        return found


def refused(faults: Sequence[TextWords]) -> RequestError:
    """All faults in one answer."""
    text = TextWords("；".join(f.zh for f in faults), "; ".join(f.en for f in faults))
    return RequestError(text.en, 400, text, kind="urn:jieneng:password", faults=faults)


def _classes(password: str) -> int:
    rest = any(all(c not in kind for kind in _CLASSES) for c in password)
    return sum(any(c in kind for c in password) for kind in _CLASSES) + rest


def _is_common(password: str) -> bool:
    """Digits and signs around a word, or in place of letters in it, make no other word of it."""
    ends = string.digits + string.punctuation
    word = password.casefold().rstrip(ends)
    spelled = word.translate(str.maketrans("@0$31!", "aoseii"))
    letters = "".join(c for c in word if c.isalpha())
    return not word or not {word.strip(ends), spelled.strip(ends), letters}.isdisjoint(_COMMON)


def random_password() -> str:
    """One that keeps the rules, to be told once and changed at the first sign-in."""
    return f"{secrets.token_urlsafe(12)}-A7z"


class Passwords:
    """argon2id; some 50 ms and 32 MiB each on one core, two at a time."""

    def __init__(self, *, time_cost: int = 2, memory_kib: int = 32_768) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._nobodys = self._hasher.hash(secrets.token_urlsafe())
        self._turns = asyncio.Semaphore(2)

    async def hashed(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def matches(self, hashed: str | None, password: str) -> bool:
        """Whether it is the password; where there is none it takes as long to say no."""
        async with self._turns:
            return await asyncio.to_thread(self._matches, hashed or self._nobodys, password) and hashed is not None

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
