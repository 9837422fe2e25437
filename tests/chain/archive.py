"""A mailbox that lies on the server is sealed and unsealed, and Dovecot serves it all the while."""

import collections
import datetime
import re
import shutil

from ground import CORPUS, OWNER, give, holding, lf, messages, text

COUNT = 50
MARKER = "barracuda"
FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "\\Draft", "\\Deleted"]
KEYWORDS = ["$Forwarded", "Work", "holiday", "NonJunk"]
PERSON = "carol"


def corpus():
    """Messages of every kind; IMAP takes neither NUL nor nothing, and an mbox is not a message."""
    kinds = (".eml", ".txt", ".msg", ".raw", ".penfold", ".mail")
    paths = sorted(path for path in CORPUS.glob("*/**/*")
                   if path.suffix in kinds and not {"LICENSES", "mbox"} & set(path.parts))
    fit = [whole for path in paths if (whole := path.read_bytes()) and b"\0" not in whole and len(whole) < 100_000]
    step = len(fit) // (COUNT - 1)
    return fit[:step * (COUNT - 1):step]


def fill(stage):
    """Fifty messages by IMAP, with flags, keywords and dates."""
    own = f"From: x@example.net\r\nTo: {PERSON}@example.org\r\nSubject: {MARKER}\r\n\r\nA {MARKER}.\r\n".encode()
    with stage.dovecot.session(PERSON) as server:
        for number, message in enumerate([*corpus(), own]):
            # Each combination differs from its neighbours'; so does each date, over eight years and twelve time zones.
            flags = [flag for bit, flag in enumerate(FLAGS + KEYWORDS) if (number + bit) * (bit + 3) % 7 < 3]
            zone = datetime.timezone(datetime.timedelta(hours=number % 12))
            when = datetime.datetime(2009, 3, 1, 7, 30, 11, tzinfo=zone) + datetime.timedelta(days=61 * number)
            status, answer = server.append("INBOX", " ".join(flags), when, message)
            if status != "OK":
                raise RuntimeError(f"message {number}: {answer}")


def served(stage):
    """What a mail program sees: for every message its body, flags with keywords, and INTERNALDATE."""
    found = []
    with stage.dovecot.session(PERSON) as server:
        count = int(server.select("INBOX")[1][0])
        # As mail programs do it; Dovecot keeps what it had to read for this in its cache.
        server.fetch("1:*", "(ENVELOPE BODYSTRUCTURE RFC822.SIZE)")
        for piece in server.fetch("1:*", "(FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])")[1]:
            if isinstance(piece, tuple):
                facts, body = piece
                flags = re.search(rb"FLAGS \((.*?)\)", facts)[1].split()
                flags = frozenset(flag for flag in flags if flag != b"\\Recent")
                size = int(re.search(rb"RFC822.SIZE (\d+)", facts)[1])
                found.append((body, flags, re.search(rb'INTERNALDATE "(.*?)"', facts)[1], size == len(body)))
    if len(found) != count:
        raise RuntimeError(f"{len(found)} of {count} messages were served")
    return found


def seen(mailbox):
    """Flags, date and content of all messages; which number one has is the server's affair."""
    return collections.Counter((lf(body), flags, date) for body, flags, date, _ in mailbox)


def play(stage):
    tally, ground, maildir = stage.tally, stage.ground, stage.maildir(PERSON)
    for path in messages(maildir):
        path.unlink()
    fill(stage)
    before, files = served(stage), contents(maildir)
    kinds = {flag for _, flags, _, _ in before for flag in flags}
    tally.check(f"archive: Dovecot serves {len(before)} messages with {len(kinds)} flags and keywords",
                len(before) == COUNT and len(kinds) == len(FLAGS + KEYWORDS), sorted(kinds))
    tally.check("archive: before, the subject stands in mail and in Dovecot's cache",
                any(path.name == "dovecot.index.cache" for path in holding(maildir, MARKER)), holding(maildir, MARKER))
    with stage.dovecot.session(PERSON) as waiting:
        seal(stage, maildir)
        waiting.noop()
        found = waiting.search(None, "ALL")[1][0].split()
        tally.check("archive: a session that was open meanwhile goes on", len(found) == COUNT, len(found))
    after = served(stage)
    sealed(stage, before, after, maildir)
    unseal(stage, maildir)
    compare(tally, "unsealed", seen(before), seen(served(stage)))
    tally.check("archive, unsealed: every file has its bytes again", contents(maildir) == files)


def contents(maildir):
    return sorted(path.read_bytes() for path in messages(maildir))


def seal(stage, maildir):
    """By root, as an administrator does it; the server knows cards only."""
    command = ["encl", "mail", "seal", maildir, "--for", f"{PERSON}@example.org", "--purge-caches"]
    answer = stage.ground.run("server", command)
    stage.tally.check("archive: encl mail seal", answer.returncode == 0, text(answer))
    plain = holding(maildir, MARKER)
    stage.tally.check("archive, sealed: the subject stands nowhere, not in a cache either", not plain, plain)
    strangers = [path for path in messages(maildir) if path.stat().st_uid != OWNER.pw_uid]
    stage.tally.check("archive: sealed by root, the files still belong to their owner", not strangers, strangers)
    give(maildir)
    again = stage.ground.run("server", command)
    stage.tally.check("archive: a second run finds nothing to do",
                      again.returncode == 0 and len(messages(maildir)) == COUNT, text(again))


def sealed(stage, before, after, maildir):
    tally = stage.tally
    tally.check("archive, sealed: every size that Dovecot says is true", all(fits for *_, fits in after))
    opened = [(stage.ground.unwrap(body, PERSON).stdout, *rest) for body, *rest in after]
    compare(tally, "sealed", seen(before), seen(opened))
    names = [path.name for path in messages(maildir)]
    tally.check("archive, sealed: no name says a size", not [name for name in names if ",S=" in name or ",W=" in name])
    grep = stage.ground.run(PERSON, ["encl", "mail", "grep", "--files-with-matches", MARKER, maildir])
    tally.check("archive, sealed: encl mail grep finds the message", len(grep.stdout.splitlines()) == 1, text(grep))


def compare(tally, when, before, after):
    def count(facts):
        return collections.Counter(facts(*key) for key in before.elements()) == \
            collections.Counter(facts(*key) for key in after.elements())

    tally.check(f"archive, {when}: the same count, {after.total()}", before.total() == after.total())
    tally.check(f"archive, {when}: the same flags and keywords", count(lambda body, flags, date: flags))
    tally.check(f"archive, {when}: the same INTERNALDATEs", count(lambda body, flags, date: date))
    tally.check(f"archive, {when}: the same bytes, each with its flags and date", before == after)


def unseal(stage, maildir):
    """By the owner of the mail with Carol's own keys."""
    keys = stage.ground.keystore("carol-on-the-server")
    shutil.copytree(stage.ground.keystore(PERSON), keys)
    give(keys)
    answer = stage.ground.run("carol-on-the-server", ["encl", "mail", "unseal", maildir], user=OWNER)
    stage.tally.check("archive: encl mail unseal", answer.returncode == 0, text(answer))
