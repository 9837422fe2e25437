//! Steps 1 and 2: faults that are refused before any JSON is read.

use encl::json::to_b64;

use super::case::Case;
use super::edits::{Parts, content, edited, loosened};
use super::forge::plain;

pub(super) fn cases() -> Vec<Case> {
    [line_1(), cuts(), line_ends(), line_4()]
        .into_iter()
        .flatten()
        .collect()
}

fn refused(name: &str, class: &str, comment: &str, bytes: impl Into<Vec<u8>>) -> Case {
    Case::envelope(name, comment, bytes).refused(class)
}

fn line_1() -> Vec<Case> {
    let good = plain().honest(b"hello");
    let behind = |line: &[u8]| [line, &good[7..]].concat();
    let utf_16: Vec<u8> = good.iter().flat_map(|byte| [*byte, 0]).collect();
    vec![
        refused("empty", "not-an-envelope", "no byte at all", ""),
        refused(
            "not_an_envelope_text",
            "not-an-envelope",
            "a text",
            "Dear Bob,\n",
        ),
        refused(
            "not_an_envelope_age",
            "not-an-envelope",
            "an age file",
            "age-encryption.org/v1\n-> X25519 ",
        ),
        refused(
            "not_an_envelope_pgp",
            "not-an-envelope",
            "armor of something else",
            "-----BEGIN PGP MESSAGE-----\n\nhQEM\n",
        ),
        refused(
            "not_an_envelope_dashes",
            "not-an-envelope",
            "five dashes are too few to tell",
            "-----",
        ),
        refused(
            "not_an_envelope_upper_case",
            "not-an-envelope",
            "ENCL/1 on line 1",
            behind(b"ENCL/1\n"),
        ),
        refused(
            "not_an_envelope_space_in_front",
            "not-an-envelope",
            "a space before line 1",
            [b" ", &good[..]].concat(),
        ),
        refused(
            "not_an_envelope_line_feed_in_front",
            "not-an-envelope",
            "a line feed before line 1",
            [b"\n", &good[..]].concat(),
        ),
        refused(
            "not_an_envelope_space_behind",
            "not-an-envelope",
            "a space behind the version",
            behind(b"encl/1 \n"),
        ),
        refused(
            "not_an_envelope_no_digit",
            "not-an-envelope",
            "encl/ and no digit",
            behind(b"encl/x\n"),
        ),
        refused("version_2", "newer", "encl/2", behind(b"encl/2\n")),
        refused("version_10", "newer", "encl/10", behind(b"encl/10\n")),
        refused(
            "version_01",
            "newer",
            "encl/01, which no version was ever written as",
            behind(b"encl/01\n"),
        ),
        refused(
            "byte_order_mark_utf_8",
            "mangled",
            "EF BB BF in front",
            [b"\xef\xbb\xbf", &good[..]].concat(),
        ),
        refused(
            "utf_16_little_endian",
            "mangled",
            "FF FE, then 16 bits for each byte",
            [b"\xff\xfe", &utf_16[..]].concat(),
        ),
        refused(
            "utf_16_big_endian",
            "mangled",
            "FE FF, then 16 bits for each byte",
            [b"\xfe\xff\0", &utf_16[..utf_16.len() - 1]].concat(),
        ),
    ]
}

/// Envelopes cut at each border of the structure. An envelope that is cut inside a chunk has a wrong tag: see `payloads.rs`.
fn cuts() -> Vec<Case> {
    let content = content(16_500);
    let whole = plain().honest(&content);
    let parts = Parts::of(&whole);
    let h = parts.head().len();
    let (access, mac) = (7 + parts.policy.len() + 1, h - 45);
    let cut =
        |name: &str, at: usize, comment: &str| refused(name, "truncated", comment, &whole[..at]);
    vec![
        cut("cut_in_line_1", 3, "enc"),
        cut("cut_before_line_feed_of_line_1", 6, "encl/1"),
        cut("cut_behind_line_1", 7, "line 1 and nothing else"),
        cut("cut_in_line_2", 100, "in the policy"),
        cut(
            "cut_before_line_feed_of_line_2",
            access - 1,
            "the policy is whole, its line feed is not there",
        ),
        cut("cut_behind_line_2", access, "no line 3"),
        cut("cut_in_line_3", access + 20, "in the access line"),
        cut("cut_behind_line_3", mac, "no line 4"),
        cut("cut_in_line_4", mac + 20, "in the mac"),
        cut(
            "cut_before_line_feed_of_line_4",
            h - 1,
            "the mac is whole, its line feed is not there",
        ),
        cut("cut_behind_line_4", h, "no payload"),
        cut("cut_in_salt", h + 23, "a byte of the salt is missing"),
        cut(
            "cut_in_commitment",
            h + 55,
            "a byte of the commitment is missing",
        ),
        cut("cut_behind_commitment", h + 56, "no chunk"),
        cut(
            "cut_in_first_tag",
            h + 56 + 15,
            "15 bytes of chunk 0: fewer than a tag",
        ),
        cut(
            "cut_at_chunk_border",
            h + 56 + 16_400,
            "chunk 0 is whole, chunk 1 is missing",
        )
        .refused_after("truncated", &content[..16_381]),
        cut(
            "cut_in_last_chunk_below_a_tag",
            h + 56 + 16_400 + 15,
            "15 bytes of chunk 1: fewer than a tag",
        )
        .refused_after("truncated", &content[..16_381]),
    ]
}

