use super::super::header::HEADER_BYTES_MAX;
use super::*;
use proptest::prelude::*;

/// The bodies of the leaves as they passed, and what passed between.
#[derive(Default, PartialEq, Debug)]
struct Bodies {
    leaves: Vec<(String, Vec<u8>)>,
    between: Vec<u8>,
    current: Vec<u8>,
}

impl Visitor for Bodies {
    fn body(&mut self, _: &Part, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        self.current.extend_from_slice(bytes);
    }

    fn leaf_ended(&mut self, part: &Part) {
        let body = std::mem::take(&mut self.current);
        assert_eq!(body.len() as u64, part.body_bytes());
        self.leaves.push((part.number.clone(), body));
    }

    fn outside(&mut self, bytes: &[u8]) {
        assert!(self.current.is_empty());
        self.between.extend_from_slice(bytes);
    }
}

/// Hands out a few bytes at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(buffer.len());
        self.0.read(&mut buffer[..count])
    }
}

fn scanned(message: &[u8], nested: Nested, piece: usize) -> (Structure, Bodies) {
    let mut bodies = Bodies::default();
    let structure = scan(&mut Pieces(message, piece), nested, &mut bodies).unwrap();
    (structure, bodies)
}

/// Scans and checks what is true of every message.
fn checked(message: &[u8], nested: Nested) -> Structure {
    let (structure, bodies) = scanned(message, nested, usize::MAX);
    assert_eq!(structure.bytes, message.len() as u64);
    let parts = &structure.parts;
    assert_eq!((parts[0].start, parts[0].end), (0, structure.bytes));
    assert!(message.starts_with(structure.header.bytes()));
    for (at, part) in parts.iter().enumerate() {
        assert!(part.start <= part.body && part.body <= part.end);
        assert_eq!(part.parent.is_none(), at == 0);
        if let Some(parent) = part.parent {
            let parent = &parts[parent];
            assert!(part.parent < Some(at) && !parent.is_leaf());
            assert!(parent.body <= part.start && part.end <= parent.end);
        }
    }
    let leaves: Vec<_> = parts.iter().filter(|part| part.is_leaf()).collect();
    assert!(leaves.windows(2).all(|pair| pair[0].end <= pair[1].start));
    let place = |at: u64| usize::try_from(at).unwrap();
    let seen = leaves.iter().map(|part| {
        let body = &message[place(part.body)..place(part.end)];
        (part.number.clone(), body.to_vec())
    });
    assert_eq!(bodies.leaves, seen.collect::<Vec<_>>());
    let mut numbers: Vec<_> = leaves.iter().map(|part| &part.number).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), leaves.len());
    structure
}

/// Number, media type and raw text of every leaf.
fn leaves(message: &str) -> Vec<(String, String, String)> {
    let structure = checked(message.as_bytes(), Nested::Leaf);
    let leaves = structure.parts.iter().filter(|part| part.is_leaf());
    leaves
        .map(|part| {
            let place = |at: u64| usize::try_from(at).unwrap();
            let raw = &message[place(part.start)..place(part.end)];
            (part.number.clone(), part.media_type.clone(), raw.to_owned())
        })
        .collect()
}

fn raws(message: &str) -> Vec<String> {
    leaves(message).into_iter().map(|(.., raw)| raw).collect()
}

const HEAD: &str = "Content-Type: multipart/mixed; boundary=b\n\n";

#[test]
fn a_message_without_parts_is_one_leaf() {
    for text in [
        "",
        "\n",
        "Subject: x",
        "Subject: x\n\nbody\n--b\n",
        "no header\nat all\n",
    ] {
        assert_eq!(
            leaves(text),
            [("1".into(), "text/plain".into(), text.into())]
        );
    }
}

