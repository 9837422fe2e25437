//! The texts of `encl help TOPIC`.

use crate::cli::args::help::{exit_codes, json};
use crate::cli::errors::Exit;

/// Every topic.
pub(crate) const NAMES: [&str; 7] = [
    "access",
    "exit-codes",
    "json",
    "keys",
    "scripting",
    "trust",
    "what-it-promises",
];

/// The text of a topic.
pub(crate) fn text(topic: &str) -> Option<String> {
    match topic {
        "access" => Some(ACCESS.to_owned()),
        "exit-codes" => Some(codes()),
        "json" => Some(json::TEXT.to_owned()),
        "keys" => Some(KEYS.to_owned()),
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
        "EXIT CODES\n\n{table}  129, 130, 143  ended by SIGHUP, SIGINT, SIGTERM; no half-written file is left\n\n\
         Treat an unknown code as failure. With several inputs all are tried; if all failures have the same\n\
         exit code, that is the exit code, else 1.\n\n\
         `encl mail send` and `encl mail deliver` return the codes that mail programs expect (sysexits.h):\n\n{}\n\n\
         With --json a failure is one object on stderr. Its `code` is one of these names:\n\n{names}\n\
         Examples:\n  $ encl verify letter.pdf.encl && echo good\n",
        crate::cli::errors::sysexits::TABLE
    )
}

const ACCESS: &str = "\
ACCESS: WHO CAN DECRYPT, AND HOW TO CHANGE IT

The policy is line 2 of an envelope: one line of JSON with the recipients, the dates and the labels. The author
writes it once, and it never changes. `encl inspect FILE` shows it. Line 3 holds the slots: the envelope's key,
encrypted for each reader. A group (@NAME) is resolved when you encrypt: the policy names its members.

  grant    gives another person access. Content, policy and the author's signature stay. The slot records who
           gave access to whom, and the new reader sees that record
  drop     removes a slot. Weak: whoever has opened or copied the file can still decrypt it
  revoke   encrypts the content again, with new keys, for those who remain; you sign it if it was signed
  rewrap   updates envelopes, one or a whole folder (-r): newest keys, or with --to exactly these people. It
           shows the changes, then asks; --dry-run only shows them

