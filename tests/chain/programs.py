"""The other set-ups of examples/mail: aerc, git send-email, msmtp and maildrop, each called as it calls."""

import configparser
import email
import os
import re

from ground import EXAMPLES, OWNER, give, holding, lf, messages, text
from screens import Screen, aerc_home, keep
from sending import Desk, arrived

LETTER = b"""\
From: Alice <alice@example.org>
To: Bob <bob@example.org>
Subject: A halibut question
Date: Wed, 25 Nov 2026 10:00:00 +0000
Message-ID: <question@chain.example.org>

Is the turbot in the safe?
"""

# Debian's own, with git-email; another git may stand before it in the PATH.
GIT = "/usr/bin/git"


def play(stage):
    desk = Desk(stage)
    aerc(stage, desk)
    git(stage, desk)
    msmtp(stage, desk)
    maildrop(stage)
    plain = [path for word in ("halibut", "turbot") for path in holding(stage.ground.mail, word)]
    stage.tally.check("all of them: neither subject nor body is plain on the server", not plain, plain)


def aerc(stage, desk):
    """aerc itself, on a terminal. It names everybody as an argument, and leaves Bcc in what it hands over."""
    tally, ground, before = stage.tally, stage.ground, len(messages(stage.maildir("bob")))
    carols = len(messages(stage.maildir("carol")))
    editor = ground.folder / "editor"
    editor.write_text('#!/bin/sh\necho "Is the turbot in the safe?" >> "$1"\n')
    editor.chmod(0o755)
    aerc_home(stage)
    with Screen(stage, "alice", ["aerc"], EDITOR=editor, **desk.environment()) as screen:
        screen.showing("Alice")
        headers = ("To: bob@example.org", "Bcc: carol@example.org", "Subject: A halibut question")
        screen.type(" ".join([":compose", *(f'-H "{header}"' for header in headers)]), "Enter")
        keep("aerc-review", screen.showing("Send this email?"))
        screen.type("y")
        message, for_carol = arrived(stage, "bob", before + 1), arrived(stage, "carol", carols + 1)
    handed = desk.handed_over()
    opened = stage.ground.unwrap(message)
    without = re.sub(rb"(?m)^Bcc: .*\r?\n", b"", handed)
    tally.check("aerc: what Bob opens is what it handed over, without Bcc",
                b"turbot" in handed and opened.stdout == without, f"{text(opened)}\nhanded over:\n{handed.decode()}")
    blind = stage.ground.unwrap(for_carol, "carol")
    tally.check("aerc: so does Carol", blind.stdout in (handed, without), text(blind))
    filtered(stage, message)


def filtered(stage, message):
    """aerc hands the decoded part to the filter's standard input."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(EXAMPLES / "aerc/aerc.conf")
    part = next(part for part in email.message_from_bytes(message).walk()
                if part.get_content_type() == "application/vnd.encl")
    command = ["sh", "-c", config["filters"]["application/vnd.encl"]]
    shown = stage.ground.run("bob", command, part.get_payload(decode=True))
    stage.tally.check("aerc: its filter shows subject and text of a part",
                      b"halibut" in shown.stdout and b"turbot" in shown.stdout, text(shown))


def git(stage, desk):
    """A patch goes sealed, and is applied from the sealed message."""
    tally, ground, before = stage.tally, stage.ground, len(messages(stage.maildir("bob")))
    there = ground.home / "project"
    call = [GIT, "-c", f"include.path={EXAMPLES / 'git/gitconfig'}", "-c", "user.name=Alice",
            "-c", "user.email=alice@example.org"]
    ground.need("alice", [GIT, "init", "-q", "-b", "main", there])
    (there / "fish").write_text("a halibut\n")
    ground.need("alice", [*call, "add", "fish"], cwd=there)
    ground.need("alice", [*call, "commit", "-q", "-m", "A turbot in the safe"], cwd=there)
    ground.need("alice", [*call, "format-patch", "-q", "-1", "-o", ground.home / "patches"], cwd=there)
    send = ["send-email", "--quiet", "--confirm=never", "--to=bob@example.org", ground.home / "patches"]
    answer = desk.run([*call, *send], cwd=there)
    tally.check("git send-email: sent", answer.returncode == 0, text(answer))
    opened = stage.ground.unwrap(arrived(stage, "bob", before + 1)).stdout
    tally.check("git send-email: what Bob opens is what it handed over", opened == desk.handed_over())
    here = ground.home / "clone"
    ground.need("bob", [GIT, "init", "-q", "-b", "main", here])
    applied = ground.run("bob", [*call, "am", "-q"], opened, cwd=here)
    trees = {ground.run("bob", [GIT, "rev-parse", "HEAD^{tree}"], cwd=place).stdout for place in (there, here)}
    tally.check("git am: the opened message gives the same tree", len(trees) == 1, text(applied))


def msmtp(stage, desk):
    """msmtp instead of a local sendmail: only the provider's values are others here."""
    tally, before = stage.tally, len(messages(stage.maildir("bob")))
    config = (EXAMPLES / "msmtp/msmtprc").read_text()
    provider = {"tls            on": "tls off", "auth           on": "auth off",
                "smtp.example.org": "127.0.0.1", "587": str(stage.postfix.port)}
    tally.check("msmtp: the example says each of these values once", all(config.count(old) == 1 for old in provider))
    for theirs, ours in provider.items():
        config = config.replace(theirs, ours)
    rc = stage.ground.home / ".msmtprc"
    rc.write_text(config)
    rc.chmod(0o600)
    answer = desk.mutt("mutt", "halibut", "turbot", "-e", f"source {EXAMPLES / 'msmtp/muttrc'}")
    tally.check("msmtp: mutt sends through encl and msmtp", answer.returncode == 0, text(answer))
    message = arrived(stage, "bob", before + 1)
    tally.check("msmtp: what Bob opens is what mutt handed over",
                stage.ground.unwrap(message).stdout == desk.handed_over())


def maildrop(stage):
    """xfilter seals; while the keystore is away, maildrop gives 75 and stores nothing."""
    tally, ground = stage.tally, stage.ground
    home = ground.folder / "maildrop"
    for part in ("new", "cur", "tmp"):
        (home / "Maildir" / part).mkdir(parents=True)
    rules = (EXAMPLES / "maildrop/mailfilter").read_text()
    for there, ours in {"/usr/local/bin/encl": ground.encl, "/var/lib/encl": ground.keystore("server")}.items():
        rules = rules.replace(there, str(ours))
    (home / ".mailfilter").write_text(rules)
    give(home)
    (home / ".mailfilter").chmod(0o600)

    def deliver():
        return ground.run("server", ["maildrop", ".mailfilter"], LETTER, cwd=home, user=OWNER, HOME=home)

    keystore, away = ground.keystore("server"), ground.folder / "away"
    os.rename(keystore, away)
    try:
        answer = deliver()
    finally:
        os.rename(away, keystore)
    tally.check("maildrop: without the keystore it ends with 75", answer.returncode == 75,
                f"{answer.returncode}\n{text(answer)}")
    tally.check("maildrop: and has stored nothing", not messages(home / "Maildir"))
    answer = deliver()
    found = messages(home / "Maildir")
    tally.check("maildrop: with it the message is stored", answer.returncode == 0 and len(found) == 1, text(answer))
    opened = [lf(ground.unwrap(path.read_bytes()).stdout) for path in found]
    plain = [path for word in ("halibut", "turbot") for path in holding(home, word)]
    tally.check("maildrop: sealed, and what Bob opens is what came", opened == [LETTER] and not plain, plain)
