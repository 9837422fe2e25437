//! What a verification is for, and what becomes of it.

use super::*;
use crate::address::Address;

#[test]
fn a_later_name_is_not_the_verified_one() {
    let scene = Scene::new();
    scene.verify().unwrap();
    scene.add(&card(&scene.bob, "Carol CEO", 2)).unwrap();
    let known = |scene: &Scene| {
        let contact = scene.keystore.contact(&scene.id()).unwrap().unwrap();
        let known = contact.known_as();
        (known.name, known.claimed_name)
    };
    let claimed = Some("Carol CEO".to_owned());
    assert_eq!(known(&scene), ("Bob".to_owned(), claimed));
    assert_eq!(
        scene.keystore.verified_for_name("BOB").unwrap(),
        [scene.id()]
    );
    assert_eq!(scene.keystore.verified_for_name("Carol CEO").unwrap(), []);
    let verified_as = on_card(&scene.keystore, &scene.id());
    scene
        .keystore
        .verify_names(&scene.id(), &verified_as)
        .unwrap();
    assert_eq!(known(&scene), ("Carol CEO".to_owned(), None));
    assert_eq!(scene.keystore.verified_for_name("bob").unwrap(), []);
    // Whoever is removed is remembered for nothing.
    scene.keystore.remove_contact(&scene.id()).unwrap();
    let address = Address::new("bob@example.org");
    assert_eq!(scene.keystore.verified_for_address(&address).unwrap(), []);
    assert_eq!(scene.keystore.verified_for_name("carol ceo").unwrap(), []);
}

#[test]
fn a_verified_address_stays_with_the_one_who_is_gone() {
    let scene = Scene::new();
    scene.verify().unwrap();
    fs::remove_file(
        scene
            .keystore
            .root()
            .join("contacts")
            .join(scene.id().to_string()),
    )
    .unwrap();
    let other = card(&identity(), "Bob", 1);
    assert!(matches!(
        scene.add(&other),
        Err(KeystoreError::KeyChanged { known, .. }) if known == scene.id()
    ));
    // The user can forget about it.
    scene.keystore.remove_contact(&scene.id()).unwrap();
    scene.add(&other).unwrap();
}

#[test]
fn an_older_card_of_a_verified_contact_is_none_of_theirs() {
    let scene = Scene::new();
    scene.verify().unwrap();
    let before = fs::read(scene.file()).unwrap();
    scene.add(&card(&scene.bob, "Bob", 2)).unwrap();
    assert_eq!(scene.trust().word(), "verified");
    folder_write(&scene.file(), &before);
    assert!(matches!(
        scene.trust(),
        Trust::Older {
            serial: 1,
            known: 2
        }
    ));
    // The newest card ends it, and so does a comparison.
    scene.add(&card(&scene.bob, "Bob", 2)).unwrap();
    assert_eq!(scene.trust().word(), "verified");
    folder_write(&scene.file(), &before);
    scene.verify().unwrap();
    assert_eq!(scene.trust().word(), "verified");
}
