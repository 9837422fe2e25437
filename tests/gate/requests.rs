//! Requests that were captured, changed, doubled, sent elsewhere.

use encl::crypto::kdf::gate as kdf;
use encl::crypto::signing::{Purpose, Signature};
use encl::crypto::{KeyId, hpke};
use encl::gate::protocol::{Entry, EntryOp, Head, ItemAnswer, Op, RequestDraft, Said, split};
use encl::gate::rules::Statement;
use encl::time::Time;

use crate::office::{Office, ask, key, now, post, rng, sealed, word};
use crate::server::Server;
use crate::support::sweep;

/// T7: captured requests again, in another order, at another gate.
#[test]
fn captured_requests_give_the_same_entries_and_nothing_to_open() {
    let (server, other) = (Server::new(), Server::new());
    let count = if sweep::is_full() { 1_000 } else { 100 };
    let office = Office::new(&server);
    let sent: Vec<_> = (0..count)
        .map(|_| sealed(&server.card, office.opening(0)))
        .collect();
    let mut client = server.client();
    let mut first = Vec::new();
    for one in &sent {
        let Some(Said::Items { items, .. }) = post(&mut client, &server.card, one) else {
            panic!()
        };
        let ItemAnswer::Share { entry, .. } = &items[0] else {
            panic!()
        };
        first.push(entry.line.clone());
    }
    let entries = server.entries().len();
    for (one, line) in sent.iter().zip(&first).rev() {
        let response = client.post(&one.0).unwrap();
        // Another key than that of the request opens nothing.
        let stranger = sealed(&server.card, office.opening(0)).1;
        let log = server.card.log_key().key;
        assert!(encl::gate::protocol::Answer::open(&response.body, &stranger, log).is_err());
        let Some(Said::Items { items, .. }) = post(&mut client, &server.card, one) else {
            panic!()
        };
        let ItemAnswer::Share { entry, .. } = &items[0] else {
            panic!()
        };
        assert_eq!(entry.line, *line);
    }
    assert_eq!(server.entries().len(), entries);
    let mut elsewhere = other.client();
    for one in &sent {
        assert_eq!(elsewhere.post(&one.0).unwrap().status, 400);
    }
    // Revoked: each of them is refused, with one entry of its own as far as refusals are logged.
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "stated");
    for _ in 0..2 {
        for one in sent.iter().take(12) {
            assert_eq!(
                word(&post(&mut client, &server.card, one).unwrap()),
                "revoked"
            );
        }
    }
    let refused = server
        .entries()
        .iter()
        .filter(|entry| entry.op == EntryOp::Refuse)
        .count();
    assert_eq!(refused, 10, "at most 10 a minute");
}

#[test]
fn every_changed_byte_is_refused() {
    let server = Server::new();
    let office = Office::new(&server);
    let (bytes, _) = sealed(&server.card, office.opening(0));
    let entries = server.entries().len();
    let mut client = server.client();
    let step = if sweep::is_full() { 1 } else { 37 };
    for at in (0..bytes.len()).step_by(step) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert_eq!(client.post(&changed).unwrap().status, 400, "byte {at}");
    }
    for length in [0, 1, 32, 1_152, bytes.len() - 1] {
        assert_eq!(client.post(&bytes[..length]).unwrap().status, 400);
    }
    assert_eq!(
        client.post(&[&bytes[..], b"x"].concat()).unwrap().status,
        400
    );
    assert_eq!(server.entries().len(), entries);
}

