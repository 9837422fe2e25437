//! Trace fields, which servers put above a message on its way: those outside an envelope say what happened to it, those inside say
//! what its sender wants to be believed.

use std::io::{self, Write};

use crate::mail::header::is_blank;
use crate::mail::{Field, HEADER_BYTES_MAX, Header, HeaderEnd};

/// Fields that only a server adds. Sealing copies none of them outside, so outside they mean that the message travelled sealed.
const OF_SERVERS: [&str; 3] = ["Received", "Authentication-Results", "Received-SPF"];
/// RFC 8617.
const ARC: &str = "ARC-";
/// Fields that a server adds where it delivers, also behind the sealing: they prove nothing, and go where the others go.
const OF_DELIVERY: [&str; 3] = ["Return-Path", "Delivered-To", "X-Original-To"];
/// What stands before the name of a trace field that came out of an envelope.
const RENAMED: &str = "X-Sealed-";

/// Why the trace fields in a header cannot be told from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TraceFault {
    /// The header was not read to its end.
    #[error("the header inside is too long to find the trace fields in it")]
    TooLong,
    /// It would continue the field before it.
    #[error("the header inside begins with a blank")]
    Continuation,
    /// Some programs see a field there, and others do not.
    #[error("the header inside hides a trace field behind a carriage return")]
    Hidden,
}

/// Whether the message around an envelope with this header travelled sealed.
#[must_use]
pub fn has_travelled(outside: &Header) -> bool {
    outside.fields().any(|field| is_of_servers(field.name))
}

/// The names of the trace fields in a header, each once.
#[must_use]
pub fn trace_names(header: &Header) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for field in header.fields().filter(|field| is_trace(field.name)) {
        if !names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(field.name))
        {
            names.push(field.name.to_owned());
        }
    }
    names
}

/// Writes a message that travelled sealed: the trace fields outside on top, and its own ones under other names.
pub struct TraceWriter<'h, W> {
    out: W,
    outside: &'h Header,
    /// The header so far, until it is complete.
    head: Option<Vec<u8>>,
    fault: Option<TraceFault>,
}

impl<'h, W: Write> TraceWriter<'h, W> {
    /// Writes to `out`, with the trace of `outside`.
    pub fn new(outside: &'h Header, out: W) -> Self {
        Self {
            out,
            outside,
            head: Some(Vec::new()),
            fault: None,
        }
    }

    /// Ends a message that may have no body.
    ///
    /// # Errors
    /// Those of the writer, and [`TraceWriter::fault`].
    pub fn finish(&mut self) -> io::Result<()> {
        match self.head.take() {
            Some(head) => self.begin(&head),
            None => Ok(()),
        }
    }

    /// Why nothing was written.
    pub fn fault(&self) -> Option<TraceFault> {
        self.fault
    }

    /// Writes the header, and what came with it of the body.
    fn begin(&mut self, head: &[u8]) -> io::Result<()> {
        let header = Header::read(&mut &*head)?;
        if let Some(fault) = fault(&header) {
            self.fault = Some(fault);
            return Err(io::Error::new(io::ErrorKind::InvalidData, fault));
        }
        let eol: &[u8] = match header.begins_with_crlf() {
            true => b"\r\n",
            false => b"\n",
        };
        for field in self.outside.fields().filter(|field| is_trace(field.name)) {
            self.out.write_all(&line(&field, eol))?;
        }
        let (bytes, mut at) = (header.bytes(), 0);
        for field in header.fields().filter(|field| is_trace(field.name)) {
            let begins = field.raw.as_ptr().addr() - bytes.as_ptr().addr();
            self.out.write_all(&bytes[at..begins])?;
            self.out.write_all(RENAMED.as_bytes())?;
            at = begins;
        }
        self.out.write_all(&bytes[at..])?;
        self.out.write_all(&head[bytes.len()..])
    }
}

impl<W: Write> Write for TraceWriter<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(mut head) = self.head.take() else {
            return self.out.write(bytes);
        };
        // The empty line may have begun in what came before.
        let from = head.len().saturating_sub(2);
        head.extend_from_slice(bytes);
        if has_empty_line(&head, from) || head.len() > HEADER_BYTES_MAX {
            self.begin(&head)?;
        } else {
            self.head = Some(head);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn fault(header: &Header) -> Option<TraceFault> {
    match header.bytes().first() {
        _ if header.end() == HeaderEnd::OverLimit => Some(TraceFault::TooLong),
        Some(byte) if is_blank(*byte) => Some(TraceFault::Continuation),
        _ if has_field_behind_cr(header.bytes(), is_trace) => Some(TraceFault::Hidden),
        _ => None,
    }
}

/// Whether a bare CR, which ends a line for some programs such as Python's, stands before such a field.
#[must_use]
pub fn has_field_behind_cr(header: &[u8], is_such: impl Fn(&str) -> bool) -> bool {
    let mut lines = header.split(|byte| *byte == b'\r').skip(1);
    lines.any(|line| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        let is_field = name.len() < line.len();
        is_field && std::str::from_utf8(name).is_ok_and(|name| is_such(name.trim_ascii_end()))
    })
}

