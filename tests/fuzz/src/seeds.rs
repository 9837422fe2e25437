//! Inputs to begin with: a few for each target.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::forge::{self, GRANTED_AT, NEWCOMER, PADDED, Parts, SIGNED};
use crate::{Ring, author, identity, now};
use encl::crypto::kdf;
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::Purpose;
use encl::envelope::{
    Addressee, Admission, ArmorWriter, ContentInfo, LockRequest, SealRequest, Workers, seal,
};
use encl::identity::{Card, CardRequest};
use encl::json::to_b64;
use encl::policy::{Conditions, Padding, Recipient};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Each form of a mailbox and of a group.
const ADDRESS_LISTS: [&[u8]; 6] = [
    b"Bob <bob@example.org>, \"Eve, \\\"the\\\" eve\" <eve@[192.0.2.1]>",
    b"(a (b) c) bob.smith @ example (d) . org (Bob), , \"b s\"@x",
    b"A Group: Ed <c@a.test>, joe@where.test; (end), none:;",
    b"Mary <@node.test,@other.test:mary@example.net>, J. Q. Public <j@x>",
    b"=?utf-8?q?J=C3=B6rg?= =?iso-8859-1?b?3w==?= <j@x>",
    "J\u{F6}rg <j\u{F6}rg@ex\u{E4}mple.org>".as_bytes(),
];

/// The seeds by target.
#[must_use]
pub fn seeds() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let envelopes = envelopes();
    let armored: Vec<Vec<u8>> = envelopes.iter().map(|envelope| armored(envelope)).collect();
    let behind = |envelopes: &[Vec<u8>], line: &str| -> Vec<Vec<u8>> {
        let bytes = line.len();
        envelopes
            .iter()
            .map(|text| text[bytes..].to_vec())
            .collect()
    };
    let bodies = bodies(&envelopes);
    let approvals = approvals(&envelopes);
    let cards = [card_line(), card().to_text().as_bytes().to_vec()];
    vec![
        ("manifest", [envelopes.clone(), armored.clone()].concat()),
        ("card", cards.to_vec()),
        ("approval", approvals),
        ("gate", gate()),
        ("identity_file", vec![identity().to_line().to_vec()]),
        (
            "armor",
            [
                behind(&armored, "-----BEGIN ENCL/1-----"),
                behind(&envelopes, "encl/1\n"),
            ]
            .concat(),
        ),
        ("scanner", messages(&bodies)),
        ("base64_body", bodies),
        ("open", [envelopes, armored, forged()].concat()),
        ("address", ADDRESS_LISTS.map(Vec::from).to_vec()),
    ]
}

fn addressee(key: usize) -> Addressee {
    let public = Ring::public()[key].clone();
    let recipient = Recipient {
        name: "Bob".into(),
        address: Some("bob@example.org".into()),
        id: author().id(),
        key: public.key_id(),
    };
    Addressee { recipient, public }
}

/// Signed, private, padded and aligned in every combination, by turns with one key, both, two locks and a passphrase.
fn envelopes() -> Vec<Vec<u8>> {
    let mut rng = StdRng::seed_from_u64(1);
    let passphrase = Passphrase::new("correct horse").expect("a passphrase");
    let author = author();
    (0..16_u8)
        .map(|features| {
            let on = |bit: u8| features >> bit & 1 == 1;
            let passphrase = Some((&passphrase, Cost::DEFAULT)).filter(|_| features % 5 == 0);
            let mut locks = vec![LockRequest {
                need: 1,
                recipients: vec![addressee(usize::from(features % 3 == 0))],
                passphrase,
            }];
            if features % 4 == 3 {
                locks.push(LockRequest {
                    recipients: vec![addressee(0), addressee(1)],
                    ..LockRequest::default()
                });
            }
            let request = SealRequest {
                gate: None,
                locks,
                signer: on(0).then_some(&author),
                private: on(1),
                padding: if on(2) { Padding::Padme } else { Padding::None },
                created: Some(now()),
                conditions: Conditions::default(),
                labels: BTreeMap::from([("project".to_owned(), "apollo".to_owned())]),
                info: ContentInfo {
                    name: Some("report.pdf".into()),
                    ..ContentInfo::default()
                },
                aligned: on(3) && on(2),
                workers: Workers::ONE,
            };
            let mut content = &b"0123456789abcdef".repeat(usize::from(features) * 80)[..];
            let mut envelope = Vec::new();
            seal(&request, &mut content, &mut envelope, &mut rng).expect("the request is good");
            envelope
        })
        .collect()
}