/// What somebody can do who opened a request, or made one: a part exchanged, the rest kept.
#[test]
fn parts_of_a_request_cannot_be_exchanged() {
    let server = Server::new();
    let office = Office::new(&server);
    let (gate, public) = (server.card.id(), server.card.newest_key());
    // Not sealed: made with the library's pieces, so that each part is at hand.
    let draft = office.opening(0);
    let item = draft.items[0].item.clone();
    let reply = encl::crypto::PrivateKey::generate(public.kem(), &mut rng());
    let head = Head {
        op: Op::Open,
        gate,
        at: now(),
        told: None,
        who: Some(office.bob.id()),
        keep: false,
        reply: reply.public_key().key_id(),
        items: vec![item.commitment()],
    };
    let body = encl::gate::protocol::RequestBody {
        reply: reply.public_key(),
        seen: None,
        items: vec![item],
    };
    let body = body.to_line();
    let proof = |head: &[u8], signer: &encl::crypto::signing::SigningKey| {
        let hash = kdf::request_hash(head);
        signer.sign(Purpose::GateProof, &[&hash, &[0, 0]])
    };
    let who = |head: &[u8], signer: &encl::crypto::signing::SigningKey| {
        signer.sign(Purpose::GateRequest, &[head])
    };
    let status = |head: &[u8], body: &[u8], signatures: &[Signature]| {
        let signatures: Vec<u8> = signatures.iter().flat_map(|one| one.0).collect();
        let text = [head, b"\n", body, b"\n", &signatures].concat();
        let sealed = hpke::seal(public, &kdf::request_info(&gate.0), &text, &mut rng()).unwrap();
        let bytes = [&public.key_id().0[..], &sealed.enc, &sealed.ct].concat();
        assert!(split(&bytes).is_ok());
        server.client().post(&bytes).unwrap().status
    };
    let line = head.to_line();
    let good = [who(&line, &office.bob), proof(&line, &office.holder)];
    assert_eq!(status(&line, &body, &good), 200);
    let mallory = key();
    let with = |change: &dyn Fn(&mut Head)| {
        let mut head = head.clone();
        change(&mut head);
        head.to_line()
    };
    // Signed anew by somebody else, with the holder's proof kept: the head is another, so the proof is for nothing (and not refused as
    // a form, but as unknown). Without a name: one signature too many.
    let as_mallory = with(&|head| head.who = Some(mallory.id()));
    let resigned = [who(&as_mallory, &mallory), good[1]];
    assert_eq!(status(&as_mallory, &body, &resigned), 200);
    assert_eq!(
        server
            .entries()
            .iter()
            .filter(|entry| entry.op == EntryOp::Open)
            .count(),
        1
    );
    assert_eq!(status(&as_mallory, &body, &good), 400);
    let unnamed = with(&|head| head.who = None);
    assert_eq!(status(&unnamed, &body, &good), 400);
    assert_eq!(status(&unnamed, &body, &good[1..]), 200);
    for changed in [
        with(&|head| head.reply = KeyId([1; 32])),
        with(&|head| head.gate = mallory.id()),
        with(&|head| head.op = Op::Log),
        with(&|head| head.op = Op::State),
        with(&|head| head.at = Time::from_unix(1).unwrap()),
        with(&|head| head.told = Some(now())),
        with(&|head| head.keep = true),
        with(&|head| head.items.push([0; 32])),
        with(&|head| head.items[0] = [0; 32]),
    ] {
        assert_eq!(status(&changed, &body, &good), 400);
    }
    // All of them signed by Bob himself, and for the holder: another commitment is broken, another key for the answer no request.
    let signed = |head: &[u8]| [who(head, &office.bob), proof(head, &office.holder)];
    let moved = with(&|head| head.items[0] = [0; 32]);
    assert_eq!(status(&moved, &body, &signed(&moved)), 200);
    let other_reply = with(&|head| head.reply = KeyId([1; 32]));
    assert_eq!(status(&other_reply, &body, &signed(&other_reply)), 400);
    let opened = server.entries();
    let opened = opened.iter().filter(|entry| entry.op == EntryOp::Open);
    assert_eq!(opened.count(), 1, "only the good one");
}

#[test]
fn a_batch_that_is_partly_foreign_is_answered_in_part() {
    let server = Server::new();
    let (office, foreign) = (Office::new(&server), Office::new(&server));
    let items = vec![office.open(0), foreign.open(0)];
    let sent = sealed(
        &server.card,
        office.draft(Op::Open, items, Some(&office.holder)),
    );
    let Some(Said::Items { items, .. }) = post(&mut server.client(), &server.card, &sent) else {
        panic!()
    };
    let words: Vec<_> = items.iter().map(crate::office::item_word).collect();
    assert_eq!(words, ["open", "unknown"]);
    let ItemAnswer::Share { entry, .. } = &items[0] else {
        panic!()
    };
    // The head that is kept shows the ticket to its owner, and hides the other one.
    let entry = Entry::parse(&entry.line).unwrap();
    let other = foreign.lock().ticket().0;
    let head = String::from_utf8(sent.1.head_bytes.clone()).unwrap();
    assert!(!head.contains(&encl::json::to_b64(&other)));
    let commitment = kdf::item_commitment(&entry.mark.unwrap(), &office.lock().ticket().0);
    assert_eq!(
        sent.1.head.items[usize::from(entry.item.unwrap())],
        commitment
    );
    // One ticket twice is no request.
    let twice = vec![office.open(0), office.open(0)];
    let sent = sealed(
        &server.card,
        office.draft(Op::Open, twice, Some(&office.holder)),
    );
    assert_eq!(server.client().post(&sent.0).unwrap().status, 400);
}

/// T6: dates are by the gate's clock, and a request by another clock is told so.
#[test]
fn a_clock_that_is_wrong_is_told_and_asked_again() {
    let server = Server::new();
    let office = Office::new(&server);
    for away in [3_600, 315_360_000] {
        for at in [now().unix() - away, now().unix() + away] {
            let at = Time::from_unix(at).unwrap();
            let wrong = RequestDraft {
                at,
                ..office.opening(0)
            };
            assert_eq!(ask(&server, wrong), "clock");
            let told = RequestDraft {
                at,
                told: Some(now()),
                ..office.opening(0)
            };
            assert_eq!(ask(&server, told), "open");
            let forged = RequestDraft {
                told: Some(at),
                ..office.opening(0)
            };
            assert_eq!(ask(&server, forged), "clock");
        }
    }
}

/// Nothing in two requests without a name is the same but the ticket, which only the gate sees.
#[test]
fn requests_without_a_name_cannot_be_linked() {
    let server = Server::new();
    let mut office = Office::new(&server);
    office.terms().members = None;
    let unnamed = || RequestDraft {
        who: None,
        ..office.opening(0)
    };
    let (first, second) = (
        sealed(&server.card, unnamed()),
        sealed(&server.card, unnamed()),
    );
    let windows: std::collections::HashSet<&[u8]> = first.0[32..].windows(6).collect();
    assert!(
        second.0[32..]
            .windows(6)
            .all(|window| !windows.contains(window))
    );
    for sent in [first, second] {
        assert_eq!(
            word(&post(&mut server.client(), &server.card, &sent).unwrap()),
            "open"
        );
    }
    let entries = server.entries();
    let mut opened = entries.iter().filter(|entry| entry.op == EntryOp::Open);
    assert!(opened.all(|entry| entry.who.is_none()));
}