#[test]
fn parts_are_numbered_and_bounded_by_lines() {
    let text = "Content-Type: multipart/mixed; boundary=o\r\n\r\npreamble\r\n\
        --o\r\n\r\none\r\n--o  \t\r\nContent-Type: multipart/alternative; boundary=\"i n\"\r\n\r\n\
        --i n\r\nContent-Type: TEXT/html\r\n\r\ntwo\r\n\r\n--i n--\r\nepilogue\r\n--i n\r\n--o\r\n\
        Content-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nz\r\n--o--\r\n--o\r\nepilogue";
    let expected = [
        ("1", "text/plain", "\r\none"),
        ("2.1", "text/html", "Content-Type: TEXT/html\r\n\r\ntwo\r\n"),
        (
            "3",
            "message/rfc822",
            "Content-Type: message/rfc822\r\n\r\nSubject: y\r\n\r\nz",
        ),
    ];
    let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(leaves(text), expected);
    let (structure, bodies) = scanned(text.as_bytes(), Nested::Leaf, 1);
    assert_eq!(structure.line_ends, LineEnds::CrLf);
    let between = "preambleepilogue\r\n--i n--o\r\nepilogue";
    assert_eq!(bodies.between, between.as_bytes());
}

#[test]
fn what_is_no_delimiter_is_text() {
    for line in [
        "--bb", "--", "-", "---b", " --b", "x--b", "--b-", "--b---", "--b x", "--B", "--b\rx",
        "\r--b", "--b\0",
    ] {
        let text = format!("{HEAD}--b\n\n{line}\n--b--\n");
        assert_eq!(raws(&text), [format!("\n{line}")], "{line:?}");
    }
}

#[test]
fn the_innermost_boundary_wins_and_prefixes_are_none() {
    let inner = |boundary: &str| {
        format!(
            "{HEAD}--b\nContent-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n\n1\n"
        )
    };
    let text = format!("{}--b\n\n2\n--b--\n", inner("b1"));
    assert_eq!(raws(&text), ["\n1", "\n2"]);
    // The same boundary twice: the inner one has it until it is closed.
    let text = format!("{}--b\n\n2\n--b--\n--b\n\n3\n--b--\n--b\n", inner("b"));
    assert_eq!(raws(&text), ["\n1", "\n2", "\n3"]);
    // `--b--` closes b, or separates the parts of `b--`, if that is within.
    let text = format!("{}--b--\n\n2\n--b----\n--b\n\n3", inner("b--"));
    assert_eq!(raws(&text), ["\n1", "\n2", "\n3"]);
}

