//! Faults that are planted into every object.

/// Calls `is_refused` with every planted fault of an object: each member that must be there missing, and each member doubled, of
/// other types, and beside one that is unknown.
pub(super) fn each_fault(line: &str, due: &[&str], mut is_refused: impl FnMut(&[u8]) -> bool) {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let members = value.as_object().unwrap();
    let mut faults = 0;
    let mut refused = |changed: &str| {
        assert_ne!(changed, line);
        assert!(is_refused(changed.as_bytes()), "{changed}");
        faults += 1;
    };
    for (name, value) in members {
        // What is nested in the line is written as it stands there, so each member is found by its text.
        let written = written(line, name);
        assert!(line.contains(&written), "{name}");
        if due.contains(&name.as_str()) {
            refused(&without(line, &written));
        }
        refused(&line.replacen(&written, &format!("{written},{written}"), 1));
        for other in [
            "null",
            "[]",
            "{}",
            "true",
            "-1",
            "12345678901",
            "\"\"",
            "\"=\"",
        ] {
            let parsed: serde_json::Value = other.parse().unwrap_or_default();
            let is_same = parsed == *value;
            // A number stands where a number was: some numbers are allowed.
            if !is_same {
                refused(&line.replacen(&written, &format!("\"{name}\":{other}"), 1));
            }
        }
    }
    refused(&line.replacen('{', "{\"note\":1,", 1));
    refused(&line[..line.len() - 1]);
    assert!(faults >= members.len() * 8, "{faults}");
}

/// A member as it stands in the line.
fn written(line: &str, name: &str) -> String {
    let begin = line.find(&format!("\"{name}\":")).unwrap();
    let mut depth = 0;
    let mut is_text = false;
    for (at, byte) in line.bytes().enumerate().skip(begin) {
        match byte {
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' if depth > 0 => depth -= 1,
            b',' | b'}' if depth == 0 => return line[begin..at].to_owned(),
            _ => {}
        }
    }
    panic!("{name} does not end");
}

fn without(line: &str, written: &str) -> String {
    let shorter = line.replacen(&format!("{written},"), "", 1);
    match shorter == line {
        true => line.replacen(&format!(",{written}"), "", 1),
        false => shorter,
    }
}
