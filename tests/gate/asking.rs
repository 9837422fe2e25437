//! Who is answered, who is not, and what that looks like from outside.

use encl::crypto::signing::SigningKey;
use encl::envelope::EnvelopeId;
use encl::gate::protocol::{Answer, Ask, EntryOp, Item, ItemAnswer, Op, RequestDraft, Said};
use encl::gate::rules::Statement;
use encl::policy::{Conditions, GateKind, Hash};
use serde_json::Value;

use crate::office::{Office, after, ask, item_word, key, now, post, sealed, word};
use crate::server::Server;

#[test]
fn a_reader_is_answered_with_the_part_and_a_batch_with_all_parts() {
    let server = Server::new();
    let (bob, holder) = (key(), key());
    let first = Office::new(&server);
    let items = (0..256).map(|_| {
        // One holder and one reader for all, as a mailbox has them.
        let mut office = Office::new(&server);
        office.terms().holder = holder.id();
        let pass = Some(office.pass(bob.id()));
        let (enc, ct) = office.slot(0);
        let part = office.parts[0].clone();
        (office.item(Ask::Open { enc, ct, pass }), part)
    });
    let (items, parts): (Vec<Item>, Vec<Vec<u8>>) = items.unzip();
    let draft = first.draft(Op::Open, items, Some(&holder));
    let sent = sealed(
        &server.card,
        RequestDraft {
            who: Some(&bob),
            ..draft
        },
    );
    let said = post(&mut server.client(), &server.card, &sent).unwrap();
    let Said::Items { items, .. } = said else {
        panic!("refused")
    };
    assert_eq!(items.len(), 256);
    for (item, expected) in items.iter().zip(&parts) {
        let ItemAnswer::Share { part, .. } = item else {
            panic!("{}", item_word(item))
        };
        assert_eq!(part[..], expected[..]);
    }
    let opened = server.entries();
    let opened = opened.iter().filter(|entry| entry.op == EntryOp::Open);
    assert_eq!(opened.count(), 256);
}

/// Each term changed, removed or added: what was sealed under the old ones does not open under the new ones, with the old slot and the
/// old pass, and with a slot that is sealed anew by somebody who does not have the list's key.
#[test]
fn terms_cannot_be_changed() {
    let server = Server::new();
    let mut office = Office::new(&server);
    let terms = office.terms();
    terms.conditions = Conditions {
        not_before: Some(now()),
        expires: Some(after(60)),
    };
    terms.lease = Some(60);
    terms.gates[0].url = Some("http://127.0.0.1:7700".into());
    assert_eq!(ask(&server, office.opening(0)), "open");
    let Ask::Open { enc, ct, pass } = office.open(0).ask else {
        panic!()
    };
    let lock = String::from_utf8(office.lock().bytes().to_vec()).unwrap();
    let object: Value = serde_json::from_str(&lock).unwrap();
    let mut changed: Vec<String> = Vec::new();
    for (name, value) in object.as_object().unwrap() {
        let mut without = object.clone();
        without.as_object_mut().unwrap().remove(name);
        changed.push(without.to_string());
        let mut other = object.clone();
        other[name] = match value {
            Value::Number(_) => 2.into(),
            Value::String(text) if text.ends_with('Z') => "2030-01-01T00:00:00Z".into(),
            Value::String(_) => encl::json::to_b64(&key().id().0).into(),
            _ => Value::Array(Vec::new()),
        };
        changed.push(other.to_string());
        changed.push(lock.replacen(
            &format!("\"{name}\""),
            &format!("\"\\u{:04x}{}\"", name.as_bytes()[0], &name[1..]),
            1,
        ));
        changed.push(lock.replacen(&format!("\"{name}\":"), &format!("\"{name}\": "), 1));
        changed.push(lock.replacen(
            &format!("\"{name}\":"),
            &format!("\"{name}\":1,\"{name}\":"),
            1,
        ));
    }
    changed.push(
        lock.replacen("expires", "not_before", 1)
            .replacen("not_before", "expires", 1),
    );
    changed.push(lock.replacen("\"expires\"", "\"not_after\"", 1));
    changed.push(lock.replacen("\"kind\":\"gate\"", "\"kind\":\"recipients\"", 1));
    changed.push(lock.replacen("{\"kind\"", "{\"note\":1,\"kind\"", 1));
    changed.push(format!("{lock} "));
    changed.push(format!(" {lock}"));
    let before = server.entries().len();
    for terms in changed {
        assert_ne!(terms, lock);
        let ask_for = Ask::Open {
            enc: enc.clone(),
            ct: ct.clone(),
            pass,
        };
        let mut item = office.item(ask_for);
        item.terms = terms.clone().into_bytes();
        let draft = office.draft(Op::Open, vec![item], Some(&office.holder));
        let said = ask(&server, draft);
        assert!(["unknown", "broken"].contains(&said), "{said} {terms}");
    }
    let long = Item {
        terms: [lock.as_bytes(), &[b' '; 8_192]].concat(),
        ..office.open(0)
    };
    let draft = office.draft(Op::Open, vec![long], Some(&office.holder));
    let sent = sealed(&server.card, draft);
    assert_eq!(server.client().post(&sent.0).unwrap().status, 400);
    assert_eq!(server.entries().len(), before, "nothing was logged");
}

