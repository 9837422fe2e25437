"""A DKIM signature made over the sealed message still holds after SMTP, Maildir and IMAP."""

import base64
import email.utils

import dkim
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ground import CORPUS, OUTSIDE, messages
from sending import arrived

SELECTOR, DOMAIN = b"chain", b"example.org"
SIGNED = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type"]

# Attachments, 8bit, binary, long lines, raw UTF-8, CRLF: what breaks signatures when it is sent as it is.
OUTSIDE_MESSAGES = [
    "cpython/msg_07.txt",
    "enmime/mail/mime-bad-8bit-filename.raw",
    "james/mailbox/mailWithLongHeaders.eml",
    "james/mailet/multipart-8bit.eml",
    "mail/mime_emails/raw_email_with_binary_encoded.eml",
    "mail/multi_charset/japanese_shift_jis.eml",
    "mail-parser/thirdparty/003.eml",
    "mailparser/nested.eml",
    "mime4j/testmsgs/basic-plain-very-long-lines.msg",
    "postal-mime/mimetorture.eml",
]
OWN_MESSAGES = [
    "attachment/pdf.eml",
    "attachment/raw_names.eml",
    "attachment/zip.eml",
    "charset/big5.eml",
    "charset/shift_jis.eml",
    "charset/utf_8.eml",
    "encoding/base64.eml",
    "message/rfc822.eml",
    "message/rfc822_crlf.eml",
    "multipart/alternative.eml",
]
MESSAGES = OUTSIDE_MESSAGES if CORPUS == OUTSIDE else OWN_MESSAGES
CANONICAL = {b"relaxed": (b"relaxed", b"relaxed"), b"simple": (b"simple", b"simple")}


class Key:
    """A key of the test, and the DNS that knows its public half."""

    def __init__(self):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL,
                                     serialization.NoEncryption())
        public = key.public_key().public_bytes(serialization.Encoding.DER,
                                               serialization.PublicFormat.SubjectPublicKeyInfo)
        self.record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

    def dns(self, name, timeout=5):
        return self.record if name.startswith(SELECTOR + b"._domainkey." + DOMAIN) else None

    def sign(self, message, canonicalize):
        signature = dkim.sign(message, SELECTOR, DOMAIN, self.pem, canonicalize=canonicalize, include_headers=SIGNED)
        return signature + message


def play(stage):
    tally, ground, key = stage.tally, stage.ground, Key()
    before, earlier = len(messages(stage.maildir("bob"))), stage.dovecot.bodies()
    originals = []
    for canonicalize in CANONICAL.values():
        for name in MESSAGES:
            original = from_alice((CORPUS / name).read_bytes(), len(originals))
            sealed = ground.need("alice", ["encl", "mail", "wrap", "--to", "bob@example.org"], original)
            stage.postfix.send(key.sign(sealed.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), canonicalize))
            originals.append(original)
            arrived(stage, "bob", before + len(originals))
    bodies = [body for body in stage.dovecot.bodies() if body not in earlier]
    tally.check(f"{len(originals)} sealed messages were signed, sent and fetched",
                len(bodies) == len(originals), len(bodies))
    held = sum(dkim.verify(body, dnsfunc=key.dns) for body in bodies)
    tally.check(f"DKIM: {held} of {len(bodies)} signatures hold, half of them simple/simple", held == len(originals))
    opened = [ground.unwrap(body).stdout for body in bodies]
    same = sum(original in opened for original in originals)
    tally.check(f"DKIM: {same} of {len(originals)} open to the original, byte for byte",
                sorted(opened) == sorted(originals))
    altered = bodies[0].replace(b"Subject: [...]", b"Subject: [..]")
    tally.check("DKIM: the test would see a change", not dkim.verify(altered, dnsfunc=key.dns))


def from_alice(message, number):
    """The corpus message as Alice would send it: the fields that a sealed message shows, then all of its own."""
    end = b"\r\n" if b"\r\n" in message else b"\n"
    fields = [b"From: Alice <alice@example.org>", b"To: bob@example.org",
              f"Date: {email.utils.formatdate(1_700_000_000 + number)}".encode(),
              f"Message-ID: <{number}@chain.example.org>".encode()]
    dropped = (b"from", b"to", b"cc", b"bcc", b"date", b"message-id", b"sender", b"reply-to")
    lines, kept, skipping, in_header = message.split(end), [], False, True
    for line in lines:
        if in_header and not line:
            in_header = False
        if in_header and not line.startswith((b" ", b"\t")):
            skipping = line.split(b":")[0].strip().lower() in dropped or line.startswith(b"From ")
        if not (in_header and skipping):
            kept.append(line)
    return end.join(fields + kept)
