"""Sealing at delivery in Postfix: what cannot be sealed now waits, nothing is lost, nothing is stored plain."""

import os

from ground import OWNER, holding, lf, messages, text, wait
from sending import arrived

MARKER = "sturgeon"


def letter(number):
    return (f"From: Eve <eve@example.net>\r\nTo: bob@example.org\r\nSubject: {MARKER} {number}\r\n"
            f"Date: Wed, 25 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{number}@example.net>\r\n\r\n"
            f"One {MARKER} for Bob.\r\nFrom here on, number {number}.\r\n.\r\n").encode()


def moved_away(ground):
    keystore, away = ground.keystore("server"), ground.folder / "away"
    os.rename(keystore, away)
    return lambda: os.rename(away, keystore)


def unreadable(ground):
    """As after a restore by root: the folder is there, and its user may not enter."""
    keystore = ground.keystore("server")
    os.chown(keystore, 0, 0)
    return lambda: os.chown(keystore, OWNER.pw_uid, OWNER.pw_gid)


def truncated(ground):
    """As after a full disk: every file of the keystore is there and empty."""
    files = {path: path.read_bytes() for path in ground.keystore("server").rglob("*") if path.is_file()}
    for path in files:
        path.write_bytes(b"")
    return lambda: [path.write_bytes(whole) for path, whole in files.items()]


def no_mailbox(ground):
    """As after a restore by root, in the mailbox."""
    parts = [ground.mail / "bob/Maildir" / part for part in ("tmp", "new", "cur")]
    for part in parts:
        os.chown(part, 0, 0)
    return lambda: [os.chown(part, OWNER.pw_uid, OWNER.pw_gid) for part in parts]


def no_program(ground):
    """As in the middle of an upgrade."""
    away = ground.encl.with_suffix(".away")
    os.rename(ground.encl, away)
    return lambda: os.rename(away, ground.encl)


# Each breaks something and gives back how it is repaired.
BROKEN = {
    "keystore moved away": moved_away,
    "keystore unreadable": unreadable,
    "keystore truncated": truncated,
    "mailbox not writable": no_mailbox,
    "program missing": no_program,
}

# Letters that come while something is broken.
LETTERS = 3


def play(stage):
    stage.postfix.seal_at_delivery()
    healthy(stage)
    for number, (how, broken) in enumerate(BROKEN.items(), 1):
        repaired(stage, how, broken, range(number * 10, number * 10 + LETTERS))
    sealed_already(stage)
    for_two(stage)
    no_second_program(stage)
    plus(stage)
    left = stage.postfix.queue()
    stage.tally.check("delivery: the queue is empty at the end", not left, left)


def opens_to(stage, message, sent, person="bob"):
    """Postfix puts its own fields on top; below them stands what was sent."""
    opened = stage.ground.unwrap(message, person).stdout
    return lf(opened).endswith(b"\n" + lf(sent))


def nothing_plain(stage, when):
    plain = holding(stage.ground.mail, MARKER)
    stage.tally.check(f"delivery, {when}: nothing plain below the mail folder", not plain, plain)


def healthy(stage):
    before = len(messages(stage.maildir("bob")))
    stage.postfix.send(letter(0), "eve@example.net")
    message = arrived(stage, "bob", before + 1)
    stage.tally.check("delivery: Bob opens what was sent", opens_to(stage, message, letter(0)), message.decode())
    nothing_plain(stage, "all in order")


def repaired(stage, how, broken, numbers):
    tally, postfix, before = stage.tally, stage.postfix, len(messages(stage.maildir("bob")))
    repair = broken(stage.ground)
    try:
        for number in numbers:
            postfix.send(letter(number), "eve@example.net")
        wait(lambda: all(postfix.reasons()))
        deferred = tally.check(f"delivery, {how}: {LETTERS} messages deferred", len(postfix.reasons()) == LETTERS,
                               postfix.queue())
        tally.check(f"delivery, {how}: nothing delivered", len(messages(stage.maildir("bob"))) == before)
        nothing_plain(stage, how)
    finally:
        repair()
    if not deferred:
        return
    postfix.flush()
    arrived(stage, "bob", before + LETTERS)
    found = [path.read_bytes() for path in messages(stage.maildir("bob"))[before:]]
    whole = [number for number in numbers if any(opens_to(stage, message, letter(number)) for message in found)]
    tally.check(f"delivery, {how}: after the repair all are delivered, whole, and once",
                wait(lambda: not postfix.queue()) and whole == list(numbers) and len(found) == LETTERS, whole)
    nothing_plain(stage, f"{how}, repaired")


def sealed_already(stage):
    """What Alice sealed for Bob stays as it is."""
    tally, before = stage.tally, len(messages(stage.maildir("bob")))
    original = letter(1).replace(b"Eve <eve@example.net>", b"alice@example.org")
    sealed = stage.ground.need("alice", ["encl", "mail", "wrap"], original)
    stage.postfix.send(sealed)
    message = arrived(stage, "bob", before + 1)
    tally.check("delivery: a sealed message is not sealed again", stage.ground.unwrap(message).stdout == original,
                message.decode())


def plus(stage):
    """bob+list is Bob."""
    before = len(messages(stage.maildir("bob")))
    stage.postfix.send(letter(2), "eve@example.net", ["bob+list@example.org"])
    message = arrived(stage, "bob", before + 1)
    stage.tally.check("delivery: bob+list@ is sealed for Bob", opens_to(stage, message, letter(2)), message.decode())


def for_two(stage):
    """One message for two: each gets one that only they can open."""
    bobs, carols = len(messages(stage.maildir("bob"))), len(messages(stage.maildir("carol")))
    stage.postfix.send(letter(3), "eve@example.net", ["bob@example.org", "carol@example.org"])
    for_bob, for_carol = arrived(stage, "bob", bobs + 1), arrived(stage, "carol", carols + 1)
    stage.tally.check("delivery for two: each opens theirs",
                      opens_to(stage, for_bob, letter(3)) and opens_to(stage, for_carol, letter(3), "carol"))
    closed = [stage.ground.unwrap(for_carol, "bob").returncode, stage.ground.unwrap(for_bob, "carol").returncode]
    stage.tally.check("delivery for two: neither opens the other's", closed == [3, 3], closed)


def no_second_program(stage):
    """As in the middle of an upgrade again: Postfix would return the message if this were 69."""
    command = ["encl", "mail", "deliver", "--for", "bob@example.org", "--", "/nonexistent/maildrop"]
    answer = stage.ground.run("server", command, letter(4))
    stage.tally.check("delivery: a program behind -- that is missing is 75", answer.returncode == 75,
                      f"{answer.returncode}\n{text(answer)}")
