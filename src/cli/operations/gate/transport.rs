//! Requests to gates over HTTP: the contact's address only, no redirects, no proxy, short deadlines, bounded answers.

use std::sync::Arc;
use std::time::Duration;

use encl::gate::client::{GatePlace, Transport, TransportError};
use encl::gate::protocol::ANSWER_BYTES_MAX;
use ureq::config::AutoHeaderValue;
use ureq::http::Response;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Error};

use crate::cli::errors::io_message;

/// From the first packet to the connection.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);
/// From the beginning to the last byte of the answer.
const ALL_TIME_MAX: Duration = Duration::from_secs(15);

/// Carries requests over the network.
pub(crate) struct Http;

impl Transport for Http {
    fn post(&self, gate: &GatePlace, request: &[u8]) -> Result<Vec<u8>, TransportError> {
        let agent = agent(gate)?;
        let sent = agent
            .post(format!("{}/gate", gate.url))
            .content_type("application/octet-stream")
            .send(request);
        body(sent, ANSWER_BYTES_MAX)
    }

    fn fetch(
        &self,
        gate: &GatePlace,
        path: &str,
        bytes_max: usize,
    ) -> Result<Vec<u8>, TransportError> {
        let agent = agent(gate)?;
        let sent = agent.get(format!("{}{path}", gate.url)).call();
        body(sent, bytes_max)
    }
}

/// One agent a call: no connection is kept, and no cookie.
fn agent(gate: &GatePlace) -> Result<Agent, TransportError> {
    let roots = match &gate.ca {
        Some(pem) => RootCerts::Specific(Arc::new(certificates(pem)?)),
        None => RootCerts::WebPki,
    };
    let config = Agent::config_builder()
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .https_only(gate.url.is_https())
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

/// The certificates in a PEM text: at least one, and nothing that cannot be read.
pub(crate) fn certificates(pem: &str) -> Result<Vec<Certificate<'static>>, TransportError> {
    let unfit = |what: &str| TransportError::Unreachable(format!("its --ca file {what}"));
    let mut found = Vec::new();
    for item in parse_pem(pem.as_bytes()) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(unfit("is damaged")),
        }
    }
    match found.is_empty() {
        true => Err(unfit("has no certificate in it")),
        false => Ok(found),
    }
}

fn body(sent: Result<Response<Body>, Error>, bytes_max: usize) -> Result<Vec<u8>, TransportError> {
    let mut response = sent.map_err(failed)?;
    let status = response.status().as_u16();
    if status != 200 {
        return Err(TransportError::Status(status));
    }
    let body = response.body_mut().with_config();
    body.limit(bytes_max as u64).read_to_vec().map_err(failed)
}

fn failed(error: Error) -> TransportError {
    match error {
        Error::Timeout(_) => TransportError::TimedOut,
        Error::BodyExceedsLimit(_) => TransportError::TooLong,
        Error::HostNotFound => TransportError::Unreachable("there is no such host".to_owned()),
        Error::Io(error) => TransportError::Unreachable(io_message(&error)),
        other => TransportError::Unreachable(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;
    use std::time::Instant;

    use encl::gate::card::GateUrl;

    use super::*;

    /// A server that answers each connection with these bytes, after reading the request as far as it comes at once.
    fn server(answer: impl Fn(&mut TcpStream) + Send + 'static) -> GatePlace {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 4_096]);
                answer(&mut stream);
            }
        });
        GatePlace {
            url: GateUrl::parse(&format!("http://127.0.0.1:{port}")).unwrap(),
            ca: None,
        }
    }

    fn fixed(answer: &'static str) -> GatePlace {
        server(move |stream| {
            let _ = stream.write_all(answer.as_bytes());
        })
    }

    #[test]
    fn an_answer_is_its_body() {
        let gate = fixed("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
        assert_eq!(Http.post(&gate, b"x").unwrap(), b"hello");
        assert_eq!(Http.card(&gate).unwrap(), b"hello");
    }

    #[test]
    fn a_redirect_is_not_followed_and_another_status_is_no_answer() {
        let other = server(|_| panic!("nobody was to come here"));
        let line = format!(
            "HTTP/1.1 302 Found\r\nlocation: {}/gate\r\ncontent-length: 0\r\n\r\n",
            other.url
        );
        let gate = server(move |stream| {
            let _ = stream.write_all(line.as_bytes());
        });
        assert_eq!(Http.post(&gate, b"x"), Err(TransportError::Status(302)));
        assert_eq!(Http.card(&gate), Err(TransportError::Status(302)));
        let busy = fixed("HTTP/1.1 429 Too Many Requests\r\ncontent-length: 0\r\n\r\n");
        assert_eq!(Http.post(&busy, b"x"), Err(TransportError::Status(429)));
    }

    #[test]
    fn an_endless_answer_ends() {
        let gate = server(|stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n");
            while stream.write_all(&[0; 4_096]).is_ok() {}
        });
        assert_eq!(Http.post(&gate, b"x"), Err(TransportError::TooLong));
        assert_eq!(Http.card(&gate), Err(TransportError::TooLong));
    }

    #[test]
    fn nobody_there_is_told_at_once_and_a_trickle_within_its_time() {
        let gate = GatePlace {
            url: GateUrl::parse("http://127.0.0.1:9").unwrap(),
            ca: None,
        };
        assert!(matches!(
            Http.post(&gate, b"x"),
            Err(TransportError::Unreachable(_))
        ));
        let slow = server(|stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n");
            while stream.write_all(b"a").is_ok() {
                thread::sleep(Duration::from_millis(500));
            }
        });
        let begin = Instant::now();
        assert_eq!(Http.post(&slow, b"x"), Err(TransportError::TimedOut));
        assert!(begin.elapsed() < ALL_TIME_MAX + Duration::from_secs(3));
    }

    #[test]
    fn a_ca_file_without_certificates_is_told() {
        for pem in [
            "",
            "hello",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
        ] {
            assert!(certificates(pem).is_err(), "{pem}");
        }
    }
}
