use super::AddressFault as Fault;
use super::*;
use proptest::prelude::*;

fn printed(list: &[Mailbox]) -> Vec<String> {
    list.iter().map(Mailbox::to_string).collect()
}

#[test]
fn control_characters_are_refused_wherever_they_stand() {
    for control in (0..0x20).chain([0x7F]).filter(|control| *control != b'\t') {
        let control = char::from(control);
        for text in [
            format!("a{control}@x"),
            format!("\"a{control}\" <a@x>"),
            format!("\"a\\{control}\" <a@x>"),
            format!("a@x (a{control})"),
            format!("a@[1{control}]"),
        ] {
            let error = parse_list(&text).expect_err(&text);
            assert_eq!(error.fault, Fault::Character, "{text:?}");
        }
    }
}

#[test]
fn an_offending_text_is_shown_in_part() {
    let error = parse_list(&format!("a@x, {}", "ä".repeat(500))).unwrap_err();
    assert_eq!(error.text, "ä".repeat(60));
    assert_eq!(
        parse_list("bob@x eve@y").unwrap_err().to_string(),
        "a comma is missing at byte 6: `eve@y`"
    );
}

#[test]
fn what_is_too_much_is_refused_and_never_cut() {
    let fault = |text: &str| {
        parse_list(text)
            .map(|list| list.len())
            .map_err(|error| error.fault)
    };
    let many = "a@x,".repeat(MAILBOXES_MAX);
    assert_eq!(fault(&many), Ok(MAILBOXES_MAX));
    assert_eq!(fault(&(many + "a@x")), Err(Fault::TooMany));
    assert_eq!(fault(&" ".repeat(LIST_BYTES_MAX)), Ok(0));
    assert_eq!(fault(&" ".repeat(LIST_BYTES_MAX + 1)), Err(Fault::TooLong));
    let deep = |depth: usize| format!("{}{} a@x", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(fault(&deep(lexer::COMMENT_DEPTH_MAX)), Ok(1));
    assert_eq!(
        fault(&deep(lexer::COMMENT_DEPTH_MAX + 1)),
        Err(Fault::CommentDepth)
    );
    let words = |words: usize| format!("{}<a@x>", "a ".repeat(words));
    assert_eq!(fault(&words(WORDS_MAX)), Ok(1));
    assert_eq!(fault(&words(WORDS_MAX + 1)), Err(Fault::TooManyWords));
    let long = |bytes: usize| format!("{}@x", "a".repeat(bytes - 2));
    assert_eq!(fault(&long(ADDRESS_BYTES_MAX)), Ok(1));
    assert_eq!(
        fault(&long(ADDRESS_BYTES_MAX + 1)),
        Err(Fault::NotAnAddress)
    );
}

/// Each of these was quadratic, or deep, in some parser of addresses.
#[test]
fn a_mebibyte_of_anything_takes_no_time() {
    let begun = std::time::Instant::now();
    for hostile in [
        "(",
        "()",
        "\\",
        "\"",
        "\"\"",
        "<",
        "@",
        "<@",
        "a@",
        ".",
        "a.",
        "a ",
        ",",
        ":",
        ";",
        "a:",
        "a:;,",
        "[",
        "=?",
        "=?a?q?b?= ",
        "(\\",
        "a@b(",
        "a@b,",
    ] {
        let _ = parse_list(&hostile.repeat(LIST_BYTES_MAX / hostile.len()));
    }
    let in_one_comment = format!("a@b ({})", "=?utf-8?q?a?= ".repeat(70_000));
    assert_eq!(parse_list(&in_one_comment).unwrap().len(), 1);
    assert!(begun.elapsed().as_secs() < 20);
}

#[test]
fn a_name_that_looks_like_another_address_is_told() {
    for (text, other) in [
        ("\"eve@y\" <bob@x>", Some("eve@y")),
        ("\"bob@x\" <bob@x>", None),
        ("\"BOB@X\" <bob@x>", None),
        ("\"bob@x eve@y\" <bob@x>", Some("eve@y")),
        ("\"Eve <eve@y>\" <bob@x>", Some("eve@y")),
        ("\"=?utf-8?q?eve=40y?=\" <bob@x>", Some("eve@y")),
        ("=?utf-8?q?eve=40y?= <bob@x>", Some("eve@y")),
        ("eve＠y <bob@x>", Some("eve@y")),
        ("bob@x (eve@y)", Some("eve@y")),
        ("\"Bob @ work\" <bob@x>", None),
        ("Bob <bob@x>", None),
        ("bob@x", None),
    ] {
        let list = parse_list(text).unwrap();
        assert_eq!(list[0].poses_as().as_deref(), other, "{text}");
    }
}

#[test]
fn an_address_has_two_sides() {
    let list = parse_list("\"a@b\"@x.org").unwrap();
    assert_eq!(
        (list[0].local_part(), list[0].domain()),
        ("\"a@b\"", "x.org")
    );
}

proptest! {
    #[test]
    fn what_is_printed_reads_the_same(text in "([ab@<>(),;:.\"\\\\ ä=?]|a@b|\\(c\\)|=\\?utf-8\\?[qb]\\?[a=0C]{0,6}\\?=|\\[1\\]|\\PC|\t|\r|\n){0,40}") {
        if let Ok(list) = parse_list(&text) {
            let again = parse_list(&printed(&list).join(","));
            prop_assert_eq!(again.as_ref(), Ok(&list), "{:?}", printed(&list));
        }
    }

    #[test]
    fn any_name_can_be_printed(name in "(\\PC|\\p{Cc}|[ \"\\\\=?_]|=\\?utf-8\\?q\\?a\\?=){1,60}") {
        let name = name.trim();
        prop_assume!(!name.is_empty());
        let mailbox = Mailbox { name: Some(name.to_owned()), address: "a@b".to_owned() };
        prop_assert_eq!(parse_list(&mailbox.to_string()), Ok(vec![mailbox]));
    }
}