/// A slot, a lock or a pass in the place of another.
#[test]
fn nothing_moves_to_another_envelope() {
    let (server, other_gate) = (Server::new(), Server::new());
    for is_listed in [true, false] {
        let make = || {
            let mut office = Office::with(&[&server, &other_gate], 2);
            if !is_listed {
                office.terms().members = None;
            }
            office
        };
        let (first, second) = (make(), make());
        assert_eq!(ask(&server, first.opening(0)), "open");
        let before = server.entries().len();
        let slot = |office: &Office, gate| {
            let (enc, ct) = office.slot(gate);
            Ask::Open {
                enc,
                ct,
                pass: Some(office.pass(office.bob.id())),
            }
        };
        let said = |office: &Office, item: Item| {
            ask(
                &server,
                office.draft(Op::Open, vec![item], Some(&office.holder)),
            )
        };
        // Another envelope's slot, another gate's slot, another number of the lock.
        assert_eq!(
            said(&first, first.item(slot(&second, 0))),
            if is_listed { "unknown" } else { "broken" }
        );
        assert_eq!(
            said(
                &first,
                Item {
                    ask: slot(&first, 1),
                    ..first.open(0)
                }
            ),
            "broken"
        );
        let moved = |item: &mut Item| item.number = 2;
        let mut item = first.open(0);
        moved(&mut item);
        assert_eq!(
            said(&first, item),
            if is_listed { "unknown" } else { "broken" }
        );
        // Lock and slot copied into a new envelope.
        let copied = Item {
            envelope: EnvelopeId([7; 32]),
            ..first.open(0)
        };
        assert_eq!(
            said(&first, copied),
            if is_listed { "unknown" } else { "broken" }
        );
        // Asked at a gate that the lock does not name.
        let alone = Office::new(&other_gate);
        let sent = sealed(&server.card, alone.opening(0));
        let answered = post(&mut server.client(), &server.card, &sent).unwrap();
        assert_eq!(word(&answered), "broken");
        assert_eq!(server.entries().len(), before, "no line in anybody's log");
    }
}

#[test]
fn admission() {
    let server = Server::new();
    let office = Office::new(&server);
    let stranger = key();
    let with = |who: Option<&'static str>, pass_of: Option<&SigningKey>, holder: &SigningKey| {
        let pass = pass_of.map(|who| office.pass(who.id()));
        let (enc, ct) = office.slot(0);
        let item = office.item(Ask::Open { enc, ct, pass });
        let draft = office.draft(Op::Open, vec![item], Some(holder));
        let who = who.map(|who| if who == "bob" { &office.bob } else { &stranger });
        let sent = sealed(&server.card, RequestDraft { who, ..draft });
        word(&post(&mut server.client(), &server.card, &sent).unwrap())
    };
    assert_eq!(with(Some("bob"), Some(&office.bob), &office.holder), "open");
    for (who, pass_of, holder) in [
        (Some("bob"), None, &office.holder),
        (Some("bob"), Some(&stranger), &office.holder),
        (Some("stranger"), Some(&office.bob), &office.holder),
        (None, Some(&office.bob), &office.holder),
        (Some("bob"), Some(&office.bob), &stranger),
        (Some("bob"), Some(&office.bob), &office.bob),
        (Some("bob"), Some(&office.bob), &office.list),
    ] {
        assert_eq!(with(who, pass_of, holder), "unknown");
    }
}

/// T14: whoever has no right to ask learns nothing of what others did. The answers differ in the request and the time alone.
#[test]
fn who_may_not_ask_learns_nothing() {
    let server = Server::new();
    let (plain, revoked) = (Office::new(&server), Office::new(&server));
    assert_eq!(ask(&server, revoked.stating(Statement::Revoke)), "stated");
    assert_eq!(ask(&server, revoked.opening(0)), "revoked");
    let stranger = key();
    let lines = |office: &Office| -> Vec<String> {
        let (enc, ct) = office.slot(0);
        let no_pass = office.item(Ask::Open {
            enc,
            ct,
            pass: None,
        });
        let asked = [(no_pass, &office.holder), (office.open(0), &stranger)];
        let lines = asked.map(|(item, holder)| {
            let draft = office.draft(Op::Open, vec![item], Some(holder));
            let sent = sealed(&server.card, draft);
            let response = server.client().post(&sent.0).unwrap();
            let answer = Answer::open(&response.body, &sent.1, server.card.log_key().key).unwrap();
            let line = Answer {
                request: [0; 32],
                at: now(),
                ..answer
            }
            .to_line();
            let mut object: Value = serde_json::from_slice(&line).unwrap();
            object["at"] = Value::Null;
            format!("{} {object}", response.body.len())
        });
        lines.to_vec()
    };
    let all: Vec<String> = [&plain, &revoked].into_iter().flat_map(lines).collect();
    assert!(all.iter().all(|line| *line == all[0]), "{all:#?}");
}

