//! The texts of `encl help TOPIC`.

use crate::cli::args::help::exit_codes;
use crate::cli::errors::Exit;

/// Every topic.
pub(crate) const NAMES: [&str; 4] = ["exit-codes", "scripting", "trust", "what-it-promises"];

/// The text of a topic.
pub(crate) fn text(topic: &str) -> Option<String> {
    match topic {
        "exit-codes" => Some(codes()),
        "scripting" => Some(SCRIPTING.to_owned()),
        "trust" => Some(TRUST.to_owned()),
        "what-it-promises" => Some(PROMISES.to_owned()),
        _ => None,
    }
}

fn codes() -> String {
    let table = exit_codes(&Exit::ALL);
    let name = |exit: &Exit| {
        format!(
            "  {}  {}
",
            exit.code(),
            exit.name()
        )
    };
    let names = Exit::ALL.iter().map(name).collect::<Vec<_>>().concat();
    format!(
        "EXIT CODES\n\n{table}  129, 130, 143  SIGHUP, SIGINT, SIGTERM; nothing half-written is left\n\n\
         An unknown code means failure. Several inputs: each stands alone, all are tried; the exit code\n\
         is the one that all failures share, else 1.\n\n\
         `encl mail send` and `encl mail deliver` answer as mail programs expect it (sysexits.h):\n\n{}\n\n\
         With --json a failure is one object on stderr whose `code` is the name:\n\n{names}\n\
         Examples:\n  $ encl verify letter.pdf.encl && echo good\n",
        crate::cli::errors::sysexits::TABLE
    )
}

const SCRIPTING: &str = "\
SCRIPTING

stdout is data, everything else is stderr. Questions go to the terminal device, never to stdin.

  --no-input   ask nothing: what would be asked becomes an error (exit 6 for passphrases)
  --quiet      only warnings and errors on stderr
  --json       one object per input on stdout, each beginning with \"schema\": encl.wrap/1,
               encl.unwrap/1, encl.verify/1, encl.inspect/1 and so on. Fields are only ever added
               within a version. A failure is one encl.error/1 object on stderr with code, exit,
               class, file, message and hint. With data on stdout, all objects go to stderr.

Passphrases: --passphrase-file FILE, --passphrase-fd N, --passphrase-command CMD, or the file named by
$ENCL_PASSPHRASE_FILE. The line end is not part of the passphrase. Of two lines the first is the identity's,
the second the envelope's; one line answers every question. A service of systemd gives it by
LoadCredential=encl-passphrase:FILE: what lies as `encl-passphrase` in $CREDENTIALS_DIRECTORY is used where
nothing else was named. Never an argument: every program on the machine
can read arguments.

Environment: ENCL_KEYSTORE, ENCL_IDENTITY, ENCL_PASSPHRASE_FILE, NO_COLOR, CLICOLOR_FORCE, and systemd's
CREDENTIALS_DIRECTORY. There is no
configuration file.

In a pipe the sender is proven only by exit 0: use `set -o pipefail`, or --verify-first, which checks all
before the first byte leaves.

Examples:
  $ encl inspect --json letter.pdf.encl
  $ find . -name '*.txt' -print0 | encl wrap --files-from - -0 --to bob@example.org --no-input
  $ encl unwrap - --verify-first < letter.pdf.encl > letter.pdf
";

const TRUST: &str = "\
TRUST

A card is somebody's public half: name, addresses and keys, signed by its root key. The signature shows that
the card is whole, not whose it is: anybody can make a card that says bob@example.org.

A contact is a card in your keystore. It is *unverified* until you have compared one number with its owner,
in person or by telephone: `encl contact verify WHO` shows twelve groups of five digits, made of both
fingerprints and the same on both sides. Compare all of them: whoever stands between you can make some fit. An
unverified contact can be used; encl says so in one line.

  own          one of your identities
  unverified   nobody compared anything
  verified     by `encl contact verify`, with who, when and how; later cards of the same key stay verified
  changed      another key was offered for a known address, or another card with the same serial: nothing is
               sealed for the contact (exit 7) until you verify the known key, or remove it and add the new one
  expired      no key on the card can be used any more: ask for a new card
  revoked      the owner ended the key: `encl contact add` took note of it; for good
  blocked      by `encl contact block`, until `unblock`, also when the card is removed and comes back

A card named in --to that is not in the keystore is stored as unverified (first use). A card with another
key for the same address never replaces the one you have by itself; `encl contact add` of it makes the contact
changed, --to refuses it and changes nothing. A card older than the stored one is refused.

An invitation (`encl invite ADDRESS`) has a one-time token, which comes back beside the card. It says which
invitation was answered, within 90 days; whoever could read the mail has it, so it verifies nobody. The same
goes for From in a message that brings a card: it has to fit the card, and anybody can write it.

What you decide is remembered in $XDG_STATE_HOME/encl (~/.local/state/encl) as well, which belongs to this
machine. A keystore that is synchronised, or that somebody else can write to, can therefore lower trust and
never raise it: a contact verified on another machine counts as unverified here until you verify it here.

  --require-verified   (wrap)            refuse contacts that were never verified
  --signed-by WHO      (unwrap, verify)  refuse anything not signed by them; nobody changed, revoked or blocked
  --require-signed     (unwrap, verify)  refuse anything unsigned
  --strict             (unwrap, verify)  refuse whoever was let in without a record

Until an envelope was opened, what its policy says about names and dates is a claim; every message says so.

Examples:
  $ encl contact show bob@example.org
  $ encl contact verify bob@example.org --code \"$(cat number-from-bob)\"
  $ encl verify --signed-by bob@example.org letter.pdf.encl
";

/// The words of FORMAT.md, as far as they are about what this version does.
const PROMISES: &str = "\
WHAT IT PROMISES, AND WHAT NOT

recipients, locks, quorum
  holds against          everybody else: it is cryptography
  does not hold against  a recipient who passes on plaintext, key or slot; a quorum that met once

policy, access, private line
  holds against          every change by an outsider
  does not hold against  a recipient rewriting the access line; reading line 2 without opening:
                         until then it is a claim

recipients as the author named them
  holds against          everybody, if signed
  does not hold against  an author who names a false key; the author's stolen key

signature
  holds against          outsiders and co-recipients, once `encl` has exited 0
  does not hold against  output taken from a pipe before that; a card you never verified

grants
  holds against          being passed off as the author's choice
  does not hold against  a recipient who leaves no record (shown as \"unrecorded\")

expiry, not-before without a gate
  holds against          well-behaved software
  does not hold against  a patched client, a clock set back

`revoke` (new keys)
  holds against          the removed people, for the new file
  does not hold against  copies already sent, keys already cached, somebody putting the old file back

`drop`
  holds against          people who have never had the file or the key
  does not hold against  everybody else

--private
  holds against          reading names, addresses, signer, file name
  does not hold against  counting slots, their kinds, size, dates and labels on line 2

freshness
  does not hold against  an old but genuine envelope: look at `created`

New recipients have keys that also withstand quantum computers (X-Wing: ML-KEM-768 with X25519); signatures
(Ed25519) do not.

Later: expiry and revocation that a server enforces.

Examples:
  $ encl inspect letter.pdf.encl
";
