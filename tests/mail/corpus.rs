//! The corpus: every message by its name, counted against `counts.json`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// A message of the corpus.
pub(crate) struct Message {
    /// Its path in the corpus, and for one out of an mbox its number behind `#`.
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

impl Message {
    /// With every line end turned into LF.
    pub(crate) fn with_lf(&self) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        let mut after_cr = false;
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes.drain(..) {
            if byte == b'\n' && after_cr {
                out.pop();
            }
            after_cr = byte == b'\r';
            out.push(byte);
        }
        out
    }

    /// With every line end turned into CRLF.
    pub(crate) fn with_crlf(&self) -> Vec<u8> {
        let lf = self.with_lf();
        let lines = lf.split(|byte| *byte == b'\n');
        lines.collect::<Vec<_>>().join(&b"\r\n"[..])
    }
}

/// All 178 messages that are files of their own, and the pieces of all mboxes, cut at the `From ` lines that stand first or
/// behind an empty line.
pub(crate) fn messages() -> Vec<Message> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus");
    let counts: Value =
        serde_json::from_slice(&fs::read(root.join("counts.json")).unwrap()).unwrap();
    let mut messages = Vec::new();
    let (mut singles, mut pieces) = (0, 0);
    for (folder, count) in counts["folders"].as_object().unwrap() {
        if count["messages"] == 0 {
            continue;
        }
        let is_none = |name: &str| {
            let list = count["not_messages"].as_array();
            list.is_some_and(|list| list.iter().any(|none| none == name))
        };
        for path in files(&root.join(folder)) {
            let name = path
                .strip_prefix(root.join(folder))
                .unwrap()
                .to_str()
                .unwrap();
            let bytes = fs::read(&path).unwrap();
            if let Some(mbox) = count["mbox"].get(name) {
                let cut = cut(&bytes);
                assert_eq!(mbox["from_lines_after_blank"], cut.len(), "{name}");
                pieces += cut.len();
                messages.extend(cut.into_iter().enumerate().map(|(number, bytes)| Message {
                    name: format!("{folder}/{name}#{}", number + 1),
                    bytes,
                }));
            } else if !is_none(name) {
                singles += 1;
                messages.push(Message {
                    name: format!("{folder}/{name}"),
                    bytes,
                });
            }
        }
    }
    assert_eq!(counts["total"]["single_messages"], singles);
    assert!(pieces >= 65, "only {pieces} pieces");
    messages
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn cut(mbox: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    let mut after_empty = true;
    let ends_line = |byte: &u8| matches!(byte, b'\n' | b'\r');
    for line in mbox.split_inclusive(|byte| *byte == b'\n') {
        // One mbox has bare CR throughout.
        for line in bare_cr_lines(line) {
            if after_empty && line.starts_with(b"From ") {
                pieces.push(Vec::new());
            }
            after_empty = line.iter().all(ends_line);
            if let Some(piece) = pieces.last_mut() {
                piece.extend_from_slice(line);
            }
        }
    }
    pieces
}

fn bare_cr_lines(line: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = Vec::new();
    let mut from = 0;
    for (at, byte) in line.iter().enumerate() {
        if *byte == b'\r' && line.get(at + 1).is_some_and(|next| *next != b'\n') {
            lines.push(&line[from..=at]);
            from = at + 1;
        }
    }
    lines.push(&line[from..]);
    lines
}
