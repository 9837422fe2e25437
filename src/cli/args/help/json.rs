//! The text of `encl help json`: every object that `--json` prints. tests/cli/json.rs holds it against what is printed.

/// A line at the margin begins with a schema or with an object in capitals; the fields below it are indented by two blanks.
pub(super) const TEXT: &str = "\
JSON: WHAT --json PRINTS

With --json a command prints objects, each in one line. The first field, \"schema\", says which fields follow. They are
listed below under that name.

  stdout   the result: one object for each input, unless something else is said below
  stderr   errors, warnings and notices, which are objects too. If the output itself goes to stdout (`-o -`),
           the result goes to stderr as well

An input that fails gives an encl.error/1 object; the other inputs are still worked on. Exit codes are the same as
without --json: `encl help exit-codes`. In a script also use --no-input, and --yes where a command asks.

Stable: as long as the number behind the slash is the same, each field below keeps its name, type and meaning.
Later versions may add fields, schemas and words, so ignore what you do not know. Not stable: the order of the fields,
and the wording of texts for people (message, hint, reason, about, says, mend).

The types are:

  text        a string; characters that could control a terminal are written as in \\u001b
  word        a string from the list that is given
  id          64 hexadecimal digits: an envelope, a key, or a person (the fingerprint without blanks)
  time        a string such as 2026-11-30T03:20:52Z: UTC, to the second
  number      a whole number
  flag        true or false
  or null     the field is always there, and null if there is no value
  or absent   the field is not there if there is no value

`a[].b` is the field b of each object in the list a; `a.b` is the field b of the object a. These objects are used
several times:

RECIPIENT
  name                    text                  from the person's card
  address                 text or null          the first address on the card
  id                      id                    the person
  key                     id                    the person's key that was encrypted for

SIGNER
  id                      id                    the person
  name                    text or null          null: the keystore has no card of this person, or does not show the name
  address                 text or null          the first on that card; null: the keystore has no card of this person
  trust                   word                  own, unverified, verified, changed, revoked, blocked (`encl help trust`),
                                                or unknown: the keystore has no card of this person
  verified                object                what was compared with the person
  verified.key            flag
  verified.name           flag                  also the name above
  verified.address        flag                  also the address above

HOLDER                                          a person with access
  name                    text or null          null: not a contact
  address                 text or null
  id                      id or null            null: no record says whose key it is
  key                     id                    the key that was encrypted for
  lock                    number                which lock of the envelope the key opens; the first is 0

KEPT                                            a person who keeps access: the fields of HOLDER, and
  let_in_by               id or null            who gave it; null: there is no record

CARD
  id                      id                    the person
  name                    text
  addresses               list of text
  serial                  number                grows with each new card of the person
  created                 time                  when this card was made
  keys                    list
  keys[].kem              word                  x-wing, x25519
  keys[].id               id                    the key
  keys[].serial           number                grows with each new key of the person
  keys[].created          time
  keys[].expires          time or null          null: never

GROUPCARD                                       what a group card says beside the members
  keeper                  id                    who keeps the group, and signed it
  name                    text                  what the keeper calls the group
  serial                  number                grows with each new card of the group
  created                 time

COUNTS                                          how many items of a backup
  new                     number                were added
  updated                 number                replaced older ones
  known                   number                were here already
  kept                    number                are newer here, or decided here, and were kept
  refused                 number                were not restored

Errors and messages, on stderr:

encl.error/1              every command: a failure
  code                    word                  failed, usage, not_for_you, damaged, refused, locked, recipient, exists,
                                                newer (`encl help exit-codes`)
  exit                    number                the exit code, if nothing else fails
  class                   word or null          what is wrong with the bytes: truncated, mangled, not-an-envelope,
                                                not-an-approval, malformed, over-limit, no-key, quorum, slot,
                                                passphrase, header, refused, damaged, signature, newer (FORMAT.md says
                                                when); null: something else is wrong
  file                    text or null          the file that it is about
  message                 text                  what was not possible, and why
  hint                    text or null          what to do about it

encl.warning/1            every command: something is probably not as you meant it
  message                 text

encl.notice/1             every command: something that you should know
  message                 text

Files:

encl.wrap/1               encl wrap
  file                    text                  the input as you named it; `-` is standard input
  output                  text                  the envelope; `-` is standard output
  id                      id                    the envelope
  recipients              list of RECIPIENT     everybody who can decrypt it, also you
  locks                   list or absent        only with --quorum: all of them must be opened
  locks[].need            number                how many people must come together
  locks[].passphrase      flag                  whether a passphrase opens it too
  locks[].recipients      list of id            the people
  signer                  SIGNER or null        null: not signed

encl.wrap-plan/1          encl wrap --dry-run
  file                    text                  the input
  output                  text                  the envelope that would be made

