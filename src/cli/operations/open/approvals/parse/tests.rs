use encl::json::to_b64;

use super::*;

/// Sealed to nobody: it has the form alone.
fn approval(lock: u8) -> Approval {
    let [id, key, enc, ct] = [32, 32, 1120, 49].map(|bytes| to_b64(&vec![lock; bytes]));
    let line = format!(
        r#"{{"approval":"encl/1","policy":"{id}","lock":{lock},"key":"{key}","enc":"{enc}","ct":"{ct}"}}"#
    );
    Approval::from_bytes(line.as_bytes()).unwrap()
}

fn wrapped(text: &str, width: usize, end: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(width).collect();
    let lines: Vec<_> = lines
        .iter()
        .map(|l| std::str::from_utf8(l).unwrap())
        .collect();
    lines.join(end)
}

#[test]
fn approvals_are_found_in_what_they_came_in() {
    let (one, two) = (approval(0), approval(1));
    let (text, other) = (one.to_text(), two.to_text());
    for (what, came) in [
        ("two lines", format!("{text}\n{other}\n")),
        ("DOS line ends", format!("{text}\r\n{other}\r\n")),
        (
            "JSON lines",
            format!("{}\n{}\n", one.to_line(), two.to_line()),
        ),
        (
            "a chat",
            format!("Dan: here it is\n{text}\nthanks\n\nErin: {other}\nBye"),
        ),
        (
            "a quoted message",
            format!(
                "Hello,\n\n> {}\n>\n> Regards\n{other}",
                wrapped(&text, 70, "\n> ")
            ),
        ),
        (
            "quoted-printable",
            format!(
                "{}=\n\nYours\n\n{}\n",
                wrapped(&text, 75, "=\r\n"),
                wrapped(&other, 75, "=\n")
            ),
        ),
        ("without a gap", text.clone() + &other),
    ] {
        let found = approvals(came.as_bytes());
        assert_eq!(found, Ok(vec![one.clone(), two.clone()]), "{what}");
    }
}

#[test]
fn what_is_not_whole_is_an_error_with_its_class() {
    let text = approval(0).to_text();
    let class = |came: &str| approvals(came.as_bytes()).unwrap_err().class();
    assert_eq!(class(""), "not-an-approval");
    assert_eq!(class("Dear Alice,\nI cannot.\n"), "not-an-approval");
    assert_eq!(class(&text[..text.len() - 1]), "mangled");
    assert_eq!(
        class(&format!("{}\nRegards\n", &text[..text.len() - 1])),
        "mangled"
    );
    assert_eq!(class(&format!("{text}\n{}", &text[..200])), "mangled");
    assert_eq!(
        class(&approval(0).to_line().replace("encl/1", "encl/2")),
        "newer"
    );
    // A hostile file: lines without end.
    assert_eq!(
        class(&(text[..200].to_owned() + &"\na".repeat(1 << 20))),
        "mangled"
    );
}
