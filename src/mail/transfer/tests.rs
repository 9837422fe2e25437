use ::base64::Engine;
use ::base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;

/// The decoded content and the number of trailing bytes. Checks that pieces of every size give the same.
fn decoded(encoding: Encoding, body: &[u8]) -> (Vec<u8>, u64) {
    let pushed = |piece: usize| {
        let (mut decoder, mut out) = (Decoder::new(encoding), Vec::new());
        body.chunks(piece)
            .for_each(|piece| decoder.push(piece, &mut out));
        decoder.finish(&mut out);
        (out, decoder.trailing_bytes())
    };
    let whole = pushed(body.len().max(1));
    for piece in [1, 2, 3, 7, 4_095, 4_096] {
        assert!(pushed(piece) == whole, "in pieces of {piece}");
    }
    let (mut reader, mut out) = (Decoded::new(body, encoding), Vec::new());
    reader.read_to_end(&mut out).unwrap();
    assert!((out, reader.trailing_bytes()) == whole);
    whole
}

fn base64(body: &str) -> (String, u64) {
    let (bytes, trailing) = decoded(Encoding::Base64, body.as_bytes());
    (String::from_utf8_lossy(&bytes).into_owned(), trailing)
}

fn quoted(body: &[u8]) -> Vec<u8> {
    decoded(Encoding::QuotedPrintable, body).0
}

fn wrapped(text: &str, columns: usize, line_end: &str) -> String {
    let lines = text.as_bytes().chunks(columns);
    let lines = lines.map(|line| String::from_utf8(line.to_vec()).unwrap() + line_end);
    lines.collect()
}

#[test]
fn base64_ends_where_its_content_ends() {
    for (body, content, trailing) in [
        ("", "", 0),
        ("\r\n \n", "", 0),
        ("QUJD", "ABC", 0),
        ("\n \r\nQUJD\n", "ABC", 0),
        ("Q\nUJ \nD\t\r\n", "ABC", 0),
        ("QUJD\nREVG\n\n", "ABCDEF", 0),
        ("QUJD\n\nREVG\n", "ABC", 4),
        ("QUJD\n \t\r\n-- \nlist\n", "ABC", 8),
        ("QUJD\nfoot er\nREVG", "ABC", 12),
        ("QUJD\n____\n", "ABC", 4),
        ("QUI=", "AB", 0),
        ("QQ==\nfooter", "A", 6),
        ("QQ==footer", "A", 6),
        ("QQ=", "A", 0),
        ("QQ\n==", "A", 0),
        ("QQ=\r\n=\r\nfooter", "A", 6),
        ("QQ= =\n=", "A", 1),
        ("QQ=\nfooter\n=", "A", 8),
        ("QQ", "A", 0),
        ("QUI", "AB", 0),
        ("QUJDQ", "ABC", 1),
        ("QUJD=REVG", "ABC", 4),
        ("QUJD\nQR==", "ABC", 4),
        ("QUJD\nQR", "ABC", 2),
        ("QUJD\nQ===", "ABC", 4),
        ("QUJD\n=\n", "ABC", 0),
        ("QUJD\n===\n", "ABC", 1),
        ("QUJD\n QUJD", "ABC", 4),
        ("QUJD\nREVG\rR0hJ", "ABC", 9),
        ("-QUJD", "", 5),
        ("encl/1\n", "zw%", 2),
    ] {
        let (found, left) = base64(body);
        assert_eq!((found.as_str(), left), (content, trailing), "{body:?}");
    }
}

