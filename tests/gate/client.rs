//! HTTP by hand: what is sent is what the test says, byte by byte.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No answer takes longer on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// Somebody who asks over one connection, and opens another when it was closed.
pub(crate) struct Client {
    address: SocketAddr,
    stream: Option<TcpStream>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            stream: None,
        }
    }

    /// Posts a request; an error when the gate went away.
    pub(crate) fn post(&mut self, body: &[u8]) -> io::Result<Response> {
        let length = body.len();
        let head = format!("POST /gate HTTP/1.1\r\nhost: gate\r\ncontent-length: {length}\r\n\r\n");
        self.send(&[head.as_bytes(), body].concat())
    }

    pub(crate) fn get(&mut self, path: &str) -> io::Result<Response> {
        self.send(format!("GET {path} HTTP/1.1\r\nhost: gate\r\n\r\n").as_bytes())
    }

    /// Sends bytes and reads one response.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<Response> {
        if self.stream.is_none() {
            self.stream = Some(connect(self.address)?);
        }
        let stream = self.stream.as_mut().unwrap();
        let response = stream.write_all(bytes).and_then(|()| response(stream));
        if response
            .as_ref()
            .is_ok_and(|response| !response.head.contains("close"))
        {
            return response;
        }
        self.stream = None;
        response
    }
}

pub(crate) fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Reads one response with a `content-length`.
pub(crate) fn response(stream: &mut TcpStream) -> io::Result<Response> {
    let ended = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut bytes = Vec::new();
    let mut chunk = [0; 16_384];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut chunk)? {
            0 => return Err(ended()),
            count => bytes.extend_from_slice(&chunk[..count]),
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec())
        .unwrap()
        .to_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    let mut body = bytes.split_off(end);
    while body.len() < length {
        match stream.read(&mut chunk)? {
            0 => return Err(ended()),
            count => body.extend_from_slice(&chunk[..count]),
        }
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Response { status, head, body })
}
