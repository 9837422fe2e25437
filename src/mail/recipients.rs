//! Which header fields name the people that a message goes to.

use std::collections::HashSet;

use super::header::{Field, Header};

const RESENT: &str = "Resent-";

/// The fields that name readers: To and Cc; of a message that was sent on, those of its topmost Resent block instead
/// (RFC 5322 §3.6.6: the last one to send it on stands first). Behind a line of doubt ([`Header::doubtful_line`]) nobody is named,
/// as in the header outside and for the mail system.
#[must_use]
pub fn visible(header: &Header) -> Vec<Field<'_>> {
    let resent = resent_block(header);
    let (fields, to, cc) = if resent.is_empty() {
        (header.certain_fields().collect(), "To", "Cc")
    } else {
        (resent, "Resent-To", "Resent-Cc")
    };
    let names_readers = |field: &Field<'_>| {
        [to, cc]
            .iter()
            .any(|name| field.name.eq_ignore_ascii_case(name))
    };
    fields.into_iter().filter(names_readers).collect()
}

/// The fields that name readers whom the others must not see. Empty ones have no recipients.
#[must_use]
pub fn blind(header: &Header) -> Vec<Field<'_>> {
    let names_blind = |field: &Field<'_>| {
        ["Bcc", "Resent-Bcc"]
            .iter()
            .any(|name| field.name.eq_ignore_ascii_case(name))
            && !field.unfolded().is_empty()
    };
    header.fields().filter(names_blind).collect()
}

/// Those of them that name readers of this sending: of a message that was sent on, those of its topmost Resent block.
#[must_use]
pub fn blind_readers(header: &Header) -> Vec<Field<'_>> {
    let resent = resent_block(header);
    let (fields, bcc) = if resent.is_empty() {
        (header.certain_fields().collect(), "Bcc")
    } else {
        (resent, "Resent-Bcc")
    };
    let names_readers = |field: &Field<'_>| field.name.eq_ignore_ascii_case(bcc);
    fields.into_iter().filter(names_readers).collect()
}

/// The header block without any Bcc field, byte for byte otherwise.
#[must_use]
pub fn without_blind(header: &Header) -> Vec<u8> {
    let bytes = header.bytes();
    let mut rest = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for field in blind(header) {
        let begin = field.raw.as_ptr().addr() - bytes.as_ptr().addr();
        rest.extend_from_slice(&bytes[at..begin]);
        at = begin + field.raw.len();
    }
    rest.extend_from_slice(&bytes[at..]);
    rest
}

/// The topmost block of Resent fields: it ends where another field comes, or one of the same name again. A field of an older
/// block must not bring a reader back.
fn resent_block(header: &Header) -> Vec<Field<'_>> {
    let is_resent = |field: &Field<'_>| {
        let prefix = field.name.get(..RESENT.len());
        prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(RESENT))
    };
    let mut seen = HashSet::new();
    header
        .certain_fields()
        .skip_while(|field| !is_resent(field))
        .take_while(|field| is_resent(field) && seen.insert(field.name.to_ascii_lowercase()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Header {
        Header::read(&mut text.as_bytes()).unwrap()
    }

    fn names(fields: &[Field<'_>]) -> Vec<String> {
        fields.iter().map(Field::text).collect()
    }

    #[test]
    fn to_and_cc_name_the_readers() {
        let header = header("From: a\nTo: bob\ncc: carol\nTO: dave\nBcc: eve\n\n");
        assert_eq!(names(&visible(&header)), ["bob", "carol", "dave"]);
        assert_eq!(names(&blind(&header)), ["eve"]);
    }

    #[test]
    fn the_last_one_to_send_it_on_decides() {
        let header = header(
            "Resent-Date: 2\nResent-From: y\nResent-To: last\nReceived: x\nResent-Date: 1\n\
             Resent-To: first\nTo: bob\n\n",
        );
        assert_eq!(names(&visible(&header)), ["last"]);
    }

    #[test]
    fn an_older_sending_on_brings_nobody_back() {
        let header = header(
            "Received: z\nResent-From: y\nResent-To: last\nResent-Bcc: now\nReceived: x\nResent-Cc: older\n\
             Resent-Bcc: then\nTo: bob\nBcc: first\n\n",
        );
        assert_eq!(names(&visible(&header)), ["last"]);
        assert_eq!(names(&blind_readers(&header)), ["now"]);
        assert_eq!(names(&blind(&header)), ["now", "then", "first"]);
    }

    #[test]
    fn blind_fields_are_cut_out_whole() {
        let header = header("To: bob\nBcc: eve,\n mallory\nbcc : x\nBcc:\nSubject: s\n\n");
        assert_eq!(without_blind(&header), b"To: bob\nBcc:\nSubject: s\n\n");
    }
}
