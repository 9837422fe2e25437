"""mutt and neomutt -> encl mail send -> Postfix -> Maildir -> IMAP -> unwrap."""

import email
import shlex

from ground import EXAMPLES, holding, messages, text, wait

# Words that stand in subject and body and must stand nowhere on the way.
SUBJECT, BODY = "Quarterly mackerel figures", "The herring code is 4711, dear Bob."

# As everybody has it: without this, the fields of transport fill half of a screen.
WEEDED = "set header_cache =\nignore *\nunignore date from to cc subject\n"

# Stands where the mail program looks for encl, and keeps what it was handed.
WITNESS = """\
#!/bin/sh
printf '%s\\n' "$@" > {kept}.argv
tee {kept} | {encl} "$@"
"""


class Desk:
    """Alice's desk: a mail program set up as examples/mail says."""

    def __init__(self, stage):
        self.stage, ground = stage, stage.ground
        self.kept = ground.folder / "handed-over"
        self.watch = ground.folder / "watch"
        self.watch.mkdir(exist_ok=True)
        witness = self.watch / "encl"
        witness.write_text(WITNESS.format(kept=self.kept, encl=ground.encl))
        witness.chmod(0o755)
        self.muttrc = ground.home / "muttrc"
        self.muttrc.write_text(
            'set realname = "Alice"\nset from = alice@example.org\n'
            f"set folder = {ground.home}/Mail\n{WEEDED}"
            f"source {EXAMPLES / 'mutt/muttrc'}\n"
        )

    def environment(self):
        path = self.stage.ground.environment("alice")["PATH"]
        return {"PATH": f"{self.watch}:{path}", "MAIL_CONFIG": self.stage.postfix.config}

    def run(self, command, given=b"", **more):
        return self.stage.ground.run("alice", command, given, **(self.environment() | more))

    def mutt(self, program, subject, body, *options):
        words = [program, "-n", "-F", self.muttrc, "-s", subject, *options, "--", "bob@example.org"]
        return self.run(words, body.encode())

    def handed_over(self):
        return self.kept.read_bytes()


def arrived(stage, person, count):
    """Waits for so many messages in somebody's Maildir; the last of them."""
    maildir = stage.maildir(person)
    if not wait(lambda: len(messages(maildir)) >= count):
        raise RuntimeError(f"{person} has {len(messages(maildir))} messages, not {count}")
    return messages(maildir)[count - 1].read_bytes()


def play(stage):
    desk = Desk(stage)
    for program in ("mutt", "neomutt"):
        sent(stage, desk, program)
    blind(stage, desk)
    envelope_options(stage, desk)
    unknown(stage, desk)
    fetched(stage)


def sent(stage, desk, program):
    tally, before = stage.tally, len(messages(stage.maildir("bob")))
    answer = desk.mutt(program, SUBJECT, BODY)
    if not tally.check(f"{program} sends through encl and Postfix", answer.returncode == 0, text(answer)):
        return
    message = arrived(stage, "bob", before + 1)
    opened = stage.ground.unwrap(message)
    handed = desk.handed_over()
    tally.check(f"{program}: what Bob opens is what it handed over, {len(handed)} bytes",
                opened.stdout == handed and BODY.encode() in handed, text(opened))
    by_imap = [stage.ground.unwrap(body).stdout for body in stage.dovecot.bodies()]
    tally.check(f"{program}: the same when it comes by IMAP", by_imap.count(handed) == 1, len(by_imap))
    outer = email.message_from_bytes(message)
    tally.check(f"{program}: outside stand names and [...]",
                outer["Subject"] == "[...]" and outer["From"] == "Alice <alice@example.org>"
                and outer["To"] == "bob@example.org" and outer["Message-ID"] in handed.decode(), message.decode())
    plain = [path for word in ("mackerel", "herring") for path in holding(stage.ground.mail, word)]
    tally.check(f"{program}: neither subject nor body is plain on the server", not plain, plain)
    sealed = list((stage.ground.home / "Mail/sent").glob("*/*"))
    own = stage.ground.unwrap(sealed[-1].read_bytes(), "alice") if sealed else None
    copies = [path for path in holding(stage.ground.home, "herring")]
    tally.check(f"{program}: Alice's copy is sealed, and she can read one",
                own is not None and BODY.encode() in own.stdout and not copies, own and text(own))


