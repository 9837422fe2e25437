use super::*;
use proptest::prelude::*;

const FIRST: &str = "2026-11-24T06:24:00Z";

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

/// The page of an identity of `keys` keys, the last two of which expire.
fn paper_of(keys: usize, kem: Kem, predecessors: usize) -> Result<Paper, PaperError> {
    let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
    let mut identity = Identity::generate(kem, time(FIRST), None, &mut rng);
    for at in 1..keys {
        let created = Time::from_unix(time(FIRST).unix() + 1_000_000 * at as u64).unwrap();
        let expires = (at + 2 >= keys).then(|| time("2030-01-01T00:00:00Z"));
        identity.rotate(kem, created, expires, &mut rng).unwrap();
    }
    let replaced = (0..predecessors).map(|_| {
        let old = Identity::generate(kem, time(FIRST), None, &mut rng);
        Predecessor::new(&old, identity.id())
    });
    let replaced: Vec<_> = replaced.collect();
    let request = CardRequest {
        name: "Bob Müller".into(),
        addresses: vec!["bob@example.org".into(), "b@example.org".into()],
        serial: u32::try_from(keys).unwrap(),
        created: time("2026-12-24T06:24:00Z"),
    };
    let card = Card::replacing(&identity, request, &replaced).unwrap();
    let revocation = Revocation::new(identity.root(), time(FIRST));
    Paper::new(identity, card, revocation, false)
}

fn paper() -> Paper {
    paper_of(2, Kem::XWing, 0).unwrap()
}

fn is_same(a: &Paper, b: &Paper) -> bool {
    *a.identity.to_line() == *b.identity.to_line()
        && a.card.to_text() == b.card.to_text()
        && a.revocation.to_text() == b.revocation.to_text()
        && a.is_revoked == b.is_revoked
}

fn error(text: &str) -> PaperError {
    Paper::from_text(text)
        .err()
        .unwrap_or_else(|| panic!("accepted:\n{text}"))
}

/// The words in lines, to be changed.
fn lines(paper: &Paper) -> Vec<Vec<String>> {
    let line = |line: &str| line.split(' ').map(str::to_owned).collect();
    paper.words().lines().map(line).collect()
}

fn text(lines: &[Vec<String>]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.join(" ")).collect();
    lines.join("\n")
}

/// Three texts of one page: the words, the numbered words between other lines, the code.
fn texts(paper: &Paper) -> [String; 3] {
    let words = paper.words();
    let numbered = words
        .lines()
        .zip(1..)
        .map(|(line, n)| format!("{n:2}. {line}\n"));
    [
        words.to_string(),
        format!(
            "Of whom\n\n{}\nHow to restore\n",
            numbered.collect::<String>()
        ),
        paper.code().to_string(),
    ]
}

#[test]
fn an_identity_comes_back_with_its_card_and_its_end_bit_for_bit() {
    for kem in [Kem::X25519, Kem::XWing] {
        for keys in 1..=6 {
            let paper = paper_of(keys, kem, usize::from(keys < 4)).unwrap();
            for text in texts(&paper) {
                assert!(is_same(&Paper::from_text(&text).unwrap(), &paper), "{text}");
            }
        }
    }
}

#[test]
fn an_identity_that_fits_on_no_page_is_refused() {
    let lines = |keys| {
        let paper = paper_of(keys, Kem::XWing, 0).unwrap();
        paper.words().lines().count()
    };
    assert!((13..=16).contains(&lines(1)) && (17..=21).contains(&lines(2)));
    assert!(lines(6) <= 40);
    for (keys, predecessors) in [(10, 0), (16, 0), (8, 1), (1, 4)] {
        let error = paper_of(keys, Kem::XWing, predecessors).err();
        assert!(
            matches!(error, Some(PaperError::TooLong { lines }) if lines > 40),
            "{error:?}"
        );
    }
}

#[test]
fn a_revoked_identity_stays_revoked() {
    let Paper {
        identity,
        card,
        revocation,
        ..
    } = paper();
    let revoked = Paper::new(identity, card, revocation, true).unwrap();
    let read = Paper::from_text(&revoked.words()).unwrap();
    assert!(read.is_revoked() && is_same(&read, &revoked));
}

/// After a kill between writing the keys and the card, the card lists other keys. A page would restore a different card with
/// the same serial.
#[test]
fn a_card_that_cannot_be_made_again_is_not_printed() {
    let mut rng = rand::rand_core::UnwrapErr(rand::rngs::SysRng);
    let Paper {
        mut identity,
        card,
        revocation,
        ..
    } = paper();
    identity
        .rotate(Kem::X25519, time(FIRST), None, &mut rng)
        .unwrap();
    let refused = Paper::new(identity, card, revocation, false).err();
    assert_eq!(refused, Some(PaperError::Differs("card")));
    let (a, b) = (paper(), paper());
    let refused = Paper::new(a.identity, a.card, b.revocation, false).err();
    assert_eq!(refused, Some(PaperError::Differs("revocation")));
}

