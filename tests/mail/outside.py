"""Reads sealed messages with CPython's email package, and checks every line of their outer parts.

    outside.py SEALED ORIGINALS

Both are folders with files of the same names. Prints the number of messages, or all complaints with exit code 1.
"""

import email
import email.policy
import os
import re
import sys

FIELDS = {
    "from", "sender", "reply-to", "to", "cc", "date", "message-id", "in-reply-to", "references",
    "auto-submitted", "precedence",
}
OURS = {"subject", "encl", "mime-version", "content-type"}
LONG = {"references", "in-reply-to"}
WORD = re.compile(rb"[A-Za-z]{6,}")


def is_long_word(line, field, in_head):
    """An address or a message's id cannot be folded (RFC 5322 section 2.2.3), and the field cannot be left out."""
    return in_head and field in FIELDS and max(map(len, line.split())) > 76 and len(line) <= 998


def complaints(name, sealed, original):
    lines = sealed.replace(b"\r\n", b"\n").split(b"\n")
    if not sealed.isascii() or b"\0" in sealed:
        yield "not 7bit"
    if b"\r\n" in sealed and sealed.count(b"\r\n") != sealed.count(b"\n"):
        yield "mixed line ends"
    if b"\r" in sealed.replace(b"\r\n", b""):
        yield "a bare CR"
    field = ""
    in_head = True
    for line in lines:
        if in_head and line[:1] not in b" \t":
            field = line.split(b":")[0].decode().lower()
        in_head = in_head and line != b""
        if len(line) > (998 if in_head and field in LONG else 78) and not is_long_word(line, field, in_head):
            yield f"a line of {len(line)} columns in {field}: {line[:120]}"
        if line.startswith(b"From "):
            yield "a line that begins with From"

    message = email.message_from_bytes(sealed, policy=email.policy.strict)
    parts = message.get_payload()
    kinds = [part.get_content_type() for part in parts]
    if kinds != ["text/plain", "application/vnd.encl"] or any(part.is_multipart() for part in parts):
        yield f"parts {kinds}"
        return
    for key, _ in message.raw_items():
        if key.lower() not in FIELDS | OURS and not key.lower().startswith("list-"):
            yield f"field {key} outside"
    if message["subject"] != "[...]":
        yield f"subject {message['subject']!r}"
    content = parts[1].get_payload(decode=True)
    if not content.startswith(b"encl/1\n"):
        yield "no envelope in the second part"

    # The outer part has no word of the original, except words of copied fields and of our own text.
    head, _, _ = sealed.replace(b"\r\n", b"\n").partition(b"\n\n")
    copied = " ".join(value for _, value in message.raw_items()).lower()
    ours = parts[0].get_payload().lower()
    structure = "content-type text/plain charset us-ascii content-transfer-encoding content-disposition"
    allowed = set(re.findall("[a-z]{6,}", f"{copied} {ours} {head.decode().lower()} {structure} "
                             "application attachment inline filename message boundary multipart base64"))
    outside = sealed.replace(b"\r\n", b"\n").split(b"\n\n")
    plain = b"\n".join(piece for piece in outside if not re.fullmatch(rb"[A-Za-z0-9+/=\n]+", piece))
    words = {word.decode().lower() for word in WORD.findall(original)}
    leaked = {word.decode().lower() for word in WORD.findall(plain)} & words - allowed
    if leaked:
        yield f"words outside: {sorted(leaked)[:10]}"


def main():
    sealed, originals = sys.argv[1:]
    names = sorted(os.listdir(sealed))
    found = []
    for name in names:
        with open(os.path.join(sealed, name), "rb") as outer, open(os.path.join(originals, name), "rb") as inner:
            try:
                found += [f"{name}: {text}" for text in complaints(name, outer.read(), inner.read())]
            except Exception as error:  # strict reading raises some defects, which are complaints too
                found.append(f"{name}: {type(error).__name__}: {error}")
    print(f"mail: {len(names)} messages outside read strictly, {len(found)} complaints")
    print("\n".join(found[:40]))
    sys.exit(1 if found or not names else 0)


main()