encl.unwrap/1             encl unwrap, encl mail unwrap (with --extract one for each attachment)
  file                    text                  the input as you named it
  output                  text                  where the content is; `-` is standard output
  id                      id                    the envelope
  signer                  SIGNER or null        null: not signed
  access                  word                  named: the author named you. granted: another reader gave you access.
                                                unrecorded: no record says who did
  path                    list                  the records of grants that lead from you to the author, yours first
  path[].id               id                    who was given access
  path[].by               id                    by whom
  path[].at               time
  bytes                   number                the length of the content, in bytes

encl.verify/1             encl verify: the fields of encl.unwrap/1, but
  output                  null                  nothing is written

encl.inspect/1            encl inspect, encl mail inspect: what the envelope says, not verified
  file                    text                  the input as you named it
  part                    text or absent        where in a message it is, such as 1.2
  id                      id                    the envelope
  verified                flag                  always false
  signed                  flag
  private                 flag                  whether names are hidden
  padding                 word                  none, padme: the exact length is hidden
  signer                  id or null            null: not signed, or private
  created                 time or null
  not_before              time or null
  expires                 time or null
  labels                  object                the labels: each field is a text
  locks                   list                  all of them must be opened
  locks[].kind            word                  recipients
  locks[].need            number                how many people must come together
  locks[].passphrase      number or null        N: a passphrase opens it, and one guess takes 2^N KiB of memory
  locks[].recipients      list of RECIPIENT or null       null: private
  locks[].recipients[].mine  flag               whether the key is one of yours
  slots                   list
  slots[].lock            number                which lock it opens; the first is 0
  slots[].key             id or null            null: for a passphrase, or private
  slots[].grant           object or null        the record of a grant; null: the author made the slot, or no record
  slots[].grant.name      text                  who was given access
  slots[].grant.address   text or null
  slots[].grant.id        id
  slots[].grant.by        id                    by whom
  slots[].grant.at        time
  header_bytes            number                the length of everything before the content, in bytes
  payload_bytes           number                the length of the encrypted content, in bytes

Access:

encl.rewrap/1             encl rewrap, and encl wrap --resign about files that are envelopes already: one for each envelope
  file                    text                  the input
  output                  text                  the envelope
  id                      id                    the envelope as it was
  new_id                  id or null            its id after it was encrypted again; null: it was not
  action                  word                  nothing, add: slots are added, drop: slots are removed, reseal: the
                                                content is encrypted again
  joins                   list of HOLDER        who gets access
  new_keys                list of HOLDER        who gets access with a newer key
  leaves                  list of HOLDER        who loses access
  unknown                 list of HOLDER        who of these is unknown here and was not named by --drop-unknown: this is
                                                asked, also with --yes
  stays                   list of KEPT          who keeps access that not the author but another reader gave
  records_passphrase      flag                  whether its policy records the passphrase from now on (`encl help trust`)
  signature_lost          id or null            the author whose signature is lost, or would be
  was_signed              flag                  whether anybody had signed it
  signer                  id or null            who signs it, or would, if it is encrypted again
  done                    flag                  false: dry run, nothing to do, or skipped to keep the signature

encl.revoke/1             encl revoke: the fields of encl.rewrap/1

encl.grant/1              encl grant: the fields of encl.rewrap/1, and
  granted                 list of RECIPIENT     who was given access
  had_access              list of RECIPIENT     who had it already
  by                      SIGNER                you
  dry_run                 flag                  whether nothing was written

encl.drop/1               encl drop: the fields of encl.rewrap/1, and
  slots                   number                how many were removed
  dry_run                 flag                  whether nothing was written

encl.approve/1            encl approve
  file                    text                  the envelope as you named it
  output                  text                  the approval
  id                      id                    the envelope
  lock                    number                the lock whose shares were released; the first is 0
  need                    number                how many people must come together
  approvals               number                how many shares were released
  to                      RECIPIENT             your colleague
  named                   flag                  whether the envelope names the colleague's key

My identities:

encl.key/1                encl key list (one for each identity), key show, key default without WHO, key passphrase,
                          key import, key paper --restore: the fields of CARD, and
  default                 flag                  whether it signs unless you say otherwise
  adopted                 flag                  whether it is yours as far as this machine knows (`encl key adopt`)
  revoked                 flag
  replaced_by             id or null            the identity that replaced it
  passphrase              flag or null          whether it protects the private keys; null: they are missing

encl.card/1               encl key new, key rotate, key renew, key replace, key card without -o
  id                      id                    the identity
  card                    text                  the card: one line
  answer                  text or absent        the token of the invitation that is answered

encl.revocation/1         encl key revoke
  id                      id                    the identity
  revocation              text                  the signed statement: one line

People:

encl.contact/1            encl contact list (one for each contact), contact add, contact show, contact verify,
                          contact block, contact unblock: the fields of CARD (of a key that was revoked, and whose card
                          you do not have, only id), and
  trust                   word                  own, unverified, verified, changed, expired, revoked, blocked
                                                (`encl help trust`)
  verified                object or absent      only if you verified the contact
  verified.by             id                    which of your identities compared
  verified.at             time
  verified.how            word                  by-eye, code
  verified.name           text                  the name for which the key was verified
  verified.addresses      list of text          the addresses, in the same way
  accepted                word or absent        only contact add of a card: added, updated, known, or
                                                successor: the old identity signed the new one
  invitation              object or absent      only contact add, if the card came with a token
  invitation.state        word                  answers: it answers an invitation of yours. answered-before: by the same
                                                person. spent: somebody else answered. old: after 90 days.
                                                other-address: the card lacks the invited address. unknown.
                                                received: you are invited
  invitation.address      text or absent        who was invited
  invitation.made         time or absent        when
  invitation.answered     time or absent        when it was answered first
  invitation.by           id or absent          by whom
  invitation.token        text or absent        only if you are invited: for key card --invitation