#[test]
fn words_are_taken_as_people_type_them() {
    let paper = paper();
    let words = paper.words();
    let short = |word: &str| word.chars().take(4).collect::<String>();
    let shortened: Vec<_> = words.split_whitespace().map(short).collect();
    for text in [
        words.to_uppercase(),
        words.replace('\n', " "),
        shortened.join(" "),
        format!("  {}", words.replace(' ', "  ").replace('\n', "\r\n\r\n")),
    ] {
        assert!(is_same(&Paper::from_text(&text).unwrap(), &paper), "{text}");
    }
    for (number, mark) in [("1", ""), ("01", "."), (" 1", ":"), ("1", ")")] {
        let line = words.lines().next().unwrap();
        PaperLines::default()
            .push(&format!("{number}{mark} {line}"))
            .unwrap();
    }
}

#[test]
fn every_wrong_word_is_found_in_its_line() {
    let list = bip39::Language::English.word_list();
    let good = lines(&paper());
    for line in 0..good.len() {
        for place in 0..8 {
            let mut changed = good.clone();
            let now = list
                .iter()
                .position(|word| *word == good[line][place])
                .unwrap();
            for other in (1..2048).step_by(if line == 1 { 1 } else { 89 }) {
                list[(now + other) % 2048].clone_into(&mut changed[line][place]);
                assert_eq!(error(&text(&changed)), PaperError::Line { line: line + 1 });
            }
        }
    }
}

#[test]
fn swapped_words_and_lines_are_found() {
    let good = lines(&paper());
    for line in 0..good.len() {
        for (a, b) in (0..8).flat_map(|a| (0..a).map(move |b| (a, b))) {
            let mut changed = good.clone();
            changed[line].swap(a, b);
            if changed != good {
                assert_eq!(error(&text(&changed)), PaperError::Line { line: line + 1 });
            }
        }
        for other in 0..line {
            let mut changed = good.clone();
            changed.swap(line, other);
            assert_eq!(error(&text(&changed)), PaperError::Line { line: other + 1 });
        }
    }
}

#[test]
fn missing_and_additional_lines_are_reported() {
    let good = lines(&paper());
    for line in 0..good.len() {
        let mut less = good.clone();
        less.remove(line);
        let expected = match line + 1 == good.len() {
            true => PaperError::Missing { line: line + 1 },
            false => PaperError::Line { line: line + 1 },
        };
        assert_eq!(error(&text(&less)), expected);
        let mut twice = good.clone();
        twice.insert(line, good[line].clone());
        assert!(matches!(
            error(&text(&twice)),
            PaperError::Line { .. } | PaperError::Behind { .. }
        ));
    }
    let [_, numbered, _] = texts(&paper());
    let without = |number: &str| {
        let lines = numbered.lines().filter(|line| !line.starts_with(number));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(
        error(&without(" 3.")),
        PaperError::Order {
            found: 4,
            expected: 3
        }
    );
    assert_eq!(error(""), PaperError::Nothing);
    assert_eq!(error("  \n"), PaperError::Nothing);
}

#[test]
fn an_unknown_word_is_reported_with_similar_words() {
    let mut lines = PaperLines::default();
    let error_of = |typed: &str, lines: &mut PaperLines| lines.push(typed).unwrap_err().to_string();
    assert_eq!(
        error_of("1. zoo abandn zoo", &mut lines),
        "line 1, word 2: `abandn` is not in the list; did you mean abandon?"
    );
    assert_eq!(
        error_of("zoo zo", &mut lines),
        "line 1, word 2: `zo` is not in the list; did you mean zoo?"
    );
    assert_eq!(
        error_of("qqqqqq", &mut lines),
        "line 1, word 1: `qqqqqq` is not in the list"
    );
    assert_eq!(
        error_of("zoo zoo", &mut lines),
        "line 1 has 2 words instead of 8"
    );
    assert_eq!(
        error_of("2 zoo", &mut lines),
        "this is line 2, and line 1 comes next"
    );
    assert_eq!(
        error_of("ä", &mut lines),
        "line 1, word 1: `ä` is not in the list"
    );
    assert_eq!((lines.next_line(), lines.count()), (1, None));
}

#[test]
fn the_first_line_gives_the_number_of_lines() {
    let paper = paper();
    let mut typed = PaperLines::default();
    let words = paper.words();
    for (line, number) in words.lines().zip(1..) {
        assert_eq!(typed.next_line(), number);
        assert!(!typed.are_complete());
        typed.push(line).unwrap();
        assert_eq!(typed.count(), Some(words.lines().count()));
    }
    assert!(typed.are_complete());
    assert!(typed.push(words.lines().next().unwrap()).is_err());
    assert!(is_same(&typed.finish().unwrap(), &paper));
}

#[test]
fn a_code_is_taken_as_scanners_type_it_and_every_changed_character_is_found() {
    let paper = paper();
    let code = paper.code();
    let wrapped: Vec<_> = code
        .as_bytes()
        .chunks(40)
        .map(String::from_utf8_lossy)
        .collect();
    for same in [
        code.to_lowercase(),
        format!("\n {} \r\n", wrapped.join("\r\n  ")),
    ] {
        assert!(is_same(&Paper::from_text(&same).unwrap(), &paper), "{same}");
    }
    for at in 12..code.len() {
        for other in ["A", "B", "7", "1", "é"] {
            let changed = format!("{}{other}{}", &code[..at], &code[at + 1..]);
            assert!(
                changed == *code || Paper::from_text(&changed).is_err(),
                "{changed}"
            );
        }
        assert!(Paper::from_text(&code[..at]).is_err());
        assert!(Paper::from_text(&format!("{}{}", &code[..at], &code[at + 1..])).is_err());
    }
    assert!(Paper::from_text(&format!("{}A", *code)).is_err());
    assert!(Paper::from_text(&code.repeat(9)).is_err());
    assert_eq!(error("ENCL-PAPER1:A!"), PaperError::Character(2));
    assert_eq!(error("encl-paper2:AAAA"), PaperError::Newer(2));
    assert_eq!(error("ENCL-PAPER"), PaperError::Nothing);
}

/// A content of any body, with its check.
fn sealed(body: &[u8], form: u8) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let mut content = [&[form][..], &length, body].concat();
    let check = check(&content);
    content.extend_from_slice(&check);
    content
}