fn has_empty_line(head: &[u8], from: usize) -> bool {
    let begins_empty = head.starts_with(b"\n") || head.starts_with(b"\r\n");
    begins_empty
        || head[from..].windows(2).any(|pair| pair == b"\n\n")
        || head[from..].windows(3).any(|three| three == b"\n\r\n")
}

fn is_of_servers(name: &str) -> bool {
    let is_arc =
        name.len() > ARC.len() && name.as_bytes()[..ARC.len()].eq_ignore_ascii_case(ARC.as_bytes());
    is_arc || OF_SERVERS.iter().any(|one| one.eq_ignore_ascii_case(name))
}

fn is_trace(name: &str) -> bool {
    is_of_servers(name) || OF_DELIVERY.iter().any(|one| one.eq_ignore_ascii_case(name))
}

/// The field, with the line ends of the message that it is put above.
fn line(field: &Field<'_>, eol: &[u8]) -> Vec<u8> {
    let mut out = [field.name.as_bytes(), b":"].concat();
    for (at, line) in field.value.split(|byte| *byte == b'\n').enumerate() {
        if at > 0 {
            out.extend_from_slice(eol);
        }
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    }
    out.extend_from_slice(eol);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Header {
        Header::read(&mut text.as_bytes()).unwrap()
    }

    fn written(outside: &str, message: &str, step: usize) -> Result<String, TraceFault> {
        let outside = header(outside);
        let mut out = Vec::new();
        let mut writer = TraceWriter::new(&outside, &mut out);
        let wrote = message
            .as_bytes()
            .chunks(step)
            .try_for_each(|bytes| writer.write_all(bytes));
        let wrote = wrote.and_then(|()| writer.finish());
        match (wrote, writer.fault()) {
            (Ok(()), None) => Ok(String::from_utf8(out).unwrap()),
            (_, fault) => Err(fault.unwrap()),
        }
    }

    const OUTSIDE: &str =
        "Return-Path: <e@f>\r\nReceived: from a\r\n\tby b\r\nTo: c@d\r\nEncl: x\r\n\r\n";

    #[test]
    fn what_is_outside_stands_on_top_and_what_is_inside_is_renamed() {
        let inside = "From: a@b\nreceived : from the bank\n by us\nARC-Seal: 1\nTo: c@d\n\nReceived: in the text\n";
        let told = "Return-Path: <e@f>\nReceived: from a\n\tby b\nFrom: a@b\nX-Sealed-received : from the bank\n by us\n\
                    X-Sealed-ARC-Seal: 1\nTo: c@d\n\nReceived: in the text\n";
        for step in [1, 2, 3, 7, 1_000] {
            assert_eq!(written(OUTSIDE, inside, step).unwrap(), told, "{step}");
            let crlf = inside.replace('\n', "\r\n");
            assert_eq!(
                written(OUTSIDE, &crlf, step).unwrap(),
                told.replace('\n', "\r\n"),
                "{step}"
            );
        }
    }

    #[test]
    fn messages_without_header_or_body_keep_every_byte() {
        for message in [
            "",
            "\n",
            "\n\n\n",
            "\r\nx",
            "To: a@b",
            "To: a@b\n",
            "no field\n\n",
            "To: a@b\n\n\n",
        ] {
            let told = written("Received: x\n\n", message, 1).unwrap();
            let eol = if message.starts_with("\r\n") {
                "\r\n"
            } else {
                "\n"
            };
            assert_eq!(told, format!("Received: x{eol}{message}"));
        }
    }

    #[test]
    fn a_header_in_which_trace_can_hide_is_refused() {
        for (message, fault) in [
            (
                " dkim=pass\nTo: a@b\n\n".to_owned(),
                TraceFault::Continuation,
            ),
            ("\tdkim=pass\n\n".to_owned(), TraceFault::Continuation),
            (
                "To: a@b\rReceived: from the bank\n\n".to_owned(),
                TraceFault::Hidden,
            ),
            (
                "X: y\n".repeat(HEADER_BYTES_MAX / 5 + 1),
                TraceFault::TooLong,
            ),
        ] {
            assert_eq!(written(OUTSIDE, &message, 4_096), Err(fault));
        }
    }

    #[test]
    fn only_fields_that_servers_add_mean_that_it_travelled() {
        for travelled in [
            "RECEIVED: x\n\n",
            "Arc-Seal: x\n\n",
            "Received-spf : x\n\n",
            "Authentication-results: x\n\n",
        ] {
            assert!(has_travelled(&header(travelled)), "{travelled}");
        }
        for not in [
            "Return-Path: x\n\n",
            "Delivered-To: x\n\n",
            "X-Received: x\n\n",
            "To: Received: x\n\n",
            "ARC-: x\n\n",
        ] {
            assert!(!has_travelled(&header(not)), "{not}");
        }
        assert_eq!(
            trace_names(&header(
                "Received: a\nTo: b\nRECEIVED: c\nReturn-Path: d\n\n"
            )),
            ["Received", "Return-Path"]
        );
    }
}
