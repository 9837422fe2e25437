"""What the screen of a mail program shows of a sealed message, without and with examples/mail."""

import os
import pathlib
import shutil
import subprocess

from ground import EXAMPLES, SECONDS_MAX, messages, wait
from sending import BODY, SUBJECT, WEEDED, Desk, arrived

SECRET = ("mackerel", "herring")


class Screen:
    """A terminal of 100 columns and 40 lines with one program in it."""

    count = 0

    def __init__(self, stage, person, command, **more):
        # Each has a server of its own: one that is about to end would take the next program with it.
        Screen.count += 1
        self.socket = stage.ground.folder / f"tmux-{Screen.count}"
        self.environment = stage.ground.environment(person, **more)
        self.tmux("-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "40", *command)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-S", self.socket, "kill-server"], capture_output=True, timeout=SECONDS_MAX)

    def tmux(self, *words):
        command = [str(word) for word in ("tmux", "-S", self.socket, *words)]
        done = subprocess.run(command, env=self.environment, capture_output=True, timeout=SECONDS_MAX)
        return done.stdout.decode("utf-8", "replace")

    def type(self, *keys):
        self.tmux("send-keys", *keys)

    def text(self):
        return self.tmux("capture-pane", "-p")

    def showing(self, word):
        """The screen as soon as a word is on it, or as it is after a while."""
        wait(lambda: word in self.text(), 10)
        return self.text()


def keep(name, shown):
    if folder := os.environ.get("ENCL_SCREENS"):
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        (pathlib.Path(folder) / f"{name}.txt").write_text(shown)


def inbox(stage):
    """A copy of one sealed message in Bob's home, as a mail program finds it."""
    if not messages(stage.maildir("bob")):
        Desk(stage).mutt("mutt", SUBJECT, BODY)
        arrived(stage, "bob", 1)
    folder = stage.ground.home / "Mail/INBOX"
    shutil.rmtree(folder, ignore_errors=True)
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    shutil.copy(messages(stage.maildir("bob"))[0], folder / "cur/1.host:2,S")
    return folder


def play(stage):
    ground, folder = stage.ground, inbox(stage)
    shutil.copy(EXAMPLES / "mutt/mailcap", ground.home / ".mailcap")
    plain = ground.home / "muttrc-plain"
    plain.write_text(f"set folder = {ground.home}/Mail\n{WEEDED}set mailcap_path = /dev/null\n")
    for program in ("mutt", "neomutt"):
        mutt(stage, program, folder, plain, Desk(stage).muttrc)
    aerc(stage)


def mutt(stage, program, folder, plain, muttrc):
    tally = stage.tally
    for rc, when in ((plain, "before"), (muttrc, "after")):
        with Screen(stage, "bob", [program, "-n", "-R", "-F", rc, "-f", folder]) as screen:
            index = screen.showing("[...]")
            screen.type("Enter")
            pager = screen.showing("herring" if when == "after" else "vnd.encl")
        keep(f"{program}-{when}-index", index)
        keep(f"{program}-{when}", pager)
        found = [word for word in SECRET if word in index]
        tally.check(f"{program} {when}: the index shows [...] and no secret", "[...]" in index and not found, index)
        found = [word for word in SECRET if word in pager]
        if when == "before":
            tally.check(f"{program} before: the notice, and neither subject nor body",
                        "encl" in pager and not found, pager)
        else:
            tally.check(f"{program} after: subject and body are on the screen", found == list(SECRET), pager)


def aerc_home(stage):
    """aerc's own folder, as the example says; its script stands where encl does."""
    config = stage.ground.home / ".config/aerc"
    shutil.copytree(EXAMPLES / "aerc", config, dirs_exist_ok=True)
    script = shutil.copy(EXAMPLES / "aerc/encl-sendmail", stage.ground.bin)
    accounts = (config / "accounts.conf").read_text().replace("/usr/local/bin/encl-sendmail", script)
    (config / "accounts.conf").write_text(accounts)
    (config / "accounts.conf").chmod(0o600)


def aerc(stage):
    """aerc shows the notice first; the next part goes through the filter."""
    tally = stage.tally
    aerc_home(stage)
    with Screen(stage, "bob", ["aerc"]) as screen:
        index = screen.showing("[...]")
        screen.type("Enter")
        before = screen.showing("sealed")
        screen.type(":next-part", "Enter")
        after = screen.showing("herring")
    for name, shown in (("before", before), ("after", after)):
        keep(f"aerc-{name}", shown)
    found = [word for word in SECRET if word in index + before]
    tally.check("aerc: list and first part show no secret", "[...]" in index and not found, index + before)
    found = [word for word in SECRET if word in after]
    tally.check("aerc: subject and body after :next-part", found == list(SECRET), after)
