//! Cards: as text, and as a line that its owner signed, so that a mutation gets past the signature.

use crate::{author, now};
use encl::crypto::signing::Purpose;
use encl::identity::Card;

/// One input.
pub fn run(input: &[u8]) {
    let line = input
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let signature = author().sign(Purpose::Card, &[line]);
    for card in [Card::from_text(input), Card::from_parts(line, &signature)] {
        let Ok(card) = card else { continue };
        let _ = card.current_key(now());
        assert!(!card.keys().is_empty() && !card.addresses().is_empty());
        let again = Card::from_text(card.to_text().as_bytes());
        assert!(again.is_ok_and(|again| again == card));
    }
}
