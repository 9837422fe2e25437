"""Postfix and Dovecot with folders and ports of their own, started and ended by the test."""

import contextlib
import imaplib
import json
import os
import pathlib
import shutil
import signal
import smtplib
import socket
import subprocess

from ground import EXAMPLES, OWNER, SECONDS_MAX, free_port, wait

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
maillog_file = {base}/log
maillog_file_prefixes = {base}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx.example.org
mydestination =
mynetworks = 127.0.0.0/8
smtpd_peername_lookup = no
default_transport = error:no outside
recipient_delimiter = +
message_size_limit = 0
virtual_mailbox_domains = example.org
virtual_mailbox_base = {mail}
virtual_mailbox_maps = inline:{{
    {{ alice@example.org = alice/Maildir/ }}
    {{ bob@example.org = bob/Maildir/ }}
    {{ carol@example.org = carol/Maildir/ }} }}
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
"""

DOVECOT_CONF = """\
protocols = imap
listen = 127.0.0.1
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
ssl = no
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{mail}/%n/Maildir
passdb {{
  driver = static
  args = password=secret
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={mail}/%n
}}
service imap-login {{
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
"""


def is_open(port):
    with contextlib.closing(socket.socket()) as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


class Postfix:
    def __init__(self, ground):
        self.ground, self.base, self.port = ground, ground.folder / "postfix", free_port()
        self.config = self.base / "etc"
        self.config.mkdir(parents=True)
        (self.base / "queue").mkdir()
        (self.base / "data").mkdir()
        shutil.chown(self.base / "data", "postfix")
        self.write("main.cf", MAIN_CF.format(base=self.base, mail=ground.mail, uid=OWNER.pw_uid, gid=OWNER.pw_gid))
        debian = pathlib.Path("/usr/share/postfix/master.cf.dist").read_text()
        services = [line for line in debian.splitlines() if not line.startswith(("smtp      inet", "#"))]
        self.write("master.cf", "\n".join([f"127.0.0.1:{self.port} inet n - n - - smtpd", *services, ""]))
        postconf = ["postconf", "-c", self.config, "-F", "*/*/chroot=n"]
        subprocess.run(postconf, check=True, timeout=SECONDS_MAX)

    def write(self, name, lines):
        (self.config / name).write_text(lines)

    def command(self, *words):
        done = subprocess.run([words[0], "-c", self.config, *words[1:]], capture_output=True, timeout=SECONDS_MAX)
        return done.stdout.decode()

    def start(self):
        self.command("postfix", "start")
        if not wait(lambda: is_open(self.port)):
            raise RuntimeError("Postfix does not listen\n" + self.log())

    def stop(self):
        self.command("postfix", "stop")
        pid = self.base / "queue/pid/master.pid"
        number = int(pid.read_text()) if pid.exists() else 0
        if number and not wait(lambda: not pathlib.Path(f"/proc/{number}").exists(), 10):
            os.kill(number, signal.SIGKILL)

    def log(self):
        log = self.base / "log"
        return log.read_text() if log.exists() else ""

    def seal_at_delivery(self):
        """Adds what examples/mail/postfix says, with the paths of this ground."""
        here = {
            "/usr/local/bin/encl": self.ground.encl,
            "/var/lib/encl": self.ground.keystore("server"),
            "/srv/mail": self.ground.mail,
            "user=vmail": f"user={OWNER.pw_name}",
        }
        for name in ("main.cf", "master.cf"):
            added = (EXAMPLES / "postfix" / name).read_text()
            for there, ours in here.items():
                added = added.replace(there, str(ours))
            self.write(name, (self.config / name).read_text() + added)
        self.command("postfix", "reload")

    def queue(self):
        """The messages that wait, as postqueue describes them."""
        return [json.loads(line) for line in self.command("postqueue", "-j").splitlines()]

    def reasons(self):
        return [person.get("delay_reason", "") for waiting in self.queue() for person in waiting["recipients"]]

    def flush(self):
        self.command("postqueue", "-f")

    def send(self, message, sender="alice@example.org", to=("bob@example.org",)):
        with smtplib.SMTP("127.0.0.1", self.port, timeout=SECONDS_MAX) as server:
            server.sendmail(sender, list(to), message)


class Dovecot:
    def __init__(self, ground):
        self.base, self.port, self.process = ground.folder / "dovecot", free_port(), None
        self.base.mkdir()
        self.config = self.base / "dovecot.conf"
        self.config.write_text(DOVECOT_CONF.format(
            base=self.base, mail=ground.mail, uid=OWNER.pw_uid, gid=OWNER.pw_gid, port=self.port))

    def start(self):
        self.process = subprocess.Popen(["dovecot", "-F", "-c", self.config], stdin=subprocess.DEVNULL)
        if not wait(lambda: is_open(self.port)):
            raise RuntimeError("Dovecot does not listen\n" + self.log())

    def stop(self):
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def log(self):
        log = self.base / "log"
        return log.read_text() if log.exists() else ""

    @contextlib.contextmanager
    def session(self, person="bob"):
        server = imaplib.IMAP4("127.0.0.1", self.port, timeout=SECONDS_MAX)
        try:
            server.login(person, "secret")
            server.select("INBOX")
            yield server
        finally:
            server.logout()

    def bodies(self, person="bob"):
        """Every message of a person, by IMAP, in the order of the mailbox."""
        with self.session(person) as server:
            count = int(server.select("INBOX")[1][0])
            if count == 0:
                return []
            answer = server.fetch("1:*", "(BODY.PEEK[])")[1]
            return [piece[1] for piece in answer if isinstance(piece, tuple)]