def blind(stage, desk):
    tally, before = stage.tally, len(messages(stage.maildir("bob")))
    answer = desk.mutt("mutt", "For two", "Carol reads this too.", "-b", "carol@example.org")
    tally.check("mutt -b: sent", answer.returncode == 0, text(answer))
    bob, carol = arrived(stage, "bob", before + 1), arrived(stage, "carol", 1)
    tally.check("mutt -b: both open it",
                stage.ground.unwrap(bob).stdout == stage.ground.unwrap(carol, "carol").stdout == desk.handed_over())
    inspected = stage.ground.run("bob", ["encl", "mail", "inspect"], bob)
    tally.check("mutt -b: Bob's message does not name Carol",
                b"carol" not in bob + inspected.stdout and inspected.returncode == 0, text(inspected))


def envelope_options(stage, desk):
    """Where $sendmail has a `--`, mutt puts its own options before it and the recipients after it."""
    tally, before = stage.tally, len(messages(stage.maildir("bob")))
    for program in ("mutt", "neomutt"):
        options = ["-e", "set use_envelope_from=yes", "-e", "set dsn_notify=failure,delay", "-e", "set dsn_return=hdrs"]
        answer = desk.mutt(program, "Options", "-f, -N and -R go with it.", *options)
        argv = shlex.join(desk.kept.with_suffix(".argv").read_text().split())
        if tally.check(f"{program} with -f, -N and -R of its own", answer.returncode == 0, f"{argv}\n{text(answer)}"):
            before += 1
            message = arrived(stage, "bob", before)
            tally.check(f"{program}: the envelope's sender is hers", b"Return-Path: <alice@example.org>" in message)


def unknown(stage, desk):
    """One address without a card: nobody gets anything, and the mail program hears of it."""
    tally, before = stage.tally, len(messages(stage.maildir("bob")))
    answer = desk.mutt("mutt", "To a stranger", "x", "-c", "dave@example.org")
    tally.check("mutt: an address without a card is refused, by name", answer.returncode != 0
                and b"dave@example.org" in answer.stderr + answer.stdout, text(answer))
    tally.check("mutt: nothing was sent then",
                not stage.postfix.queue() and len(messages(stage.maildir("bob"))) == before)


def fetched(stage):
    """mbsync copies the mailbox to another machine, and what arrives there opens."""
    tally, ground = stage.tally, stage.ground
    copy = ground.home / "fetched"
    copy.mkdir()
    (ground.home / "mbsyncrc").write_text(
        f"IMAPAccount chain\nHost 127.0.0.1\nPort {stage.dovecot.port}\nUser bob\nPass secret\nSSLType None\n"
        "AuthMechs LOGIN\n\nIMAPStore far\nAccount chain\n\n"
        f"MaildirStore near\nPath {copy}/\nInbox {copy}/INBOX\n\n"
        "Channel all\nFar :far:\nNear :near:\nPatterns INBOX\nCreate Near\nSync Pull\nSyncState *\n"
    )
    ground.need("bob", ["mbsync", "-q", "-c", "mbsyncrc", "all"])
    there = messages(stage.maildir("bob"))
    opened = sorted(ground.unwrap(path.read_bytes()).stdout for path in messages(copy / "INBOX"))
    expected = sorted(ground.unwrap(path.read_bytes()).stdout for path in there)
    tally.check(f"mbsync: {len(opened)} messages fetched, each opens to the same bytes", opened == expected and there)
