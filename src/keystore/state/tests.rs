use std::fs;

use super::super::trust::tests::{Scene, folder_write, verified};
use super::super::trust::{Trust, authenticated_bytes};
use super::*;

const BLOCKED: &str = "blocked";
use crate::crypto::Secret;
use crate::json;

/// What an earlier version left: its decisions about two keystores, and a file that only has a MAC.
struct Earlier {
    scene: Scene,
    key: Secret<32>,
}

impl Earlier {
    fn new() -> Self {
        let scene = Scene::new();
        fs::remove_dir_all(scene.state()).unwrap();
        let key = Secret::new([5; 32]);
        for folder in [scene.state(), scene.state().join("trust")] {
            crate::keystore::folder::make_folder(&folder).unwrap();
        }
        let line = json::to_b64(key.expose()) + "\n";
        folder_write(&scene.state().join("key"), line.as_bytes());
        Self { scene, key }
    }

    fn decided(&self, place: u8, decisions: &str) {
        let name = RootId([place; 32]).to_string();
        let text = format!("encl-trust/1\n{decisions}\n");
        folder_write(
            &self.scene.state().join("trust").join(name),
            text.as_bytes(),
        );
    }

    /// Puts a verification with its MAC into the contact's file.
    fn leave_mac(&self, key: &Secret<32>) {
        let mac = kdf::trust_mac(key, &authenticated_bytes(&self.scene.id(), &verified()));
        let text = fs::read_to_string(self.scene.file()).unwrap();
        let trust = format!(
            "\"trust\":\"verified\",\"since\":\"2026-11-24T02:00:00Z\",\"compared\":\"code\",\"by\":\"{}\",\"mac\":\"{}\"",
            json::to_b64(&[7; 32]),
            json::to_b64(&mac)
        );
        let text = text.replace("\"trust\":\"unverified\"", &trust);
        folder_write(&self.scene.file(), text.as_bytes());
    }
}

#[test]
fn decisions_of_an_earlier_version_are_moved_and_the_graver_wins() {
    let verified_line = |id: &RootId| {
        format!(
            "{id} verified 2026-11-24T02:00:00Z code {}",
            RootId([7; 32])
        )
    };
    type Case = (&'static [&'static str], &'static str);
    let cases: [Case; 6] = [
        (&["verified"], "verified"),
        (&["verified", "blocked"], "blocked"),
        (&["blocked", "verified"], "blocked"),
        (&["verified", "unverified"], "unverified"),
        (&["unverified", "verified"], "unverified"),
        (&["revoked", "blocked"], "revoked"),
    ];
    for (words, expected) in cases {
        let earlier = Earlier::new();
        let id = earlier.scene.id();
        for (place, word) in (1..).zip(words) {
            let line = match *word {
                "verified" => verified_line(&id),
                "unverified" => format!("{id} unverified"),
                word => format!("{id} {word} 2026-11-24T03:00:00Z"),
            };
            earlier.decided(place, &line);
        }
        assert_eq!(earlier.scene.trust().word(), expected, "{words:?}");
        assert!(!earlier.scene.state().join("trust").exists());
        assert_eq!(
            earlier.scene.trust().word(),
            expected,
            "{words:?}, once more"
        );
    }
}

#[test]
fn a_kill_while_decisions_are_moved_loses_none() {
    let earlier = Earlier::new();
    let id = earlier.scene.id();
    earlier.decided(1, &format!("{id} blocked 2026-11-24T03:00:00Z"));
    let trust = earlier.scene.state().join("trust");
    let before = fs::read(trust.join(RootId([1; 32]).to_string())).unwrap();
    assert_eq!(earlier.scene.trust().word(), BLOCKED);
    // Everything was written, and the old folder is still there.
    crate::keystore::folder::make_folder(&trust).unwrap();
    folder_write(&trust.join(RootId([1; 32]).to_string()), &before);
    assert_eq!(earlier.scene.trust().word(), BLOCKED);
    // Nothing was written yet.
    fs::remove_dir_all(earlier.scene.state().join("people")).unwrap();
    crate::keystore::folder::make_folder(&trust).unwrap();
    folder_write(&trust.join(RootId([1; 32]).to_string()), &before);
    assert_eq!(earlier.scene.trust().word(), BLOCKED);
}

#[test]
fn a_mac_of_an_earlier_version_counts_once_and_only_if_it_is_right() {
    for (key, expected) in [
        (None, "verified"),
        (Some(Secret::new([6; 32])), "unverified"),
    ] {
        let earlier = Earlier::new();
        earlier.decided(1, &format!("{} unverified", RootId([3; 32])));
        earlier.leave_mac(key.as_ref().unwrap_or(&earlier.key));
        assert_eq!(earlier.scene.trust().word(), expected);
        // From now on a MAC says nothing.
        let file = fs::read(earlier.scene.file()).unwrap();
        earlier
            .scene
            .keystore
            .remove_contact(&earlier.scene.id())
            .unwrap();
        folder_write(&earlier.scene.file(), &file);
        assert_eq!(earlier.scene.trust(), Trust::Unproven);
    }
}