#[test]
fn statements_are_an_owners_and_merge() {
    let server = Server::new();
    let office = Office::new(&server);
    for by in [&key(), &office.bob, &office.holder, &office.list] {
        let item = office.statement(Statement::Revoke, by);
        let draft = office.draft(Op::State, vec![item], None);
        assert_eq!(ask(&server, draft), "unknown");
    }
    let other = Office::new(&server);
    let of_other = Item {
        ask: other.statement(Statement::Revoke, &other.owner).ask,
        ..office.open(0)
    };
    assert_eq!(
        ask(&server, office.draft(Op::State, vec![of_other], None)),
        "unknown"
    );
    assert_eq!(ask(&server, office.opening(0)), "open");
    // A carrier may be anybody, also without a name; the statement is an owner's.
    let carried = RequestDraft {
        who: None,
        ..office.stating(Statement::Expire(after(3_600)))
    };
    assert_eq!(ask(&server, carried), "stated");
    let later = office.stating(Statement::Expire(after(7_200)));
    assert_eq!(ask(&server, later), "stated");
    assert_eq!(ask(&server, office.opening(0)), "open");
    let carol = key();
    let by_carol = || {
        let (enc, ct) = office.slot(0);
        let item = office.item(Ask::Open {
            enc,
            ct,
            pass: None,
        });
        let draft = office.draft(Op::Open, vec![item], Some(&office.holder));
        RequestDraft {
            who: Some(&carol),
            ..draft
        }
    };
    assert_eq!(ask(&server, by_carol()), "unknown");
    assert_eq!(
        ask(&server, office.stating(Statement::Allow(carol.id()))),
        "stated"
    );
    assert_eq!(ask(&server, by_carol()), "open");
    assert_eq!(
        ask(&server, office.stating(Statement::Deny(carol.id()))),
        "stated"
    );
    assert_eq!(
        ask(&server, office.stating(Statement::Allow(carol.id()))),
        "stated"
    );
    assert_eq!(ask(&server, by_carol()), "denied");
    assert_eq!(ask(&server, office.opening(0)), "open");
    assert_eq!(
        ask(&server, office.stating(Statement::Expire(now()))),
        "stated"
    );
    assert_eq!(ask(&server, office.opening(0)), "expired");
    // In a private envelope the author shows the blind, and nobody else has it.
    let mut private = Office::new(&server);
    let blind = encl::crypto::kdf::gate::owner_blind(private.owner.seed(), &private.lock.commit);
    let hidden = encl::crypto::kdf::gate::owner(&blind, &private.owner.id().0);
    private.terms().owners = vec![Hash(hidden)];
    assert_eq!(ask(&server, private.stating(Statement::Revoke)), "unknown");
    let lock = private.lock();
    assert_eq!(lock.blind_of(&private.owner), Some(blind));
    let signed = encl::gate::protocol::SignedStatement::new(
        (lock.ticket(), Statement::Revoke),
        now(),
        blind,
        &private.owner,
    );
    let item = private.item(Ask::State {
        statement: signed.to_bytes(),
    });
    assert_eq!(
        ask(&server, private.draft(Op::State, vec![item], None)),
        "stated"
    );
}

/// The log of a ticket, read by its owner over the network: complete, in order, with what was signed.
#[test]
fn an_owner_reads_the_log() {
    let server = Server::new();
    let office = Office::new(&server);
    for _ in 0..3 {
        assert_eq!(ask(&server, office.opening(0)), "open");
    }
    assert_eq!(ask(&server, Office::new(&server).opening(0)), "open");
    assert_eq!(ask(&server, office.stating(Statement::Revoke)), "stated");
    let sent = sealed(&server.card, office.reading(1));
    let said = post(&mut server.client(), &server.card, &sent).unwrap();
    let Said::Items { items, .. } = said else {
        panic!()
    };
    let ItemAnswer::Log(page) = &items[0] else {
        panic!()
    };
    assert_eq!((page.lines.len(), page.more), (4, false));
    let by_bob = RequestDraft {
        who: Some(&office.bob),
        ..office.reading(1)
    };
    assert_eq!(
        ask(&server, by_bob),
        "log",
        "anybody may carry an owner's question"
    );
    let not_signed = office.reading(1);
    let items = not_signed.items.into_iter().map(|one| one.item).collect();
    let draft = office.draft(Op::Log, items, Some(&office.bob));
    assert_eq!(ask(&server, draft), "unknown");
}

#[test]
fn a_person_of_that_id_is_no_server() {
    let server = Server::new();
    let mut office = Office::new(&server);
    office.terms().gates[0].kind = GateKind::Person;
    assert_eq!(ask(&server, office.opening(0)), "broken");
}
