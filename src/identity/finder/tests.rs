use std::time::{Duration, Instant};

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::*;
use crate::crypto::Kem;
use crate::identity::{CardRequest, Identity};

fn card(kem: Kem, name: &str) -> Card {
    let now = "2026-11-24T06:24:00Z".parse().unwrap();
    let identity = Identity::generate(kem, now, None, &mut UnwrapErr(SysRng));
    let request = CardRequest {
        name: name.to_owned(),
        addresses: vec![format!("{name}@example.org")],
        serial: 1,
        created: now,
    };
    Card::new(&identity, request).unwrap()
}

fn token() -> InvitationToken {
    InvitationToken::random(&mut UnwrapErr(SysRng))
}

fn find(text: &[u8]) -> FoundCards {
    let mut finder = CardFinder::default();
    finder.push(text);
    finder.finish().unwrap()
}

fn is_one(found: &FoundCards, card: &Card) -> bool {
    found.cards.len() == 1 && found.cards[0] == *card
}

#[test]
fn a_card_is_found_between_words_however_it_was_wrapped_and_quoted() {
    for kem in [Kem::X25519, Kem::XWing] {
        let card = card(kem, "bob");
        let (line, wrapped) = (card.to_text(), card.to_wrapped_text());
        assert!(wrapped.lines().all(|line| line.len() <= 73));
        assert!(Card::from_text(wrapped.as_bytes()).unwrap() == card);
        for shape in [
            line.to_owned(),
            wrapped.clone(),
            wrapped.replace('\n', "\r\n"),
        ] {
            for (before, behind) in [
                ("", ""),
                ("here it is: ", "\n"),
                ("a: b\n\n", "\n\nBest wishes, Bob\n"),
                ("my card\n", "\nBest\nBob\n"),
                ("(", ")"),
                (
                    "",
                    " and Bobs words go on and on for a while without a full stop to be seen anywhere",
                ),
            ] {
                let text = format!("{before}{shape}{behind}");
                assert!(is_one(&find(text.as_bytes()), &card), "{text}");
                let quoted = text.replace('\n', "\n> > ");
                assert!(is_one(&find(quoted.as_bytes()), &card), "{quoted}");
            }
        }
    }
}

/// Words behind a card that complete its last group, check characters included.
#[test]
fn a_card_is_found_where_the_words_behind_it_look_like_its_end() {
    let card = card(Kem::X25519, "bob");
    let line = card.to_text();
    let last = (line.len() - card::PREFIX.len()) % (GROUP + CHECK);
    let missing = GROUP + CHECK - last;
    assert!(
        last > 0 && missing > 6,
        "a card of another length is needed"
    );
    let words = (0..1_000_000).map(|number| format!("{number:0>missing$}"));
    let looks_like_its_end = |words: &String| {
        let text = format!("{line}{words}");
        let groups = &text.as_bytes()[card::PREFIX.len()..];
        carrier::ends(groups).contains(&groups.len())
    };
    let words = words.into_iter().find(looks_like_its_end).unwrap();
    let text = format!("{line}\n{words} and so on");
    assert!(is_one(&find(text.as_bytes()), &card), "{text}");
}

#[test]
fn it_does_not_matter_in_which_pieces_a_text_comes() {
    let (card, token) = (card(Kem::X25519, "bob"), token());
    let (answer, wrapped) = (token.to_answer(), card.to_wrapped_text());
    let text = format!("one: two\n{answer}\n{wrapped}\n{answer} Bob");
    for length in [1, 2, 7, 61, 4096] {
        let mut finder = CardFinder::default();
        text.as_bytes()
            .chunks(length)
            .for_each(|piece| finder.push(piece));
        let found = finder.finish().unwrap();
        assert!(is_one(&found, &card), "{length}");
        assert_eq!(found.answers[..], *std::slice::from_ref(&token), "{length}");
    }
}

#[test]
fn two_cards_that_touch_are_two() {
    let (alice, bob) = (card(Kem::X25519, "alice"), card(Kem::XWing, "bob"));
    let text = format!(
        "{}\n{}\n{}",
        alice.to_text(),
        bob.to_text(),
        alice.to_text()
    );
    let found = find(text.as_bytes());
    assert!(found.cards == [alice, bob]);
    assert!(found.broken.is_none());
}

#[test]
fn both_kinds_of_token_are_told_apart_and_wrong_ones_left_out() {
    let (one, other) = (token(), token());
    let text = format!(
        "encl key card --invitation {}\n{}. encl-invitation1:AAAA and encl-answer1:\n> {}\n",
        one.to_invitation(),
        other.to_answer(),
        one.to_invitation(),
    );
    let found = find(text.as_bytes());
    assert_eq!(found.invitations, [one]);
    assert_eq!(found.answers, [other]);
}

#[test]
fn what_is_wrong_with_a_card_is_told() {
    let card = card(Kem::X25519, "bob");
    let text = card
        .to_text()
        .replacen("encl-card1:eyJ", "encl-card1:eyK", 1);
    let found = find(format!("see encl-card1: below\n{text}\n").as_bytes());
    assert!(found.cards.is_empty());
    assert!(found.broken.is_some());
    let whole = find(format!("{text}\n\n{}", card.to_text()).as_bytes());
    assert!(is_one(&whole, &card));
    assert!(find(b"nothing: at all").broken.is_none());
}

#[test]
fn one_text_does_not_go_on_in_the_next() {
    let card = card(Kem::X25519, "bob");
    let (front, back) = card.to_text().split_at(100);
    let mut finder = CardFinder::default();
    finder.push(front.as_bytes());
    finder.end_text();
    finder.push(back.as_bytes());
    assert!(finder.finish().unwrap().cards.is_empty());
}

#[test]
fn hostile_texts_cost_little() {
    let card = card(Kem::XWing, "bob");
    let prefix = card::PREFIX;
    let whole = [
        "encl-card1:".repeat(400_000),
        ":".repeat(4 << 20),
        "1:".repeat(2 << 20),
        format!("{prefix}{}", "A".repeat(4 << 20)),
        format!("{prefix}{}", "\n> ".repeat(2 << 20)),
        format!("{prefix}{}", &card.to_text()[prefix.len()..].repeat(1_000)),
        format!("{}\n", token().to_invitation()).repeat(100_000),
    ];
    for text in whole {
        let began = Instant::now();
        let mut finder = CardFinder::default();
        text.as_bytes()
            .chunks(64 << 10)
            .for_each(|piece| finder.push(piece));
        let _ = finder.finish();
        let most = Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 100 });
        assert!(
            began.elapsed() < most,
            "{:?}: {}",
            began.elapsed(),
            &text[..40]
        );
    }
    let many: String = (0..20)
        .map(|n| {
            self::card(Kem::X25519, &format!("c{n}"))
                .to_text()
                .to_owned()
                + "\n"
        })
        .collect();
    let mut finder = CardFinder::default();
    finder.push(many.as_bytes());
    assert!(matches!(finder.finish(), Err(TooManyCards)));
}