#[test]
fn there_is_one_content_for_an_identity() {
    let content = paper().content();
    let body = &content[HEAD..content.len() - CHECK];
    assert!(Paper::from_content(&sealed(body, 1)).is_ok());
    let refused = |body: &[u8]| Paper::from_content(&sealed(body, 1)).err().unwrap();
    assert_eq!(
        Paper::from_content(&sealed(body, 2)).err(),
        Some(PaperError::Newer(2))
    );
    assert!(matches!(
        refused(&[body, &[0]].concat()),
        PaperError::Malformed(_)
    ));
    assert!(matches!(
        refused(&body[..body.len() - 1]),
        PaperError::Malformed(_)
    ));
    // The number of keys in two groups of bits instead of one.
    let longer = [&body[..32], &[0x82, 0], &body[33..]].concat();
    assert_eq!(
        refused(&longer),
        PaperError::Malformed("another form of the same")
    );
    let unknown = [&body[..33], &[3], &body[34..]].concat();
    assert_eq!(
        refused(&unknown),
        PaperError::Malformed("an unknown kind of key")
    );
    let none = [&body[..32], &[0], &body[33..]].concat();
    assert!(Paper::from_content(&sealed(&none, 1)).is_err());
    assert!(Paper::from_content(&[]).is_err());
}

#[test]
fn the_next_serial_is_above_all_serials_in_use() {
    let now = time("2026-11-24T06:24:00Z");
    let minutes = u32::try_from(now.unix() / 60).unwrap();
    assert_eq!(serial_ahead(1, now), Some(minutes));
    assert_eq!(serial_ahead(minutes, now), Some(minutes + 1_000));
    assert_eq!(serial_ahead(1, Time::from_unix(0).unwrap()), Some(1_001));
    assert!(serial_ahead(1, time("9999-12-31T23:59:59Z")).is_some());
    assert_eq!(serial_ahead(u32::MAX - 999, now), None);
}

proptest! {
    #[test]
    fn any_typed_text_is_read_or_refused(text in "\\PC{0,400}", words in prop::collection::vec(0_usize..2048, 0..60)) {
        let list = bip39::Language::English.word_list();
        let words: Vec<_> = words.into_iter().map(|word| list[word]).collect();
        prop_assert!(Paper::from_text(&text).is_err());
        prop_assert!(Paper::from_text(&words.join(" ")).is_err());
        let _ = Paper::from_text(&format!("ENCL-PAPER1:{text}"));
    }

    #[test]
    fn any_body_is_read_and_written_the_same_or_refused(
        cuts in prop::collection::vec((0_usize..200, any::<u8>()), 1..4)
    ) {
        let content = paper_of(1, Kem::X25519, 0).unwrap().content();
        let mut body = content[HEAD..content.len() - CHECK].to_vec();
        for (at, byte) in cuts {
            let at = at % body.len();
            body[at] = byte;
        }
        let content = sealed(&body, 1);
        if let Ok(paper) = Paper::from_content(&content) {
            prop_assert_eq!(&*paper.content(), &content);
        }
    }
}