fn armored(envelope: &[u8]) -> Vec<u8> {
    let mut writer = ArmorWriter::new(Vec::new()).expect("a Vec takes every write");
    writer.write_all(envelope).expect("a Vec takes every write");
    writer.finish().expect("a Vec takes every write")
}

/// Envelopes as bodies: base64 in lines of some width, one with a footer.
fn bodies(envelopes: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let lines = |envelope: &Vec<u8>, columns: usize, line_end: &str| {
        let text = to_b64(envelope);
        let lines = text.as_bytes().chunks(columns);
        let lines: Vec<_> = lines
            .map(|line| [line, line_end.as_bytes()].concat())
            .collect();
        lines.concat()
    };
    let mut bodies = vec![
        lines(&envelopes[0], 76, "\n"),
        lines(&envelopes[1], 64, " \r\n"),
        lines(&envelopes[2], 9_999, ""),
    ];
    bodies.push([&bodies[0][..], b"\n-- \nlist\n"].concat());
    bodies
}

/// Messages with those bodies: alone, in a multipart, in a message within a multipart, and with what is no delimiter.
fn messages(bodies: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let type_of = |kind: &str| format!("Content-Type: {kind}\n\n").into_bytes();
    let in_parts = |boundary: &str, parts: &[&[u8]]| {
        let mut text = type_of(&format!("multipart/mixed; boundary=\"{boundary}\""));
        for part in parts {
            text.extend(format!("--{boundary}\n").into_bytes());
            text.extend_from_slice(part);
            text.push(b'\n');
        }
        text.extend(format!("--{boundary}--\nepilogue\n").into_bytes());
        text
    };
    let encoded: Vec<Vec<u8>> = bodies
        .iter()
        .map(|body| [b"Content-Transfer-Encoding: base64\n\n", &body[..]].concat())
        .collect();
    let mixed = in_parts("b", &[b"\nnotice\r\n--bb\n", &encoded[0]]);
    let message = [type_of("message/rfc822"), mixed.clone()].concat();
    let digest =
        b"Content-Type: multipart/digest; boundary*0=b; boundary*1=c\n\n--bc\n\n\n--bc  \r\n--bc--";
    vec![
        encoded[1].clone(),
        in_parts("a--", &[&message, &encoded[2], digest, b""]),
        mixed,
        message,
    ]
}

/// Inputs for [`Parts::of`], each opened here once: a seed that does not open is not worth mutating.
fn forged() -> Vec<Vec<u8>> {
    let input = |shape: u8| {
        let shape = Shape(shape);
        let parts = Parts {
            flags: shape.0 & (SIGNED | PADDED),
            policy: shape.policy().as_bytes(),
            access: shape.access().as_bytes(),
            plaintext: shape.plaintext().as_bytes(),
        }
        .to_input();
        must_open(&Parts::of(&parts).expect("three lines"), &shape);
        parts
    };
    // No grant stands in a private envelope.
    (0..32)
        .filter(|shape| shape & (PRIVATE | GRANTED) != PRIVATE | GRANTED)
        .map(input)
        .collect()
}

/// What a forged envelope has: [`SIGNED`], [`PADDED`], [`PRIVATE`], [`TWO_LOCKS`], [`GRANTED`].
struct Shape(u8);

const PRIVATE: u8 = 4;
const TWO_LOCKS: u8 = 8;
/// The reader's slots are grants by the author, who named his other key.
const GRANTED: u8 = 16;

impl Shape {
    fn has(&self, feature: u8) -> bool {
        self.0 & feature > 0
    }

    fn policy(&self) -> String {
        let (created, signer) = if self.has(PRIVATE) {
            (String::new(), String::new())
        } else {
            (CREATED.to_owned(), self.signer())
        };
        format!(
            r#"{{{created}"expires":"2030-01-01T00:00:00Z","labels":{{"a":"b"}},"signed":{},"private":{},"padding":"{}"{signer},"locks":[{}]}}"#,
            self.has(SIGNED),
            self.has(PRIVATE),
            if self.has(PADDED) { "padme" } else { "none" },
            self.per_lock(|lock| self.lock(lock)),
        )
    }

