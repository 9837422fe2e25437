//! Lines that fit on a terminal: a fingerprint that does not fit stands in two lines of its own, each of eight groups, so that no
//! terminal breaks it within a group.

use std::os::fd::AsFd;

use rustix::termios::tcgetwinsize;

/// Sixteen groups of four digits, with blanks between them.
const FINGERPRINT_CHARS: usize = 16 * 5 - 1;
const HALF_CHARS: usize = 8 * 5 - 1;

/// The columns of a terminal, if it is one.
pub(crate) fn columns(device: impl AsFd) -> Option<usize> {
    let size = tcgetwinsize(device).ok()?;
    Some(size.ws_col.into()).filter(|columns| *columns > 0)
}

/// The line as it fits on `device`. Lines that are shorter than a fingerprint cost nothing.
pub(crate) fn fitted(line: impl Into<String>, indent: &str, device: impl AsFd) -> String {
    let line = line.into();
    if line.len() <= FINGERPRINT_CHARS {
        return line;
    }
    match columns(device) {
        Some(columns) => broken(&line, indent, columns),
        None => line,
    }
}

fn broken(line: &str, indent: &str, columns: usize) -> String {
    let is_long = anstream::adapter::strip_str(line)
        .to_string()
        .chars()
        .count()
        > columns;
    let Some(at) = fingerprint(line).filter(|_| is_long) else {
        return line.to_owned();
    };
    let (before, rest) = line.split_at(at);
    let (digits, behind) = rest.split_at(FINGERPRINT_CHARS);
    let (first, second) = digits.split_at(HALF_CHARS);
    let (before, second) = (before.trim_end(), second.trim_start());
    let behind = broken(behind, indent, columns);
    format!("{before}\n{indent}{first}\n{indent}{second}{behind}")
}

/// Where a fingerprint begins.
fn fingerprint(line: &str) -> Option<usize> {
    let is_digits = |digits: &[u8]| {
        let mut digits = digits.iter().enumerate();
        digits.all(|(at, byte)| match at % 5 {
            4 => *byte == b' ',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    let mut windows = line.as_bytes().windows(FINGERPRINT_CHARS);
    windows.position(is_digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_that_does_not_fit_stands_in_two_lines() {
        let half = ["0123"; 8].join(" ");
        let line = format!("encl: Bob: added, fingerprint {half} {half}; good");
        let due = format!("encl: Bob: added, fingerprint\nencl:   {half}\nencl:   {half}; good");
        assert_eq!(broken(&line, "encl:   ", 80), due);
        assert_eq!(broken(&line, "encl:   ", line.len()), line);
        let two = format!("{line} {half} {half}");
        let due = format!("{due}\nencl:   {half}\nencl:   {half}");
        assert_eq!(broken(&two, "encl:   ", 80), due);
        let long = "word ".repeat(40);
        assert_eq!(broken(&long, "  ", 80), long);
    }
}
