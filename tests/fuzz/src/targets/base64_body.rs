//! Encoded bodies: any bytes, whole and in small pieces, and any content in base64 of any width with a footer behind.

use encl::mail::{Decoder, Encoding};

/// One input.
pub fn run(input: &[u8]) {
    for encoding in [Encoding::Base64, Encoding::QuotedPrintable] {
        let whole = decoded(encoding, input, input.len().max(1));
        assert_eq!(whole, decoded(encoding, input, 1 + input.len() % 7));
        assert!(whole.0.len() as u64 + whole.1 <= input.len() as u64);
    }
    let Some((columns, content)) = input.split_first() else {
        return;
    };
    let text = encl::json::to_b64(content);
    let mut body: Vec<u8> = Vec::new();
    for line in text.as_bytes().chunks(1 + usize::from(*columns)) {
        body.extend_from_slice(line);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"\r\n-- \r\nlist");
    let found = decoded(Encoding::Base64, &body, 1 + usize::from(*columns));
    assert_eq!(found, (content.to_vec(), 9));
}

fn decoded(encoding: Encoding, body: &[u8], piece: usize) -> (Vec<u8>, u64) {
    let (mut decoder, mut out) = (Decoder::new(encoding), Vec::new());
    for piece in body.chunks(piece) {
        decoder.push(piece, &mut out);
    }
    decoder.finish(&mut out);
    (out, decoder.trailing_bytes())
}