What nobody signed stays unsigned when it is encrypted again, unless --resign. Whoever encrypts again names all who
remain, also people whom another reader let in: they are listed (\"stays: Carol, let in by Bob\") before you confirm.
With --yes, --keep-granted keeps them and --drop-granted removes them; without either, encl ends with exit 5.

Copies already sent cannot be recalled: whoever has the old envelope can still open that one.

A quorum needs several people together: `encl wrap FILE --quorum 2:ALICE,BOB,CAROL` needs two of the three. One
of them approves (`encl approve FILE --to COLLEAGUE`), the other opens with that approval (`encl unwrap FILE
--with APPROVAL`). An approval is encrypted for the colleague, works for this envelope only, and cannot be taken back.

--passphrase also allows opening with a passphrase. --expires and --not-before are advisory: only well-behaved
software obeys them. Labels can always be read by anybody. --private hides the names of recipients and signer, and
the file name; --pad hides the exact size.

Examples:
  $ encl grant letter.pdf.encl --to bob@example.org --dry-run
  $ encl rewrap -r sealed --to @finance --dry-run
  $ encl verify plan.txt.encl --with bob.approval
";

const KEYS: &str = "\
KEYS FOR YEARS

Without your keys, nobody can decrypt what was encrypted for you. Keep a copy, and test it:

  encl backup -o FILE      encrypts the whole keystore with a passphrase: identities, contacts, groups
  encl restore FILE        merges a backup into a keystore: newer data is kept, missing data is added
  encl key paper -o FILE   prints one identity on a page, unencrypted, as words and as a QR code
  encl doctor              checks the keystore and the age of the last backup

A backup for another machine of yours that has an identity already: `encl backup --to YOURSELF` signs it, so that it is
known as yours there (`encl help trust`).

Keys change in four ways. Each prints something to send to your contacts, who add it with `encl contact add`:

  encl key rotate    a new encryption key; the fingerprint stays, and old envelopes can still be opened
  encl key renew     a new expiry date for the newest key
  encl key replace   a new identity with a new fingerprint, signed by the old one
  encl key revoke    the identity is not used any more, except to decrypt what was encrypted for it

`encl unlock` asks for a passphrase once and lets the Linux kernel keep the key for 15 minutes, or as long as you
say; `encl lock` ends that. `encl key passphrase` changes the passphrase of an identity.

Examples:
  $ encl backup -o keystore.encl
  $ encl key paper -o page.html
  $ encl doctor
";

const SCRIPTING: &str = "\
SCRIPTING

Data goes to stdout, everything else to stderr. Questions go to the terminal device, never to stdin.

  --no-input   never ask: where a question would be needed, fail (exit 6 for passphrases)
  --quiet      only warnings and errors on stderr
  --json       one object per input on stdout, errors as objects on stderr. If data goes to stdout, all
               objects go to stderr. `encl help json` lists all fields.

Passphrases come from --passphrase-file FILE, --passphrase-fd N, --passphrase-command CMD, or the file named in
$ENCL_PASSPHRASE_FILE. The line end is not part of the passphrase. The first line is for the identity, the second for
the envelope; one line alone also opens an envelope. In a systemd service, LoadCredential=encl-passphrase:FILE is
enough: if nothing else is given, encl reads `encl-passphrase` in $CREDENTIALS_DIRECTORY. A passphrase is never a
command-line argument, because every program on the machine can read those.

The passphrase of something new (`wrap --passphrase`, `backup`, `key new`) comes from --new-passphrase-file,
--new-passphrase-fd or --new-passphrase-command, else from the second line, else from a question. A new identity takes
the first line; anything else takes it only if you name its source on this command line and no identity needs it.

Who encrypts decides how much memory a passphrase takes to try. Above 64 MiB encl asks once; with --no-input it ends
with exit 6. --cost-max 20 allows up to 1 GiB without a question. Only one passphrase is tried at a time.

Environment: ENCL_KEYSTORE, ENCL_IDENTITY, ENCL_PASSPHRASE_FILE, NO_COLOR, CLICOLOR_FORCE, and CREDENTIALS_DIRECTORY
from systemd. There is no configuration file.

A service without a home of its own can encrypt for cards that it names: `encl wrap - --to ops.card`. Nothing is signed
then, and a warning says that the card is not remembered. ENCL_KEYSTORE names a folder where it can be.

In a pipe, the sender is proven only when encl has ended with exit 0. Use `set -o pipefail`, or --verify-first, which
checks everything before the first byte of output.

Examples:
  $ encl inspect --json letter.pdf.encl
  $ find . -name '*.txt' -print0 | encl wrap --files-from - -0 --to bob@example.org --no-input
  $ encl unwrap - --verify-first < letter.pdf.encl > letter.pdf
";

const TRUST: &str = "\
TRUST

A card is the public half of an identity: name, addresses and keys, signed by the identity's root key. The signature
shows that the card was not changed. It does not show whose card it is: anybody can make a card that says
bob@example.org.

A contact is a card in your keystore. It is *unverified* until you have compared the safety number with its owner, in
person or by telephone: `encl contact verify WHO` shows twelve groups of five digits, made of both fingerprints and
the same on both sides. Compare all groups: an attacker between you can make some of them match. You can use an
unverified contact; encl says so in one line.

  own          one of your identities
  unverified   no safety number was compared
  verified     by `encl contact verify`, with who, when and how, for the name and the addresses on the card of that day. Newer
               cards of the key stay verified; another name or address on one of them does not count until
               `encl contact verify --same-key`
  changed      another key was offered for a known address, or another card with the same serial number:
               nothing is encrypted for the contact (exit 7) until you verify the known key, or remove the
               contact and add the new card. Also a verified contact whose card is older than one that this machine saw
  expired      every key on the card has expired: ask for a new card
  revoked      the owner revoked the key, and `encl contact add` recorded it; this cannot be undone
  blocked      by `encl contact block`, until `unblock`; it stays if the card is removed and added again

WHO is read by its form alone; the first of these that fits decides:

  @finance                 a group
  encl-card1:…             a card
  64 hexadecimal digits    a fingerprint, never a name; blanks, `:` and `-` between the digits do not count
  ./bob, /a/b, bob.card    the file of a card
  bob@example.org          an address, as is `Bob <bob@example.org>`: the words before `<` count for nothing
  Bob                      a name, all of it; with a `/` in it the file of a card, if nobody has that name

No card is accepted whose name looks like a fingerprint, has an `@` and is none of its own addresses, is `you`, `me` or
`unknown`, has blanks at an end or two in a row, or an invisible character; or with an address that has one of
` $ \" ; | < > ( ) \\ outside quotation marks. A contact with such a name from before is found by address and
fingerprint, and shown as \u{2039}name not shown\u{203a}; `encl doctor` lists it. A name or address that looks like somebody
else's is told, and people who look alike are shown with the first 16 digits of the fingerprint.

A card named in --to that is not in the keystore is stored as unverified (first use). Only its first address counts
until `encl contact add` has shown the others. A card with another key for a known address never replaces the stored
card: `encl contact add` marks the contact as changed, and --to refuses the card and changes nothing. A card older than
the stored one is refused.

An invitation (`encl invite ADDRESS`) has a one-time token, which comes back beside the card. It says which
invitation was answered, within 90 days. It verifies nobody: anybody who can read the mail has the token. The From
field of a message with a card verifies nobody either: it must fit the card, but anybody can write it.

This machine remembers your decisions, and which identities are yours, in $XDG_STATE_HOME/encl (~/.local/state/encl),
for all your keystores. Do not synchronise that folder. Whoever can write to a keystore, but not to that folder:

  can      remove things, and read the names in it
  can      put in cards of people whom you have not verified, and so choose whose key theirs is: `not verified yet` is then
           the only sign, and --require-verified refuses it
  cannot   verify anybody or undo a block: a contact verified on another machine is unverified here until you verify
           it here
  cannot   be somebody whom you have verified: their name and addresses mean the key that you compared; if its card is
           gone, or is an older one, nothing is encrypted (exit 7)
  cannot   put anybody into a group: one that this machine did not make as it is reaches nobody (exit 7), until
           `encl key adopt @GROUP`
  cannot   be you: an identity put into the keystore opens what was encrypted for it, and nothing else, until
           `encl key adopt`; if yours is gone, or its card is an older one, nothing is encrypted or signed (exit 7)

A backup is yours if this machine made it, if one of your identities signed it, or if your private keys are in it without a
passphrase and nobody else can open it; what can be copied from a keystore shows nothing. A machine that knows no identity
of yours asks whether you take all of it as your own. Any other backup gives cards and new groups, as from anybody.

Whoever can also write to $XDG_STATE_HOME/encl can verify anybody and end a block. An older copy of it, put back, says what it
said then: newer identities and groups have to be adopted, and a verification that you took back holds again.

A keystore that this machine meets for the first time is taken as it stands, and so it is in every run where nothing can
be remembered (a container); a notice says so. Nobody is verified then.

  --require-verified   (wrap)            refuse contacts that are not verified
  --signed-by WHO      (unwrap, verify)  refuse an envelope not signed by WHO; WHO must not be changed,
                                         revoked or blocked
  --require-signed     (unwrap, verify)  refuse an envelope that is not signed by you or a contact; one that is
                                         changed, revoked or blocked does not count
  --strict             (unwrap, verify)  refuse an envelope to which you were given access without a record

A signed message must be from its signer: `mail` refuses one whose From is not on the signer's card, or belongs to
another person in the keystore, with exit 4 (--allow-from-mismatch opens it). Trace fields (Received,
Authentication-Results and others) inside a message that its sender encrypted were written by the sender:
`mail unseal` renames them and puts those of the servers on top, `mail show` and `mail unwrap` say so.

Until an envelope is opened, the names and dates in its policy are a claim; every message says so.

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
  does not hold against  a recipient rewriting the access line; reading line 2 without opening the
                         envelope: until it is opened, line 2 is a claim

recipients as the author named them
  holds against          everybody, if signed
  does not hold against  an author who names a false key; the author's stolen key

signature
  holds against          outsiders and other recipients, once `encl` has ended with exit 0
  does not hold against  output taken from a pipe before that; a card you never verified

grants
  holds against          passing as the author's choice
  does not hold against  a recipient who leaves no record (shown as \"unrecorded\")

the author's passphrase
  holds against          a recipient passing another one as the author's, if signed
  does not hold against  a recipient making it unusable; an envelope of an older program (shown as
                         \"unrecorded\")

expiry, not-before without a gate
  holds against          well-behaved software
  does not hold against  changed software, a clock set back

`revoke` (new keys)
  holds against          the removed people, for the new file
  does not hold against  copies already sent, keys already stored elsewhere, somebody putting the old
                         file back

`drop`
  holds against          people who have never had the file or the key
  does not hold against  everybody else

--private
  holds against          reading names, addresses, signer, file name
  does not hold against  counting slots, their kinds, size, dates and labels on line 2

freshness
  does not hold against  an old but genuine envelope: look at `created`

Attackers, by what they have (in brackets the tests that try it):

  the envelope              can read what line 2 says, and remove the file. Cannot read the content or change anything
                            unnoticed (tests/format: every_bit, splices)
  the key of a recipient    can pass on the content, the key and access, and make slots useless. Cannot change what the
                            author signed, or be shown as the author's choice (tests/format: insider; tests/attacks:
                            passphrase_slot)
  write access to your      can remove things, and put in cards of people whom you have not verified. Cannot be you or a
  keystore's folder         verified contact, sign, verify anybody, undo a block, or put anybody into a group, once this
                            machine knows the keystore (tests/attacks: state)
  write access to a folder  can remove or rename what is in it. Cannot lead what encl writes, removes or hands over to
  that you work in          another place (tests/attacks: door)
  a backup that you         can add contacts that are not verified, and new groups. Cannot add an identity, verify or
  restore                   block anybody, or change a group (tests/attacks: restore)
  the mail server           can keep back, repeat and reorder messages, and read their outer fields. Cannot read or
                            change what is sealed, or be shown as its sender (tests/attacks: mail; tests/mail: transport)
  the clock                 can open too early or too late; a clock that goes backwards is reported (tests/format:
                            times)
  your account, or root     can do all that you can

New keys (X-Wing: ML-KEM-768 with X25519) also protect what is encrypted against quantum computers; signatures
(Ed25519) do not withstand them.

Not in this version: a server (gate) that enforces expiry and revocation.

Examples:
  $ encl inspect letter.pdf.encl
";