#[test]
fn empty_parts_and_doubled_delimiters() {
    for (text, expected) in [
        ("--b\n--b\n--b--\n", vec![]),
        ("--b\n\n--b--\n", vec![""]),
        ("--b\n\n\n--b--\n", vec!["\n"]),
        (
            "--b\nA: b\n--b\nA: c\n\n--b\n\n--b--",
            vec!["A: b", "A: c\n", ""],
        ),
        ("--b", vec![]),
        ("--b\n", vec![]),
        ("--b\nA: b", vec!["A: b"]),
        ("--b\n\nx\n", vec!["\nx\n"]),
        ("--b--\n--b\n\nx", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(raws(&format!("{HEAD}{text}")), expected, "{text:?}");
    }
}

#[test]
fn a_header_ends_at_a_delimiter_too() {
    let text = format!(
        "{HEAD}--b\nContent-Type: multipart/mixed; boundary=c\n--c\n--b\nno field\n: x\nA : b\n\nx\n--b--"
    );
    let structure = checked(text.as_bytes(), Nested::Enter);
    let shapes: Vec<_> = structure.parts.iter().map(|part| part.shape).collect();
    // Within the header of the first part, `--c` is not open yet.
    assert_eq!(shapes, [Shape::Multipart, Shape::Multipart, Shape::Leaf]);
}

#[test]
fn messages_are_leaves_or_hold_one_part() {
    let text = format!(
        "{HEAD}--b\nContent-Type: message/rfc822\n\n{}--b\n\nlast\n--b--\n",
        "Content-Type: multipart/mixed; boundary=c\n\n--c\nContent-Type: message/rfc822\n\nSubject: x\n\ny\n--c--\n"
    );
    let numbers = |nested| {
        let structure = checked(text.as_bytes(), nested);
        let parts = structure.parts.into_iter();
        parts
            .map(|part| (part.number, part.shape))
            .collect::<Vec<_>>()
    };
    let multipart = |number: &str| (number.to_owned(), Shape::Multipart);
    let message = |number: &str| (number.to_owned(), Shape::Message);
    let leaf = |number: &str| (number.to_owned(), Shape::Leaf);
    assert_eq!(numbers(Nested::Leaf), [multipart(""), leaf("1"), leaf("2")]);
    assert_eq!(
        numbers(Nested::Enter),
        [
            multipart(""),
            message("1"),
            multipart("1"),
            message("1.1"),
            leaf("1.1.1"),
            leaf("2")
        ]
    );
    for (text, expected) in [
        (
            "Content-Type: message/rfc822\n\n",
            vec![message("1"), leaf("1.1")],
        ),
        (
            "Content-Type: message/rfc822",
            vec![message("1"), leaf("1.1")],
        ),
        (
            "Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n",
            vec![leaf("1")],
        ),
        ("Content-Type: message/partial\n\n", vec![leaf("1")]),
    ] {
        let structure = checked(text.as_bytes(), Nested::Enter);
        let parts: Vec<_> = structure
            .parts
            .into_iter()
            .map(|part| (part.number, part.shape))
            .collect();
        assert_eq!(parts, expected, "{text:?}");
    }
    // An empty message directly before a delimiter: its body would begin behind its end.
    let text = format!("{HEAD}--b\nContent-Type: message/rfc822\n\n--b--\n");
    assert_eq!(checked(text.as_bytes(), Nested::Enter).parts.len(), 3);
}

#[test]
fn parts_of_a_digest_are_messages() {
    let text = "Content-Type: multipart/digest; boundary=b\n\n--b\n\nSubject: x\n\n--b\nContent-Type: text/plain\n\n--b--";
    let types: Vec<_> = leaves(text)
        .into_iter()
        .map(|(_, media_type, _)| media_type)
        .collect();
    assert_eq!(types, ["message/rfc822", "text/plain"]);
}

#[test]
fn line_ends_are_those_of_the_whole_message() {
    for (text, expected) in [
        ("", LineEnds::Lf),
        ("a\rb", LineEnds::Lf),
        ("a\n\nb\n", LineEnds::Lf),
        ("a\r\n\r\n\rb\r\n", LineEnds::CrLf),
        ("a\r\n\r\nb\n", LineEnds::Mixed),
        ("a\n\nb\r\n", LineEnds::Mixed),
    ] {
        for piece in [1, 100] {
            let (structure, _) = scanned(text.as_bytes(), Nested::Enter, piece);
            assert_eq!(structure.line_ends, expected, "{text:?}");
        }
    }
}

fn over(message: &[u8]) -> Option<&'static str> {
    match scan(&mut &*message, Nested::Enter, &mut ()) {
        Ok(_) => None,
        Err(ScanError::OverLimit { what, .. }) => Some(what),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn every_limit_holds_exactly() {
    let nested = |levels: usize| {
        let level = |at| format!("Content-Type: multipart/mixed; boundary=b{at}\n\n--b{at}\n");
        (0..levels).map(level).collect::<String>()
    };
    assert_eq!(over(nested(DEPTH_MAX).as_bytes()), None);
    assert_eq!(
        over(nested(DEPTH_MAX + 1).as_bytes()),
        Some("levels of parts")
    );
    let messages = "Content-Type: message/rfc822\n\n".repeat(DEPTH_MAX + 1);
    assert_eq!(over(messages.as_bytes()), Some("levels of parts"));

    let many = |parts: usize| format!("{HEAD}{}", "--b\n\n".repeat(parts));
    assert_eq!(over(many(PARTS_MAX - 1).as_bytes()), None); // the message itself is one more
    assert_eq!(over(many(PARTS_MAX).as_bytes()), Some("parts"));

    for head in ["", &format!("{HEAD}--b\n")] {
        let header = |bytes: usize| format!("{head}{}", "x".repeat(bytes));
        assert_eq!(over(header(HEADER_BYTES_MAX).as_bytes()), None);
        let what = over(header(HEADER_BYTES_MAX + 1).as_bytes());
        assert_eq!(what, Some("bytes in a header"));
    }

    let most = usize::try_from(BLANK_BYTES_MAX).unwrap();
    assert_eq!(
        over(&[b"\n\nx", vec![b' '; most].as_slice(), b"x"].concat()),
        None
    );
    let blanks = [b"\n\nx", vec![b'\n'; most + 1].as_slice(), b"x"].concat();
    assert_eq!(over(&blanks), Some("blanks in a row"));

    let padded = |text: &str, blanks: usize| format!("{HEAD}{text}{}\n", " ".repeat(blanks));
    let most = lines::PADDING_BYTES_MAX;
    assert_eq!(over(padded("--b", most).as_bytes()), None);
    assert_eq!(
        over(padded("--b", most + 10).as_bytes()),
        Some("blanks behind a boundary")
    );
    assert_eq!(over(padded("--c", most + 10).as_bytes()), None);

    let long = "y".repeat(HEADER_BYTES_MAX / 3);
    let nested: Vec<_> = (0..4)
        .map(|at| format!("Content-Type: multipart/mixed; boundary={at}{long}\n\n--{at}{long}\n"))
        .collect();
    let nested = nested.concat();
    assert_eq!(over(nested.as_bytes()), Some("bytes of boundaries"));
}

#[test]
fn long_boundaries_and_lines_are_found() {
    let boundary = "=".repeat(7_000);
    let text = format!(
        "Content-Type: multipart/mixed; boundary=\"{boundary}\"\n\n--{boundary}\n\n--{boundary}{}\n--{boundary}x\n--{boundary}--\n",
        "-".repeat(200_000)
    );
    let found = raws(&text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].len(), 1 + 7_002 + 200_000 + 1 + 7_003);
}

#[test]
fn many_open_boundaries_and_many_lines_take_linear_time() {
    let common = "z".repeat(5_000);
    let text: Vec<_> = (0..DEPTH_MAX)
        .map(|at| {
            format!(
                "Content-Type: multipart/mixed; boundary={common}{at:02}\n\n--{common}{at:02}\n"
            )
        })
        .collect();
    let mut text = text.concat();
    text.push('\n');
    text.push_str(&format!("--{common}xx\n").repeat(1_000));
    text.push_str(&"--\n".repeat(1_000_000));
    assert_eq!(
        checked(text.as_bytes(), Nested::Leaf).parts.len(),
        DEPTH_MAX + 1
    );
}

/// Pieces out of which something like a message is made.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => Just(b"--b".to_vec()),
        3 => Just(b"--c".to_vec()),
        8 => Just(b"\n".to_vec()),
        4 => Just(b"\r\n".to_vec()),
        2 => Just(b"--".to_vec()),
        2 => Just(b" ".to_vec()),
        1 => Just(b"\r".to_vec()),
        2 => Just(b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec()),
        2 => Just(b"Content-Type: multipart/digest; boundary=\"c\"\r\n\r\n".to_vec()),
        2 => Just(b"Content-Type: message/rfc822\n\n".to_vec()),
        1 => Just(b"Content-Transfer-Encoding: base64\n".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| {
        [
            b"Content-Type: multipart/mixed; boundary=b\n\n".to_vec(),
            pieces.concat(),
        ]
        .concat()
    })
}

fn same_in_pieces(message: &[u8], piece: usize) {
    for nested in [Nested::Leaf, Nested::Enter] {
        let whole = checked(message, nested);
        let (found, bodies) = scanned(message, nested, piece);
        assert_eq!(found.parts, whole.parts);
        assert_eq!(found.line_ends, whole.line_ends);
        assert_eq!(found.header.bytes(), whole.header.bytes());
        assert_eq!(bodies, scanned(message, nested, usize::MAX).1);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_scanned_alike_in_any_pieces(bytes: Vec<u8>, piece in 1..9_usize) {
        same_in_pieces(&bytes, piece);
    }

    #[test]
    fn anything_like_a_message_is_scanned_alike_in_any_pieces(message in pieces(), piece in 1..9_usize) {
        same_in_pieces(&message, piece);
    }
}