#[test]
fn one_long_line_is_decoded_up_to_what_is_foreign() {
    let bytes: Vec<u8> = (0..=250).cycle().take(99_999).collect();
    let line = STANDARD.encode(&bytes);
    for (behind, trailing) in [
        ("", 0),
        ("\r\n", 0),
        (" \t \r\n\n", 0),
        ("\n\nfooter", 6),
        ("=footer", 6),
    ] {
        let (found, left) = decoded(Encoding::Base64, format!("{line}{behind}").as_bytes());
        assert!(found == bytes && left == trailing, "{behind:?}");
    }
    for blanks in [1, 4_090, 4_096, 9_000] {
        let text = format!(
            "{}{}{}",
            &line[..80_000],
            " ".repeat(blanks),
            &line[..1_000]
        );
        let (found, left) = decoded(Encoding::Base64, text.as_bytes());
        assert!(found == bytes[..60_000] && left == 1_000, "{blanks}");
        let text = format!(
            "{}{}\n{}",
            &line[..80_000],
            " ".repeat(blanks),
            &line[80_000..]
        );
        assert!(decoded(Encoding::Base64, text.as_bytes()) == (bytes.clone(), 0));
        let text = format!("{}\n{}\nfooter", &line[..80_000], " ".repeat(blanks));
        assert!(decoded(Encoding::Base64, text.as_bytes()) == (bytes[..60_000].to_vec(), 6));
    }
    let text = format!("{}_{}", &line[..79_999], &line[80_000..]);
    let (found, left) = decoded(Encoding::Base64, text.as_bytes());
    // The foreign character cuts a group, and unused bits of that group may be set.
    assert_eq!(found, bytes[..found.len()]);
    assert_eq!(
        (found.len().div_ceil(3) * 4) as u64 + left,
        line.len() as u64 + u64::from(found.len() % 3 == 2)
    );
}

#[test]
fn quoted_printable_has_the_line_ends_of_the_content() {
    for (body, content) in [
        ("", ""),
        ("a\r\nb\n", "a\nb\n"),
        ("a=0D=0Ab", "a\r\nb"),
        ("a=\r\nb=\nc= \t\r\nd=", "abcd"),
        ("a \t\r\n b  ", "a\n b"),
        ("=3d=3D=e9", "==\u{fffd}"),
        ("=4\n=ZZ=  x==41=", "=4\n=ZZ=  x=A"),
        ("a\rb\r\r\n", "a\rb\n"),
        ("=4", "=4"),
    ] {
        let found = String::from_utf8_lossy(&quoted(body.as_bytes())).into_owned();
        assert_eq!(found, content, "{body:?}");
    }
    let blanks = format!("{}x", " ".repeat(5_000));
    assert_eq!(quoted(blanks.as_bytes()), blanks.as_bytes());
}

#[test]
fn a_body_without_encoding_is_unchanged() {
    for encoding in [Encoding::SevenBit, Encoding::Binary, Encoding::Other] {
        assert_eq!(
            decoded(encoding, b"a=3D\r\nQUJD\r"),
            (b"a=3D\r\nQUJD\r".to_vec(), 0)
        );
    }
}

/// Encodes like Python's `quopri`: LF stays a line end, and every other byte that is not plain is encoded.
fn to_quoted(bytes: &[u8], columns: usize, line_end: &str) -> String {
    let (mut out, mut column) = (String::new(), 0);
    for byte in bytes {
        if *byte == b'\n' {
            out.push_str(line_end);
            column = 0;
            continue;
        }
        let plain = byte.is_ascii_graphic() && *byte != b'=';
        let text = if plain {
            char::from(*byte).to_string()
        } else {
            format!("={byte:02X}")
        };
        if column + text.len() > columns {
            out.push('=');
            out.push_str(line_end);
            column = 0;
        }
        column += text.len();
        out.push_str(&text);
    }
    out
}

proptest! {
    #[test]
    fn base64_comes_back_in_any_width(
        bytes: Vec<u8>, columns in 1..200_usize, crlf: bool, blanks in 0..3_usize,
    ) {
        let line_end = format!("{}{}", " ".repeat(blanks), if crlf { "\r\n" } else { "\n" });
        let text = wrapped(&STANDARD.encode(&bytes), columns, &line_end);
        prop_assert_eq!(decoded(Encoding::Base64, text.as_bytes()), (bytes.clone(), 0));
        let text = format!("{text}\r\n-- \r\nfooter\r\n");
        prop_assert_eq!(decoded(Encoding::Base64, text.as_bytes()), (bytes, 11));
    }

    #[test]
    fn quoted_printable_comes_back_in_any_width(bytes: Vec<u8>, columns in 3..100_usize, crlf: bool) {
        let text = to_quoted(&bytes, columns, if crlf { "\r\n" } else { "\n" });
        prop_assert_eq!(quoted(text.as_bytes()), bytes);
    }

    #[test]
    fn any_body_is_decoded_alike_in_any_pieces(bytes: Vec<u8>, text in "[QUJD=\n\r _]{0,60}") {
        for encoding in [Encoding::Base64, Encoding::QuotedPrintable] {
            decoded(encoding, &bytes);
            decoded(encoding, text.as_bytes());
        }
    }
}
