//! Requests to other gates: to the address that the operator typed and to no other, without redirects and proxies, with deadlines and
//! bounds.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use encl::gate::card::{GateCard, GateUrl};
use encl::gate::client::CARD_BYTES_MAX;
use encl::gate::log::Submission;
use encl::json::is_clean;
use ureq::config::AutoHeaderValue;
use ureq::http::Response;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body};

use crate::failure::Failure;
use crate::folder;

/// From the first packet to the connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// From the beginning to the last byte of the answer.
const ALL_TIME_MAX: Duration = Duration::from_secs(15);
/// Bytes of the signature lines of a witness.
const LINES_BYTES_MAX: usize = 8 << 10;

/// Where a witness is reached.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) url: &'a GateUrl,
    /// The certificates (PEM) that its own must come from; `None`: those of the web.
    pub(crate) ca: Option<&'a str>,
}

/// Fetches the card of a gate; the error is in words.
pub(crate) fn card(place: Place<'_>) -> Result<GateCard, String> {
    let sent = agent(place)?.get(format!("{}/card", place.url)).call();
    match body(sent, CARD_BYTES_MAX)? {
        (200, text) => GateCard::from_text(&text).map_err(|error| error.to_string()),
        (status, _) => Err(format!("it answered with HTTP status {status}")),
    }
}

/// Hands a checkpoint to a witness: the status and the body of its answer.
pub(super) fn submit(place: Place<'_>, submission: &Submission) -> Result<(u16, Vec<u8>), String> {
    let sent = agent(place)?
        .post(format!("{}/add-checkpoint", place.url))
        .content_type("text/plain; charset=utf-8")
        .send(submission.to_body());
    body(sent, LINES_BYTES_MAX)
}

/// One agent a call: no connection is kept, and no cookie.
fn agent(place: Place<'_>) -> Result<Agent, String> {
    let roots = match place.ca {
        Some(pem) => RootCerts::Specific(Arc::new(certificates(pem)?)),
        None => RootCerts::WebPki,
    };
    let config = Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .https_only(place.url.is_https())
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .http_status_as_error(false)
        .user_agent(AutoHeaderValue::None)
        .timeout_connect(Some(CONNECT_TIME_MAX))
        .timeout_global(Some(ALL_TIME_MAX))
        .max_idle_connections(0);
    Ok(config.build().new_agent())
}

fn body(
    sent: Result<Response<Body>, ureq::Error>,
    bytes_max: usize,
) -> Result<(u16, Vec<u8>), String> {
    let mut response = sent.map_err(|error| words(&error))?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config().limit(bytes_max as u64);
    let body = body.read_to_vec().map_err(|error| words(&error))?;
    Ok((status, body))
}

/// What is wrong, without what only a terminal would obey: parts of an answer may be in it.
fn words(error: &ureq::Error) -> String {
    let text = error.to_string();
    match is_clean(&text) {
        true => text,
        false => "what it answered is not HTTP".to_owned(),
    }
}

/// The certificates in a PEM text: at least one, and nothing that cannot be read.
fn certificates(pem: &str) -> Result<Vec<Certificate<'static>>, String> {
    let mut found = Vec::new();
    for item in parse_pem(pem.as_bytes()) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err("the certificates (PEM) are damaged".to_owned()),
        }
    }
    match found.is_empty() {
        true => Err("there is no certificate (PEM) in it".to_owned()),
        false => Ok(found),
    }
}

/// Reads a file of certificates.
pub(crate) fn authority(path: &Path) -> Result<String, Failure> {
    let failure = |why: String| Failure::file("use the certificates in", path, why);
    let bytes = folder::read(path)?;
    let text = String::from_utf8(bytes.to_vec());
    let text = text.map_err(|_| failure("it is not a text (PEM)".to_owned()))?;
    certificates(&text).map_err(failure)?;
    Ok(text)
}
