"""Sets the stage, plays the scenes in order, counts, and leaves nothing behind."""

import contextlib
import os
import signal
import sys
import time
import traceback

import archive
import delivery
import programs
import screens
import sending
import signing
from ground import Ground, Tally
from servers import Dovecot, Postfix

SCENES = {
    "sending": sending.play,
    "screens": screens.play,
    "signing": signing.play,
    "programs": programs.play,
    "delivery": delivery.play,  # from here on Postfix seals at delivery
    "archive": archive.play,
}


class Stage:
    """What a scene works with."""

    def __init__(self, tally, ground, postfix, dovecot):
        self.tally, self.ground, self.postfix, self.dovecot = tally, ground, postfix, dovecot

    def maildir(self, person):
        return self.ground.mail / person / "Maildir"


def play(stage, scene):
    began, failed = time.monotonic(), stage.tally.failed
    logs = [(server, len(server.log())) for server in (stage.postfix, stage.dovecot)]
    try:
        SCENES[scene](stage)
    except Exception:
        stage.tally.check(f"{scene}: played to its end", False, traceback.format_exc())
    if stage.tally.failed > failed:
        for server, read in logs:
            print("\n".join(server.log()[read:].splitlines()[-30:]))
    print(f"        {scene}: {time.monotonic() - began:.1f} s", flush=True)


def main():
    chosen = set(sys.argv[1:] or SCENES)
    if unknown := chosen - set(SCENES):
        sys.exit(f"no scene {', '.join(sorted(unknown))}; there are: {' '.join(SCENES)}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    tally = Tally()
    with contextlib.ExitStack() as afterwards:
        ground = Ground(os.environ["ENCL"])
        afterwards.callback(ground.remove)
        postfix, dovecot = Postfix(ground), Dovecot(ground)
        ground.people()
        for server in (postfix, dovecot):
            afterwards.callback(server.stop)
            server.start()
        stage = Stage(tally, ground, postfix, dovecot)
        for scene in filter(chosen.__contains__, SCENES):
            play(stage, scene)
    print(f"{tally.passed} passed, {tally.failed} failed")
    sys.exit(1 if tally.failed or not tally.passed else 0)


main()