encl.invite/1             encl invite
  address                 text                  who is invited
  from                    id                    which of your identities invites
  token                   text                  the one-time token
  ends                    time                  when the token ends
  text                    text or absent        what to mail; absent: it is in the file of -o

encl.group/1              encl group list (one for each group), group show, contact add of a group
  name                    text                  without @
  adopted                 flag                  whether this machine knows the group as it is (`encl help trust`)
  accepted                word or absent        only with contact add: new, updated, known
  members                 list
  members[].id            id
  members[].name          text or null          null: the card was removed
  address                 text or null          of the mailing list
  card                    GROUPCARD or null    null: it came from nobody, and was given to nobody

encl.group-card/1         encl group card
  text                    text                  the group card and the other cards, as without --json
  card                    GROUPCARD

The keystore:

encl.backup/1             encl backup
  output                  text                  the backup
  id                      id                    the envelope
  identities              number                how many are in it
  contacts                number
  groups                  number
  recipients              list of RECIPIENT     empty: a passphrase opens it

encl.restore/1            encl restore, which then needs --yes or --dry-run
  file                    text                  the backup
  made                    time or null          when it was made
  signer                  SIGNER or null        null: not signed
  mine                    flag                  whether it is restored as yours; else nobody is verified or blocked by it
  proof                   word or null          what shows that: signature: one of your identities signed it. machine: made
                                                on this machine. keys: your private keys are in it, unprotected, and
                                                nobody else can open it. claim: this machine knew no identity of yours, and
                                                you take all of it as your own. null: nothing shows it
  dry_run                 flag
  identities              COUNTS
  contacts                COUNTS
  groups                  COUNTS
  invitations             COUNTS
  stopped                 number                keys that are changed, revoked or blocked here too from now on,
                                                since the backup says so

encl.doctor/1             encl doctor: one for each finding
  level                   word                  fine, note, bad
  about                   text                  a file, an identity, or another part
  says                    text                  what was found
  mend                    text or null          how to repair it

encl.unlock/1             encl unlock, if the identity has a passphrase
  id                      id                    the identity
  name                    text
  until                   time                  when it is locked again

encl.lock/1               encl lock: one for each identity that was unlocked
  id                      id                    the identity
  name                    text

Mail:

encl.mail-wrap/1          encl mail wrap: the fields of encl.wrap/1, but
  id                      id or null            null: --attachments, unless the message is itself the file
  parts                   list of id or absent  where id is null: the envelopes, one for each attachment

encl.mail-show/1          encl mail show
  id                      id                    the envelope
  signer                  SIGNER or null        null: not signed
  created                 time or null
  fields                  list of list of text  a name and a value each: From, To, Cc, Date, Subject
  sender_trace            list of text          trace fields inside, such as Received, that the sender may have written; none
                                                if the message was encrypted at its delivery
  texts                   list of text          together at most 4 MiB, counted as encoded
  parts                   list                  attachments and the like, at most 100
  parts[].part            text                  where in the message it is, such as 1.2
  parts[].type            text                  the media type, such as image/png
  parts[].name            text or null          the file name
  parts[].bytes           number                the length in bytes, as encoded
  notes                   list of text          what is not shown, or not as it was meant, and why

encl.mail-grep/1          encl mail grep: one for each message that matches
  file                    text                  the message or the mbox
  message                 number or absent      only in an mbox: which message; the first is 1
  lines                   list of text          the lines that match

encl.mail-seal/1          encl mail seal: one for each message
  file                    text                  the message or the mbox
  message                 number or absent      only in an mbox: which message; the first is 1
  outcome                 word                  sealed, already, skipped, failed; with --dry-run \"to be done\"
  reason                  text or absent        why it was skipped, or what else you should know

encl.mail-unseal/1        encl mail unseal: the fields of encl.mail-seal/1, but
  outcome                 word                  unsealed, already, skipped, failed; with --dry-run \"to be done\"

The program:

encl.version/1            encl version
  version                 text
  format                  text                  of the envelopes: encl/1
  aes                     word                  how AES is computed: VAES, AES-NI, ARMv8, software

All other commands have no object as a result. Their exit code says whether they succeeded.

Examples:
  $ encl verify --json letter.pdf.encl | jq -r '.signer.name'
  $ encl verify --json notes.txt 2>&1 | jq -r 'select(.schema == \"encl.error/1\").code'
  $ encl inspect --json *.encl | jq -r '.file as $file | .locks[].recipients[]?.address | [$file, .] | @tsv'
";
