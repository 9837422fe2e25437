"""The ground of all scenes: a folder, people with keystores, commands that end, and the count of checks."""

import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile
import time

PROJECT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = PROJECT / "examples/mail"
# The outside corpus, where it lies beside the project; else our own.
OUTSIDE = PROJECT.parent / "shared/corpus"
CORPUS = OUTSIDE if OUTSIDE.is_dir() else PROJECT / "tests/mail/corpus"

# Who owns the mail on the server. Every Debian has this user, so none has to be made.
OWNER = pwd.getpwnam("mail")

# A step of the chain that takes longer than this hangs.
SECONDS_MAX = 60


class Tally:
    """Counts checks, one printed line each."""

    def __init__(self):
        self.passed = self.failed = 0

    def check(self, what, holds, detail=""):
        if holds:
            self.passed += 1
            print(f"ok      {what}", flush=True)
        else:
            self.failed += 1
            print(f"FAILED  {what}", flush=True)
            for line in str(detail).splitlines()[:40]:
                print(f"        | {line}", flush=True)
        return holds


class Ground:
    """A temporary folder with the program under test and a keystore for everybody."""

    def __init__(self, encl):
        # Not below a folder that only root may enter, and short: a socket's path has 107 bytes.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="encl-chain-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.home = self.folder / "home"
        self.mail = self.folder / "mail"
        self.bin = self.folder / "bin"
        self.states = self.folder / "states"
        for folder in (self.home, self.mail, self.bin, self.states):
            folder.mkdir()
        # As in /tmp, everybody makes their own in it.
        self.states.chmod(0o1777)
        os.chown(self.mail, OWNER.pw_uid, OWNER.pw_gid)
        # A copy, since the user who owns the mail may not be allowed to enter the checkout.
        self.encl = self.bin / "encl"
        shutil.copy(encl, self.encl)
        self.encl.chmod(0o755)

    def remove(self):
        shutil.rmtree(self.folder)

    def keystore(self, person):
        return self.folder / "keys" / person

    def environment(self, person, **more):
        """What a person's programs see; nothing of the caller's."""
        path = f"{self.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {
            "PATH": path,
            "HOME": str(self.home),
            "ENCL_KEYSTORE": str(self.keystore(person)),
            # What one person decided is nothing that another one remembers.
            "XDG_STATE_HOME": str(self.states / person),
            "TZ": "UTC",
            "LC_ALL": "C.UTF-8",
            "TERM": "screen",
        } | {name: str(value) for name, value in more.items()}

    def run(self, person, command, given=b"", cwd=None, user=None, **more):
        """Runs a command as a person types it, and gives back how it ended, with bytes in stdout and stderr."""
        return subprocess.run(
            [str(word) for word in command],
            input=given,
            capture_output=True,
            cwd=cwd or self.home,
            env=self.environment(person, **(self.memory(person, user) | more)),
            timeout=SECONDS_MAX,
            user=user and user.pw_uid,
            group=user and user.pw_gid,
            extra_groups=[] if user else None,
        )

    def memory(self, person, user):
        """Another user's memory is refused: whoever runs a person's commands has one of their own."""
        return {"XDG_STATE_HOME": self.states / f"{person}-by-{user.pw_name}"} if user else {}

    def need(self, person, command, *given, **more):
        """A command that has to work; its stdout."""
        answer = self.run(person, command, *given, **more)
        if answer.returncode != 0:
            raise RuntimeError(f"{command} ended with {answer.returncode}\n{text(answer)}")
        return answer.stdout

    def people(self):
        """Alice writes to Bob, and to Carol in secret. The server knows cards only."""
        keys = self.folder / "keys"
        keys.mkdir()
        cards = {}
        for name in ("alice", "bob", "carol"):
            new = ["encl", "key", "new", f"{name}@example.org", "--no-passphrase"]
            cards[name] = self.folder / f"{name}.card"
            cards[name].write_bytes(self.need(name, new))
        for holder, known in (("alice", "bob"), ("alice", "carol"), ("bob", "alice"), ("carol", "alice"),
                              ("server", "bob"), ("server", "carol")):
            self.need(holder, ["encl", "contact", "add", cards[known], "--yes"])
        give(self.keystore("server"))

    def unwrap(self, message, person="bob"):
        return self.run(person, ["encl", "mail", "unwrap"], message)


def text(answer):
    return (answer.stderr + answer.stdout[:2000]).decode("utf-8", "replace")


def give(folder):
    """Hands a folder and all in it to the owner of the mail."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, OWNER.pw_uid, OWNER.pw_gid)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait(condition, seconds=20):
    """Waits until a condition holds, and says whether it came to that."""
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.05)
    return held


def messages(maildir):
    """The message files of a Maildir, in the order of their arrival."""
    found = [path for part in ("new", "cur") for path in (maildir / part).glob("*")]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))


def holding(folder, word):
    """The files below a folder in which a word stands."""
    return [path for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


def lf(message):
    return message.replace(b"\r\n", b"\n")
