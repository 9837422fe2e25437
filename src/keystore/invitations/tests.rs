use std::fs;
use std::os::unix::fs::PermissionsExt;

use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;

use super::super::tests::{keystore, now, person};
use super::*;

fn after(days: u64) -> Time {
    Time::from_unix(now().unix() + days * 86_400).unwrap()
}

fn invite(keystore: &Keystore, address: &str) -> (InvitationToken, RootId) {
    let from = person("alice@example.org").1.id();
    let token = keystore.invite(address, from, now(), &mut UnwrapErr(SysRng));
    (token.unwrap(), from)
}

#[test]
fn an_invitation_is_answered_once() {
    let (_folder, keystore) = keystore();
    let (token, from) = invite(&keystore, "bob@example.org");
    let (bob, eve) = (
        person("bob@example.org").1.id(),
        person("eve@example.org").1.id(),
    );
    let open = Invitation {
        address: "bob@example.org".into(),
        from,
        made: now(),
        answered: None,
    };
    assert_eq!(keystore.invitation(&token).unwrap(), Some(open.clone()));
    let answer = |by, time| keystore.answer_invitation(&token, by, time).unwrap();
    assert_eq!(answer(bob, after(1)), InvitationState::Open);
    let answered = Answered {
        by: bob,
        at: after(1),
    };
    assert_eq!(answer(eve, after(2)), InvitationState::Answered(answered));
    let spent = Invitation {
        answered: Some(answered),
        ..open
    };
    assert_eq!(keystore.invitation(&token).unwrap(), Some(spent));
}

#[test]
fn two_invitations_for_one_address_both_stand() {
    let (_folder, keystore) = keystore();
    let (one, _) = invite(&keystore, "bob@example.org");
    let (other, _) = invite(&keystore, "bob@example.org");
    assert_ne!(one, other);
    let bob = person("bob@example.org").1.id();
    for token in [&one, &other] {
        let state = keystore.answer_invitation(token, bob, now()).unwrap();
        assert_eq!(state, InvitationState::Open);
    }
}

#[test]
fn an_old_invitation_does_not_count_and_is_left_as_it_is() {
    let (_folder, keystore) = keystore();
    let (token, _) = invite(&keystore, "bob@example.org");
    let bob = person("bob@example.org").1.id();
    let invitation = keystore.invitation(&token).unwrap().unwrap();
    assert_eq!(invitation.state(after(90)), InvitationState::Open);
    let early = Time::from_unix(0).unwrap();
    assert_eq!(invitation.state(early), InvitationState::Open);
    let state = keystore.answer_invitation(&token, bob, after(91)).unwrap();
    assert_eq!(state, InvitationState::Old);
    assert_eq!(keystore.invitation(&token).unwrap(), Some(invitation));
}

#[test]
fn a_forged_token_is_unknown() {
    let (_folder, keystore) = keystore();
    let forged = InvitationToken::random(&mut UnwrapErr(SysRng));
    assert_eq!(keystore.invitation(&forged).unwrap(), None);
    assert!(!keystore.root().exists(), "reading makes nothing");
    invite(&keystore, "bob@example.org");
    assert_eq!(keystore.invitation(&forged).unwrap(), None);
    let bob = person("bob@example.org").1.id();
    let answered = keystore.answer_invitation(&forged, bob, now());
    assert!(matches!(
        answered,
        Err(KeystoreError::Unknown("invitation"))
    ));
}

#[test]
fn its_file_is_private_and_does_not_hold_the_token() {
    let (_folder, keystore) = keystore();
    let (token, _) = invite(&keystore, "bob@example.org");
    let path = keystore.invitation_path(&super::place(&token));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    let secret = token.to_invitation().split_off("encl-invitation1:".len());
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains(&secret[..20]) && !path.to_string_lossy().contains(&secret[..20]));
}

#[test]
fn a_damaged_file_is_told() {
    let (_folder, keystore) = keystore();
    let (token, _) = invite(&keystore, "bob@example.org");
    let path = keystore.invitation_path(&super::place(&token));
    let whole = fs::read_to_string(&path).unwrap();
    for text in [
        "",
        "{}\n",
        &whole[..whole.len() / 2],
        &whole.replace("\"made\"", "\"answered\""),
        &whole.replace('}', ",\"answered\":\"2026-11-24T06:24:00Z\"}"),
        &"x".repeat(5 << 10),
    ] {
        fs::write(&path, text).unwrap();
        let read = keystore.invitation(&token);
        assert!(matches!(read, Err(KeystoreError::Damaged { .. })), "{text}");
    }
}