fn line_ends() -> Vec<Case> {
    let good = plain().honest(b"hello");
    let parts = Parts::of(&good);
    let crlf: Vec<u8> = good
        .iter()
        .flat_map(|byte| {
            if *byte == b'\n' {
                vec![b'\r', b'\n']
            } else {
                vec![*byte]
            }
        })
        .collect();
    let with_cr = |line: &[u8]| [line, b"\r"].concat();
    vec![
        refused("crlf_throughout", "mangled", "each LF became CR LF", crlf),
        refused(
            "crlf_in_line_2",
            "mangled",
            "line 2 alone ends in CR LF",
            parts.with_policy(with_cr(&parts.policy)),
        ),
        refused(
            "crlf_in_line_3",
            "mangled",
            "line 3 alone ends in CR LF",
            parts.with_access(with_cr(&parts.access)),
        ),
        refused(
            "crlf_in_line_4",
            "malformed",
            "line 4 alone ends in CR LF: 45 bytes before its LF",
            parts.with_mac(with_cr(&parts.mac)),
        ),
        refused(
            "cr_inside_line_2",
            "mangled",
            "a CR between two members",
            parts.with_policy(edited(&parts.policy, ",", ",\r")),
        ),
        refused(
            "cr_in_line_3_before_json_of_line_2",
            "mangled",
            "line 2 is no JSON, but line 3 is read as a line first",
            {
                let parts = Parts {
                    policy: b"{".to_vec(),
                    ..parts.clone()
                };
                parts.with_access(with_cr(&parts.access))
            },
        ),
        refused(
            "cut_before_json",
            "truncated",
            "line 2 is no JSON, but the lines come first",
            b"encl/1\n{\n{}\n",
        ),
    ]
}

fn line_4() -> Vec<Case> {
    let good = plain().honest(b"hello");
    let parts = Parts::of(&good);
    let mac = String::from_utf8(parts.mac.clone()).unwrap();
    let with = |mac: &str| parts.with_mac(mac);
    let newer = edited(&parts.policy, "{", "{\"x\":1,");
    vec![
        refused(
            "line_4_short",
            "malformed",
            "43 characters",
            with(&mac[1..]),
        ),
        refused(
            "line_4_long",
            "malformed",
            "45 characters",
            with(&format!("A{mac}")),
        ),
        refused(
            "line_4_without_end",
            "malformed",
            "no LF within 45 bytes",
            with(&mac.repeat(3)),
        ),
        refused("line_4_empty", "malformed", "an empty line", with("")),
        refused(
            "line_4_not_base64",
            "malformed",
            "44 characters, one of them none of base64's",
            with(&mac.replacen(&mac[..1], "!", 1)),
        ),
        refused(
            "line_4_not_canonical",
            "malformed",
            "a bit too many in the last character",
            with(&loosened(&mac)),
        ),
        refused(
            "line_4_of_33_bytes",
            "malformed",
            "44 characters without padding are 33 bytes",
            with(&to_b64(&[7; 33])),
        ),
        refused(
            "line_4_length_before_json",
            "malformed",
            "its length counts before line 2, which is newer",
            {
                Parts {
                    policy: newer.clone(),
                    ..parts.clone()
                }
                .with_mac(&mac.as_bytes()[1..])
            },
        ),
        refused(
            "line_4_base64_behind_json",
            "newer",
            "its base64 counts after line 2, which is newer",
            {
                Parts {
                    policy: newer,
                    ..parts.clone()
                }
                .with_mac(loosened(&mac))
            },
        ),
    ]
}
