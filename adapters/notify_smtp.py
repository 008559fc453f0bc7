"""Mail by SMTP. A mail is sent when the server has taken it for this address; its code is the answer.

Mail is no HTTP and does not go through `adapters/outgoing.py`: the one host that is asked is that of the channel.
"""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from pathlib import Path
from typing import Literal

from energy.notices import Notice, Outcome, Receipt

Tls = Literal["implicit", "starttls", "none"]
TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A server that takes our mail. tls : `implicit` (465), `starttls` (587), or `none` on a network one trusts."""

    name: str
    host: str
    port: int
    sender: str
    tls: Tls = "starttls"
    user: str | None = None
    password: str | None = None
    ca_file: Path | None = None
    personal: bool = True
    timeout_s: float = TIMEOUT_S

    async def send(self, notice: Notice) -> Receipt:
        return await asyncio.to_thread(self._send, notice)

    def _send(self, notice: Notice) -> Receipt:
        try:
            message = self._message(notice)
        except ValueError as error:
            return Receipt(Outcome.REFUSED, f"{notice.address!r} is no mail address: {error}")
        try:
            with self._connected() as server:
                if self.tls == "starttls":
                    server.starttls(context=self._trusted())
                if self.user is not None:
                    server.login(self.user, self.password or "")
                server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            return _receipt(code, said)
        except smtplib.SMTPResponseException as error:
            # A password that is refused is a fault of the settings, and stays one.
            return _receipt(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError as error:
            return Receipt(Outcome.REFUSED, f"{self.host}: {error}")
        except ssl.SSLCertVerificationError:
            return Receipt(Outcome.REFUSED, f"{self.host}: its certificate is not of an authority that is believed")
        except (smtplib.SMTPException, OSError) as error:
            return Receipt(Outcome.LATER, f"{self.host}:{self.port}: {type(error).__name__}: {error}"[:200])
        return Receipt(Outcome.SENT, "250 taken")

    def _connected(self) -> smtplib.SMTP:
        if self.tls == "implicit":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout_s, context=self._trusted())
        return smtplib.SMTP(self.host, self.port, timeout=self.timeout_s)

    def _trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))

    def _message(self, notice: Notice) -> EmailMessage:
        address = parseaddr(notice.address)[1]
        Address(addr_spec=address)  # refuses what is none
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self.sender, address, notice.title
        message["Date"], message["X-Jieneng-Notice"] = formatdate(), notice.id
        message["Message-ID"] = make_msgid(domain=parseaddr(self.sender)[1].rpartition("@")[2] or None)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content("\n\n".join(part for part in (notice.text, notice.link) if part))
        return message


def _receipt(code: int, said: bytes | str) -> Receipt:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    outcome = Outcome.LATER if 400 <= code < 500 else Outcome.REFUSED
    return Receipt(outcome, f"{code} {text}"[:200])
