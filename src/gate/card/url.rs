//! The address of a gate: scheme, host and port, and nothing else.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Serialize, Serializer};

use crate::policy::URL_BYTES_MAX;

/// Bytes of one part of a host's name (RFC 1035 §2.3.4).
const LABEL_BYTES_MAX: usize = 63;

/// Where a gate is reached: `https://gate.example.org`, `http://127.0.0.1:7700`. There is one way to write each.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GateUrl {
    text: String,
    is_https: bool,
    /// Of the text: where the host ends.
    host_end: usize,
    port: u16,
}

/// Text that is not the address of a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address like https://gate.example.org or http://127.0.0.1:7700, without a path")]
pub struct NotAUrl;

impl GateUrl {
    /// Reads an address as it stands on cards: small letters, no port where it is the usual one, nothing behind the port.
    ///
    /// # Errors
    /// [`NotAUrl`].
    pub fn parse(text: &str) -> Result<Self, NotAUrl> {
        let (is_https, rest) = scheme(text).ok_or(NotAUrl)?;
        let (host, port) = split_port(rest).ok_or(NotAUrl)?;
        let usual = if is_https { 443 } else { 80 };
        let number = match port {
            None => usual,
            Some(digits) => port_number(digits).ok_or(NotAUrl)?,
        };
        let is_canonical = port.is_none() || number != usual;
        if text.len() > URL_BYTES_MAX || !is_canonical || !is_host(host) {
            return Err(NotAUrl);
        }
        Ok(Self {
            host_end: text.len() - rest.len() + host.len(),
            text: text.to_owned(),
            is_https,
            port: number,
        })
    }

    /// Reads an address as a person types it: in capitals, with the usual port, with a `/` at the end.
    ///
    /// # Errors
    /// [`NotAUrl`].
    pub fn typed(text: &str) -> Result<Self, NotAUrl> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_suffix('/').unwrap_or(&text);
        let usual = if text.starts_with("https:") {
            ":443"
        } else {
            ":80"
        };
        Self::parse(text.strip_suffix(usual).unwrap_or(text))
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether TLS is used.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// The host: a name or an address, an IPv6 address in brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let begin = if self.is_https { "https://" } else { "http://" }.len();
        &self.text[begin..self.host_end]
    }

    /// The port, the usual one too.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl fmt::Display for GateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for GateUrl {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.text)
    }
}

fn scheme(text: &str) -> Option<(bool, &str)> {
    let https = text.strip_prefix("https://").map(|rest| (true, rest));
    https.or_else(|| text.strip_prefix("http://").map(|rest| (false, rest)))
}

/// Host and port; the colons inside of brackets belong to the host.
fn split_port(rest: &str) -> Option<(&str, Option<&str>)> {
    let host_end = if rest.starts_with('[') {
        rest.find(']')? + 1
    } else {
        rest.find(':').unwrap_or(rest.len())
    };
    let (host, behind) = rest.split_at(host_end);
    match behind.strip_prefix(':') {
        Some(port) => Some((host, Some(port))),
        None => behind.is_empty().then_some((host, None)),
    }
}

fn port_number(digits: &str) -> Option<u16> {
    let number: u16 = digits.parse().ok()?;
    (number > 0 && number.to_string() == digits).then_some(number)
}

fn is_host(host: &str) -> bool {
    if let Some(inner) = host.strip_prefix('[') {
        let address = inner.strip_suffix(']');
        let address = address.and_then(|inner| inner.parse::<Ipv6Addr>().ok());
        return address.is_some_and(|address| format!("[{address}]") == host);
    }
    let last = host.rsplit('.').next().unwrap_or(host);
    // What ends in a number is an IPv4 address or nothing (WHATWG URL, "ends in a number").
    if last.starts_with(|first: char| first.is_ascii_digit()) {
        return host.parse::<Ipv4Addr>().is_ok();
    }
    host.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && label.bytes().all(letter)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        for (text, host, port) in [
            ("https://gate.example.org", "gate.example.org", 443),
            ("http://localhost:7700", "localhost", 7700),
            ("http://127.0.0.1:7700", "127.0.0.1", 7700),
            ("https://[::1]:8443", "[::1]", 8443),
            ("http://gate", "gate", 80),
            (
                "https://xn--bcher-kva.example:80",
                "xn--bcher-kva.example",
                80,
            ),
        ] {
            let url = GateUrl::parse(text).unwrap();
            assert_eq!((url.as_str(), url.host(), url.port()), (text, host, port));
            assert_eq!(url.is_https(), text.starts_with("https"));
            assert_eq!(GateUrl::typed(text), Ok(url));
        }
    }

    #[test]
    fn what_is_no_address_of_a_gate_is_refused() {
        let long = format!("https://{}", ["a".repeat(60).as_str(); 5].join("."));
        for text in [
            "",
            "gate.example.org",
            "ftp://gate.example.org",
            "https://",
            "https://gate.example.org/",
            "https://gate.example.org/gate",
            "https://gate.example.org?a",
            "https://gate.example.org#a",
            "https://bob@gate.example.org",
            "https://bob:secret@gate.example.org",
            "https://gate.example.org:443",
            "http://gate.example.org:80",
            "https://gate.example.org:0",
            "https://gate.example.org:080",
            "https://gate.example.org:+80",
            "https://gate.example.org:65536",
            "https://gate.example.org:",
            "https://Gate.example.org",
            "HTTPS://gate.example.org",
            "https://b\u{fc}cher.example",
            "https://gate..example",
            "https://gate.example.",
            "https://-gate.example",
            "https://127.1",
            "https://0x7f.0.0.1",
            "https://127.0.0.01",
            "https://[::1",
            "https://[0:0:0:0:0:0:0:1]",
            "https://[::1]8443",
            "https://[fe80::1%eth0]",
            "https://gate example",
            "https://gate.example.org\n",
            &long,
        ] {
            assert_eq!(GateUrl::parse(text), Err(NotAUrl), "{text}");
        }
        for typed in [
            "HTTPS://Gate.Example.org:443/",
            " https://gate.example.org/ ",
        ] {
            let url = GateUrl::typed(typed).unwrap();
            assert_eq!(url.as_str(), "https://gate.example.org");
        }
        assert_eq!(GateUrl::typed("https://gate.example.org/a/"), Err(NotAUrl));
    }
}
