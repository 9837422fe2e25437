use super::*;

fn refused(line: &str) -> Error {
    Text::check(line.as_bytes())
        .err()
        .unwrap_or_else(|| panic!("accepted: {line}"))
}

/// A hostile value at every place where a value is allowed.
fn everywhere(value: &str) -> Vec<String> {
    [
        "{V}",
        r#"{"a":V}"#,
        r#"{"a":[V]}"#,
        r#"{"a":{"b":V}}"#,
        r#"{"a":[{"b":[1,V]}]}"#,
    ]
    .iter()
    .map(|frame| frame.replace('V', value))
    .collect()
}

#[test]
fn invalid_values_are_refused_at_every_depth() {
    for value in [
        "null",
        "1.0",
        "1e0",
        "1E0",
        "-0",
        "-1",
        "01",
        "00",
        "+1",
        "12345678901",
        "NaN",
        "tru",
        "True",
        "'a'",
        ",",
        r#""""#,
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""\u0000""#,
        r#""\u001b""#,
        r#""\u007f""#,
        r#""\u0085""#,
        r#""\u2028""#,
        r#""\u2029""#,
        r#""\u202a""#,
        r#""\u202e""#,
        r#""\u2066""#,
        r#""\u2069""#,
        r#""\ufeff""#,
        "\"\u{202e}\"",
        "\"\u{feff}\"",
        "\"\u{80}\"",
        "\"a\tb\"",
        "\"\u{7f}\"",
        "\"\u{1b}\"",
        r#""\x""#,
        r#""\u12""#,
        r#""abc"#,
        r#"{"d":1,"d":2}"#,
        r#"{"d":1,"\u0064":2}"#,
        r#"{"":1}"#,
        "[1,]",
        "[,1]",
        "[1 2]",
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        "{1:2}",
        "[1}",
        "\t1",
        "1\r",
    ] {
        for line in everywhere(value) {
            let error = refused(&line);
            assert!(matches!(error, Error::Malformed(_)), "{line}: {error}");
        }
    }
}

#[test]
fn the_line_is_one_object_and_nothing_else() {
    for line in [
        "",
        " ",
        "[]",
        "1",
        "\"a\"",
        "true",
        "{}{}",
        "{} 1",
        "{},",
        "\u{feff}{}",
        "{",
        "}",
        "{}\t",
    ] {
        assert!(matches!(refused(line), Error::Malformed(_)), "{line}");
    }
    assert!(Text::check(b"{\"a\":\"\xff\"}").is_err());
    assert!(Text::check(b"  { \"a\" : [ 1 , { } , [ ] , true ] , \"b\" : false }   ").is_ok());
}

#[test]
fn nesting_ends_at_eight() {
    let nested = |levels: usize| {
        format!(
            "{{\"a\":{}1{}}}",
            "[".repeat(levels - 1),
            "]".repeat(levels - 1)
        )
    };
    assert!(Text::check(nested(8).as_bytes()).is_ok());
    assert!(matches!(refused(&nested(9)), Error::Malformed(_)));
    assert!(matches!(
        refused(&"[".repeat(1_000_000)),
        Error::Malformed(_)
    ));
}

#[test]
fn an_object_has_at_most_64_members() {
    let object = |members: usize| {
        let members: Vec<_> = (0..members).map(|i| format!("\"m{i}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(Text::check(object(64).as_bytes()).is_ok());
    assert!(matches!(refused(&object(65)), Error::OverLimit(_)));
}

#[test]
fn values_are_read_as_they_were_written() {
    let line = br#" {"t" : "a\u00e9\"}]" , "n":9999999999,"z":0, "b":true,"l":[ "x" ,"y"], "o":{"k":[[],{}]},"s":"aGk="} "#;
    let text = Text::check(line).unwrap();
    let mut seen = Vec::new();
    text.object(|name, value| {
        seen.push(name.to_owned());
        match name {
            "t" => assert_eq!(value.text(9)?, "aé\"}]"),
            "n" => assert_eq!(value.number()?, 9_999_999_999),
            "z" => assert_eq!(value.number()?, 0),
            "b" => assert!(value.boolean()?),
            "l" => assert_eq!(
                value.array(2, |item| item.text(1).map(Cow::into_owned))?,
                ["x", "y"]
            ),
            "o" => value.object(|name, value| {
                assert_eq!(name, "k");
                assert_eq!(value.array(2, |item| Ok(item.0))?, ["[]", "{}"]);
                Ok(())
            })?,
            "s" => assert_eq!(value.base64()?, *b"hi"),
            _ => unreachable!(),
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, ["t", "n", "z", "b", "l", "o", "s"]);
}

#[test]
fn the_wrong_type_is_malformed_and_too_much_is_over_limit() {
    let value = |text: &'static str| Value(text);
    assert!(matches!(
        value("[]").object(|_, _| Ok(())),
        Err(Error::Malformed(_))
    ));
    assert!(matches!(value("{}").array(1, Ok), Err(Error::Malformed(_))));
    assert!(matches!(value("1").text(9), Err(Error::Malformed(_))));
    assert!(matches!(value("\"1\"").number(), Err(Error::Malformed(_))));
    assert!(matches!(value("1").boolean(), Err(Error::Malformed(_))));
    assert!(matches!(
        value("[1,2]").array(1, Ok),
        Err(Error::OverLimit(_))
    ));
    assert!(matches!(value("\"éa\"").text(2), Err(Error::OverLimit(_))));
}

#[test]
fn base64_is_canonical_and_has_one_length() {
    for text in [
        "aGk",
        "aGl=",
        "aGk=\u{a0}",
        "a Gk=",
        "aGk==",
        "_w==",
        "aGkh",
        "=",
    ] {
        assert!(from_b64::<2>(text.as_bytes()).is_err(), "{text}");
    }
    assert_eq!(from_b64(b"aGk="), Ok(*b"hi"));
}

#[test]
fn a_hostile_line_is_walked_in_linear_time() {
    let deep = format!("{{\"a\":[{}0]}}", "0,".repeat(5_000_000));
    assert!(Text::check(deep.as_bytes()).is_ok());
    let empty = format!("{{\"a\":[{}{{}}]}}", "{},".repeat(3_000_000));
    assert!(Text::check(empty.as_bytes()).is_ok());
}
