//! Conditions at their edges. They are checked after the mac, so that an outsider cannot fake an expiry.

use encl::envelope::Class;

use crate::kit::{Forge, Keys, Parts, Person, open_at, request, sealed, time};

#[test]
fn an_envelope_opens_from_not_before_until_just_before_expires() {
    let bob = Person::classic("Bob");
    let mut request = request(&[&bob], None);
    request.conditions.not_before = Some(time("2026-01-01T00:00:00Z"));
    request.conditions.expires = Some(time("2026-02-01T00:00:00Z"));
    let envelope = sealed(&request, b"x");
    for (now, class) in [
        ("2025-12-31T23:59:59Z", Some(Class::Refused)),
        ("2026-01-01T00:00:00Z", None),
        ("2026-01-31T23:59:59Z", None),
        ("2026-02-01T00:00:00Z", Some(Class::Refused)),
    ] {
        let outcome = open_at(&envelope, &mut Keys::of(&[&bob]), now);
        assert_eq!(outcome.class, class, "{now}");
        assert_eq!(outcome.released.is_empty(), class.is_some(), "{now}");
    }
    // With a wrong mac, the dates are not the author's.
    let mut parts = Parts::of(&envelope);
    parts.access.push(' ');
    let outcome = open_at(
        &parts.bytes(),
        &mut Keys::of(&[&bob]),
        "2030-01-01T00:00:00Z",
    );
    assert_eq!(outcome.class, Some(Class::Header));
}

#[test]
fn an_envelope_that_can_never_be_opened_is_refused_and_not_malformed() {
    let bob = Person::classic("Bob");
    let dates = r#""not_before":"2027-01-01T00:00:00Z","expires":"2026-01-01T00:00:00Z","#;
    let forge = Forge::new(&[&bob], dates);
    let envelope = forge.envelope(&forge.slots(&[&bob]), b"{}\nx");
    let outcome = open_at(&envelope, &mut Keys::of(&[&bob]), "2026-06-01T00:00:00Z");
    assert_eq!(outcome.class, Some(Class::Refused));
}
