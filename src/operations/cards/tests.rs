use super::*;
use crate::directory::Trust;
use crate::identity::Card;
use crate::keystore::AcceptOutcome;
use crate::operations::identity::tests::{Place, now, rng};

fn card(address: &str) -> Card {
    Place::new().create(address)
}

fn found(text: &str, place: &Place) -> Result<FoundCard, CardSourceError> {
    match find_card(text.as_bytes(), &place.keystore)? {
        CardsFound::Card(found) => Ok(*found),
        CardsFound::Revocation(_) | CardsFound::Group(_) => panic!("no card"),
    }
}

fn compared(text: &str, place: &Place) -> OfferedCard {
    let found = found(text, place).unwrap();
    OfferedCard::compare(found, &place.keystore, now()).unwrap()
}

#[test]
fn of_several_cards_mine_does_not_count() {
    let place = Place::new();
    let mine = place.create("alice@example.org");
    let (bob, carol) = (card("bob@example.org"), card("carol@example.org"));
    let text = |cards: &[&Card]| {
        let cards: Vec<_> = cards.iter().map(|card| card.to_wrapped_text()).collect();
        format!("Here:\n\n{}\n", cards.join("\n\n"))
    };
    let one = found(&text(&[&mine, &bob]), &place).unwrap();
    assert_eq!(one.card.id(), bob.id());
    assert_eq!(found(&text(&[&mine]), &place).unwrap().card.id(), mine.id());
    let error = found(&text(&[&bob, &mine, &carol]), &place).map(drop);
    let Err(CardSourceError::Several { first, second }) = error else {
        panic!("one card");
    };
    assert_eq!((first.id, second.id), (bob.id(), carol.id()));
    let error = found("nothing here\n", &place).map(drop).unwrap_err();
    assert!(matches!(error, CardSourceError::NoCard), "{error}");
}

#[test]
fn a_message_brings_its_senders_card_only() {
    let place = Place::new();
    let bob = card("bob@example.org").to_wrapped_text();
    let message = |from: &str| format!("From: {from}\nDate: today\n\n{bob}\n");
    found(&message("Bob <BOB@example.org>"), &place).unwrap();
    let error = found(&message("eve@example.org"), &place).map(drop);
    let Err(CardSourceError::OtherSender { from, card }) = error else {
        panic!("taken");
    };
    assert_eq!(
        (&*from, &*card.addresses[0]),
        ("eve@example.org", "bob@example.org")
    );
    let error = found(&message("a@example.org, b@example.org"), &place).map(drop);
    let error = error.unwrap_err();
    let people = matches!(error, CardSourceError::Sender(SenderError::People(2)));
    assert!(people, "{error}");
}

#[test]
fn a_new_card_is_accepted_once() {
    let place = Place::new();
    let bob = card("bob@example.org");
    let offered = compared(bob.to_text(), &place);
    assert!(!offered.is_known() && offered.lookalikes().is_empty());
    let accepted = offered.accept(&place.keystore, now()).unwrap();
    assert_eq!(accepted.outcome, AcceptOutcome::New);
    assert_eq!(Trust::from(accepted.trust), Trust::Unverified);
    let offered = compared(bob.to_text(), &place);
    assert!(offered.is_known());
    let accepted = offered.accept(&place.keystore, now()).unwrap();
    assert_eq!(accepted.outcome, AcceptOutcome::Known);
}

#[test]
fn a_lookalike_is_reported_before_the_card_is_accepted() {
    let place = Place::new();
    let alice = card("alice@example.org");
    compared(alice.to_text(), &place)
        .accept(&place.keystore, now())
        .unwrap();
    let other = card("\u{430}lice@example.org");
    let offered = compared(other.to_text(), &place);
    let known = offered.lookalikes().iter().map(|one| &*one.known);
    assert_eq!(known.collect::<Vec<_>>(), ["Alice", "alice@example.org"]);
}

#[test]
fn another_key_for_a_known_address_marks_the_contact_as_changed() {
    let place = Place::new();
    let (bob, other) = (card("bob@example.org"), card("bob@example.org"));
    compared(bob.to_text(), &place)
        .accept(&place.keystore, now())
        .unwrap();
    let refused = compared(other.to_text(), &place).accept(&place.keystore, now());
    let Err(AcceptError::Conflict(conflict)) = refused else {
        panic!("accepted");
    };
    assert_eq!((conflict.known, conflict.offered), (bob.id(), other.id()));
    assert_eq!(conflict.changed.unwrap().id, bob.id());
}

#[test]
fn an_invitation_is_answered_once_and_only_by_an_accepted_card() {
    let place = Place::new();
    let me = place.create("alice@example.org").id();
    let invite = |address: &str| {
        let keystore = &place.keystore;
        keystore.invite(address, me, now(), &mut rng()).unwrap()
    };
    let token = invite("bob@example.org");
    let answer = |card: &Card| format!("{}\n{}\n", token.to_answer(), card.to_wrapped_text());
    let (bob, eve) = (card("bob@example.org"), card("eve@example.org"));
    let matched = |offered: &OfferedCard| offered.reply().unwrap().matched().clone();

    let by_eve = compared(&answer(&eve), &place);
    assert!(matches!(matched(&by_eve), InvitationMatch::OtherAddress(_)));
    let by_bob = compared(&answer(&bob), &place);
    assert!(matches!(matched(&by_bob), InvitationMatch::Answers(_)));
    // Comparing records nothing.
    let by_bob = compared(&answer(&bob), &place);
    assert!(matches!(matched(&by_bob), InvitationMatch::Answers(_)));
    let accepted = by_bob.accept(&place.keystore, now()).unwrap();
    let reply = accepted.reply.unwrap();
    assert!(matches!(reply.matched(), InvitationMatch::Answers(_)));

    let by_bob = compared(&answer(&bob), &place);
    assert!(matches!(
        matched(&by_bob),
        InvitationMatch::AnsweredBefore(..)
    ));
    let by_eve = compared(&answer(&eve), &place);
    let reply = by_eve.reply().unwrap();
    assert_eq!(reply.matched().spent_by(), Some(bob.id()));
    let (unknown, received) = (Place::new(), Place::new());
    let offered = compared(&answer(&bob), &unknown);
    assert_eq!(matched(&offered), InvitationMatch::Unknown);
    let text = format!("{}\n{}\n", token.to_invitation(), bob.to_wrapped_text());
    let offered = compared(&text, &received);
    assert_eq!(matched(&offered), InvitationMatch::Received);
}