    fn lock(&self, lock: u8) -> String {
        let commit = to_b64(&kdf::lock_commitment(&forge::secret(lock)));
        let recipients = self.unless_private(format!(r#","recipients":[{}]"#, self.recipient()));
        format!(r#"{{"kind":"recipients","need":1,"commit":"{commit}"{recipients}}}"#)
    }

    fn access(&self) -> String {
        let key = self.unless_private(format!(r#","key":"{}""#, key_id(0)));
        let slot = |lock| {
            let grant = self.grant(lock);
            format!(r#"{{"lock":{lock}{key},"enc":"@enc{lock}@","ct":"@ct{lock}@"{grant}}}"#)
        };
        format!(r#"{{"slots":[{}]}}"#, self.per_lock(slot))
    }

    fn plaintext(&self) -> String {
        let sealed = if self.has(PRIVATE) {
            let lists = self.per_lock(|_| format!("[{}]", self.recipient()));
            format!(r#","recipients":[{lists}]{}"#, self.signer())
        } else {
            String::new()
        };
        let about =
            r#""name":"a.txt","type":"text/plain","modified":"2026-11-24T06:24:00Z","subject":"s""#;
        format!("{{{about}{sealed}}}\nhello, encl\n")
    }

    fn grant(&self, lock: u8) -> String {
        if self.has(GRANTED) {
            let id = to_b64(&author().id().0);
            format!(
                r#","grant":{{"name":"{NEWCOMER}","id":"{id}","by":"{id}","at":"{GRANTED_AT}","sig":"@sig{lock}@"}}"#
            )
        } else {
            String::new()
        }
    }

    fn recipient(&self) -> String {
        let id = to_b64(&author().id().0);
        let key = key_id(usize::from(self.has(GRANTED)));
        format!(r#"{{"name":"Bob","address":"bob@example.org","id":"{id}","key":"{key}"}}"#)
    }

    fn signer(&self) -> String {
        if self.has(SIGNED) {
            format!(r#","signer":"{}""#, to_b64(&author().id().0))
        } else {
            String::new()
        }
    }

    fn unless_private(&self, member: String) -> String {
        if self.has(PRIVATE) {
            String::new()
        } else {
            member
        }
    }

    fn per_lock(&self, item: impl Fn(u8) -> String) -> String {
        let items: Vec<String> = (0..=u8::from(self.has(TWO_LOCKS))).map(item).collect();
        items.join(",")
    }
}

const CREATED: &str = r#""created":"2026-11-24T06:24:00Z","#;

fn key_id(key: usize) -> String {
    to_b64(&Ring::public()[key].key_id().0)
}

fn must_open(parts: &Parts<'_>, shape: &Shape) {
    let envelope = parts.envelope(&mut StdRng::seed_from_u64(1));
    let opened = encl::envelope::Envelope::read(&envelope[..])
        .and_then(|envelope| envelope.unlock(&mut Ring::default(), now()))
        .and_then(|content| content.copy_to(&mut io::sink(), Workers::ONE));
    match opened {
        Ok((about, _)) => {
            let granted = matches!(about.admission, Admission::Granted(_));
            assert_eq!(granted, shape.has(GRANTED));
        }
        Err(error) => panic!("{error}: {}", String::from_utf8_lossy(parts.policy)),
    }
}

/// What the reader could pass on of some envelopes, in both forms.
fn approvals(envelopes: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let mut forms = Vec::new();
    for (envelope, to) in envelopes.iter().zip(Ring::public().iter().cycle()) {
        let envelope = encl::envelope::Envelope::read(&envelope[..]).expect("ours is good");
        let rng = &mut StdRng::seed_from_u64(2);
        let made = envelope.approve(0, to, &mut Ring::default(), now(), rng);
        for approval in made.unwrap_or_default() {
            forms.push(approval.to_line().into_bytes());
            forms.push(approval.to_text().into_bytes());
        }
    }
    assert!(!forms.is_empty(), "none could be made");
    forms.truncate(8);
    forms
}

/// A gate lock, an entry, a statement, an answer, a checkpoint for a witness and a request.
fn gate() -> Vec<Vec<u8>> {
    let id = to_b64(&author().id().0);
    let (hash, salt) = (to_b64(&[7; 32]), to_b64(&[7; 16]));
    let at = "2026-11-24T06:24:00Z";
    let lock = format!(
        r#"{{"kind":"gate","need":1,"commit":"{hash}","gates":[{{"kind":"server","id":"{id}","key":"{hash}","name":"work"}}],"owners":["{hash}"],"holder":"{id}","members":"{id}","expires":"{at}","lease":60}}"#
    );
    let entry = format!(
        r#"{{"entry":"encl/1","seq":1,"at":"{at}","salt":"{salt}","op":"open","ticket":"{hash}","n":1,"who":"{id}","request":"{hash}","item":0,"mark":"{salt}"}}"#
    );
    let statement = format!(
        r#"{{"statement":"encl/1","ticket":"{hash}","op":"deny","who":"{id}","at":"{at}","by":"{id}","blind":"{hash}"}}"#
    );
    let logged = to_b64(entry.as_bytes());
    let answer = format!(
        r#"{{"answer":"encl/1","request":"{hash}","at":"{at}","items":[{{"share":"{hash}","entry":"{logged}","proof":["{hash}"]}}],"checkpoint":"{hash}","consistency":["{hash}"]}}"#
    );
    let reply = &Ring::public()[1];
    let (key, reply) = (to_b64(&reply.key_id().0), to_b64(reply.as_bytes()));
    let (terms, enc, ct) = (
        to_b64(lock.as_bytes()),
        to_b64(&[7; 1_120]),
        to_b64(&[7; 48]),
    );
    let head = format!(
        r#"{{"request":"encl/1","op":"open","gate":"{id}","at":"{at}","reply":"{key}","items":["{hash}"]}}"#
    );
    let body = format!(
        r#"{{"reply":"{reply}","items":[{{"salt":"{salt}","policy":"{hash}","lock":1,"terms":"{terms}","enc":"{enc}","ct":"{ct}"}}]}}"#
    );
    let proof = [7; 64];
    let request = [head.as_bytes(), b"\n", body.as_bytes(), b"\n", &proof].concat();
    let parsed = encl::gate::protocol::Request::parse(&request, author().id());
    assert!(parsed.is_ok(), "the request is no good seed");
    let lines = [lock, entry, statement, answer, submission()];
    let lines = lines.into_iter().map(String::into_bytes);
    lines.chain([request]).collect()
}

/// A checkpoint for a witness, with a cosignature and a proof.
fn submission() -> String {
    let checkpoint = encl::gate::log::Checkpoint {
        origin: "gate.example.org/1".to_owned(),
        size: 3,
        root: [7; 32],
    };
    let note = checkpoint.sign(&author());
    let (text, _) = note.split_once("\n\n").expect("a note has an empty line");
    let cosignature =
        encl::gate::log::cosign(&format!("{text}\n"), "gate.example.org/1", &author(), now());
    encl::gate::log::Submission {
        old: 1,
        proof: vec![[7; 32], [8; 32]],
        note: note + &cosignature,
    }
    .to_body()
}

fn card() -> Card {
    let request = CardRequest {
        name: "Bob".into(),
        addresses: vec!["bob@example.org".into()],
        serial: 1,
        created: now(),
    };
    Card::new(&identity(), request).expect("the card is good")
}

/// The card's JSON line, which the target signs.
fn card_line() -> Vec<u8> {
    let key = |number: usize, kem: &str| {
        let public = to_b64(Ring::public()[number].as_bytes());
        let serial = number + 1;
        format!(
            r#"{{"kem":"{kem}","key":"{public}","serial":{serial},"created":"2026-11-24T06:24:00Z"}}"#
        )
    };
    let line = format!(
        r#"{{"card":"encl/1","id":"{}","name":"Bob","addresses":["bob@example.org"],"serial":1,"created":"2026-11-24T06:24:00Z","keys":[{},{}]}}"#,
        to_b64(&author().id().0),
        key(0, "x25519"),
        key(1, "x-wing"),
    );
    let signature = author().sign(Purpose::Card, &[line.as_bytes()]);
    assert!(Card::from_parts(line.as_bytes(), &signature).is_ok());
    line.into_bytes()
}
