//! One case of the kit, and its file: header lines, an empty line, the bytes.

use encl::crypto::sha256;

/// The time at which envelopes are opened, unless a case sets another.
const NOW: &str = "2026-11-24T12:00:00Z";

/// The input of a reader, and the answer of a correct reader.
pub(crate) struct Case {
    pub(crate) folder: &'static str,
    pub(crate) name: String,
    expect: String,
    payload: Option<[u8; 32]>,
    admission: Option<&'static str>,
    fingerprint: Option<[u8; 32]>,
    identities: Vec<&'static str>,
    passphrase: Option<String>,
    approvals: Vec<&'static str>,
    now: Option<&'static str>,
    comment: String,
    bytes: Vec<u8>,
}

impl Case {
    fn new(folder: &'static str, name: &str, comment: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            folder,
            name: name.to_owned(),
            expect: "success".to_owned(),
            payload: None,
            admission: None,
            fingerprint: None,
            identities: Vec::new(),
            passphrase: None,
            approvals: Vec::new(),
            now: None,
            comment: comment.to_owned(),
            bytes: bytes.into(),
        }
    }

    /// An envelope that Bob opens, unless other readers are set.
    pub(crate) fn envelope(name: &str, comment: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            payload: Some(sha256(&[])),
            identities: vec!["bob"],
            now: Some(NOW),
            ..Self::new("envelope", name, comment, bytes)
        }
    }

    pub(crate) fn card(name: &str, comment: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new("card", name, comment, bytes)
    }

    pub(crate) fn gate(name: &str, comment: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new("gate", name, comment, bytes)
    }

    pub(crate) fn group(name: &str, comment: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new("group", name, comment, bytes)
    }

    pub(crate) fn revocation(name: &str, comment: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new("revocation", name, comment, bytes)
    }

    pub(crate) fn identity(name: &str, comment: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new("identity", name, comment, bytes)
    }

    pub(crate) fn approval(name: &str, comment: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new("approval", name, comment, bytes)
    }

    /// The envelope opens to this content, and its reader is named in the policy.
    pub(crate) fn opens(self, content: &[u8]) -> Self {
        self.opens_to(content, "named")
    }

    pub(crate) fn opens_to(mut self, content: &[u8], admission: &'static str) -> Self {
        self.payload = Some(sha256(&[content]));
        self.admission = Some(admission);
        self
    }

    /// The file is valid and belongs to an identity with this root key.
    pub(crate) fn of(mut self, root: [u8; 32]) -> Self {
        self.fingerprint = Some(root);
        self
    }

    /// The input is refused, and nothing is released.
    pub(crate) fn refused(mut self, class: &str) -> Self {
        class.clone_into(&mut self.expect);
        self
    }

    /// The envelope is refused after this content was released.
    pub(crate) fn refused_after(mut self, class: &str, released: &[u8]) -> Self {
        self.payload = Some(sha256(&[released]));
        self.refused(class)
    }

    /// The readers who open the envelope, in order of preference.
    pub(crate) fn by(mut self, identities: &[&'static str]) -> Self {
        self.identities = identities.to_vec();
        self
    }

    pub(crate) fn with_passphrase(mut self, words: &str) -> Self {
        self.passphrase = Some(words.to_owned());
        self
    }

    pub(crate) fn with_approvals(mut self, names: &[&'static str]) -> Self {
        self.approvals = names.to_vec();
        self
    }

    pub(crate) fn at(mut self, now: &'static str) -> Self {
        self.now = Some(now);
        self
    }

    /// The bytes of the file in the kit.
    pub(crate) fn to_file(&self) -> Vec<u8> {
        let mut lines = vec![format!("expect: {}", self.expect)];
        let mut add = |name: &str, value: &str| lines.push(format!("{name}: {value}"));
        if let Some(hash) = self.payload {
            add("payload", &hex::encode(hash));
        }
        if let Some(admission) = self.admission {
            add("admission", admission);
        }
        if let Some(root) = self.fingerprint {
            add("fingerprint", &hex::encode(root));
        }
        for name in &self.identities {
            add("identity", name);
        }
        if let Some(words) = &self.passphrase {
            add("passphrase", words);
        }
        for name in &self.approvals {
            add("approval", name);
        }
        if let Some(now) = self.now {
            add("now", now);
        }
        add("comment", &self.comment);
        [lines.join("\n").as_bytes(), b"\n\n", &self.bytes].concat()
    }
}
