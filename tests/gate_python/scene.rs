//! Gates that run, three people, and envelopes between them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::SigningKey;
use encl::crypto::{Kem, PrivateKey};
use encl::envelope::{Addressee, GateAddressee, GateRequest, LockRequest, SealRequest, seal};
use encl::gate::card::GateCard;
use encl::json::to_b64;
use encl::policy::{Conditions, GateKind, Recipient};
use encl::time::Time;
use rand::rand_core::UnwrapErr;
use rand::rngs::SysRng;
use serde_json::{Value, json};

use crate::python::python;
use crate::support::process;

const CREATED: &str = "2026-11-24T06:24:00Z";

pub(crate) fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

/// What the gate lock of an envelope is like, and what stands before it.
#[derive(Clone)]
pub(crate) struct Gates {
    pub(crate) need: u8,
    pub(crate) servers: usize,
    pub(crate) is_listed: bool,
    pub(crate) is_private: bool,
    pub(crate) words: Option<&'static str>,
    pub(crate) conditions: Conditions,
}

impl Gates {
    pub(crate) fn of(need: u8, servers: usize) -> Self {
        Self {
            need,
            servers,
            is_listed: true,
            is_private: false,
            words: None,
            conditions: Conditions::default(),
        }
    }
}

struct Person {
    name: &'static str,
    root: SigningKey,
    key: PrivateKey,
}

impl Person {
    fn new(name: &'static str, kem: Kem) -> Self {
        Self {
            name,
            root: SigningKey::generate(&mut rng()),
            key: PrivateKey::generate(kem, &mut rng()),
        }
    }

    fn addressee(&self) -> Addressee {
        let public = self.key.public_key();
        let recipient = Recipient {
            name: self.name.to_owned(),
            address: None,
            id: self.root.id(),
            key: public.key_id(),
        };
        Addressee { recipient, public }
    }

    fn identity(&self) -> String {
        let line = json!({
            "identity": "encl/1",
            "id": to_b64(&self.root.id().0),
            "seed": to_b64(self.root.seed().expose()),
            "keys": [{
                "kem": self.key.kem().name(),
                "secret": to_b64(self.key.secret().expose()),
                "serial": 1,
                "created": CREATED,
            }],
        });
        format!("{line}\n")
    }
}

/// A gate in its folder, and the process that serves it.
struct Server {
    process: Child,
    card: GateCard,
    card_file: PathBuf,
}

impl Server {
    fn new(folder: &Path) -> Self {
        let port = {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().port()
        };
        let url = format!("http://127.0.0.1:{port}");
        let gate = || Command::new(env!("CARGO_BIN_EXE_encl-gate"));
        let init = gate()
            .arg("init")
            .arg(folder)
            .args(["--url", &url])
            .output();
        assert!(init.unwrap().status.success());
        let listen = format!("127.0.0.1:{port}");
        let mut process = gate()
            .arg("serve")
            .arg(folder)
            .args(["--listen", &listen])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        assert!(line.contains(&listen), "{line}");
        let card_file = folder.join("card");
        Self {
            process,
            card: GateCard::from_text(&fs::read(&card_file).unwrap()).unwrap(),
            card_file,
        }
    }

    fn addressee(&self) -> GateAddressee {
        GateAddressee {
            kind: GateKind::Server,
            id: self.card.id(),
            name: Some(self.card.name().to_owned()),
            url: Some(self.card.url().as_str().to_owned()),
            public: self.card.newest_key().clone(),
        }
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Everything.
pub(crate) struct Scene {
    servers: Vec<Server>,
    people: [Person; 3],
    folder: tempfile::TempDir,
}

impl Scene {
    pub(crate) fn new(servers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let people = [
            Person::new("ann", Kem::X25519),
            Person::new("bob", Kem::X25519),
            Person::new("carol", Kem::XWing),
        ];
        for person in &people {
            fs::write(folder.path().join(person.name), person.identity()).unwrap();
            fs::create_dir(folder.path().join(format!("kept of {}", person.name))).unwrap();
        }
        let servers = (0..servers).map(|at| Server::new(&folder.path().join(format!("gate {at}"))));
        Self {
            servers: servers.collect(),
            people,
            folder,
        }
    }

    fn person(&self, name: &str) -> &Person {
        let mut people = self.people.iter();
        people.find(|person| person.name == name).unwrap()
    }

    pub(crate) fn id(&self, name: &str) -> String {
        self.person(name).root.id().to_string()
    }

    pub(crate) fn stop(&mut self, server: usize) {
        self.servers[server].stop();
    }

    /// An envelope of Ann's to all three, or behind words.
    pub(crate) fn sealed(&self, name: &str, gates: &Gates) -> PathBuf {
        let ann = &self.person("ann").root;
        let words = gates.words.map(|words| Passphrase::new(words).unwrap());
        let recipients = match &words {
            None => self.people.iter().map(Person::addressee).collect(),
            Some(_) => Vec::new(),
        };
        let request = SealRequest {
            locks: vec![LockRequest {
                recipients,
                passphrase: words.as_ref().map(|words| (words, Cost::DEFAULT)),
                ..LockRequest::default()
            }],
            gate: Some(GateRequest {
                need: gates.need,
                gates: self.servers[..gates.servers]
                    .iter()
                    .map(Server::addressee)
                    .collect(),
                owners: vec![ann.id()],
                keeper: None,
                is_listed: gates.is_listed,
                conditions: gates.conditions,
                lease: None,
            }),
            signer: Some(ann),
            private: gates.is_private,
            ..SealRequest::default()
        };
        let path = self.folder.path().join(name);
        let mut envelope = Vec::new();
        seal(&request, &mut &b"hello"[..], &mut envelope, &mut rng()).unwrap();
        fs::write(&path, envelope).unwrap();
        path
    }

    /// What the client says of opening an envelope as somebody, or as nobody.
    pub(crate) fn open(&self, file: &Path, who: &str, more: &[&str]) -> Value {
        let kept = self.folder.path().join(format!("kept of {who}"));
        let kept = kept.to_str().unwrap();
        match who {
            "" => self.client(file, who, more),
            who => self.client(file, who, &[&["--kept", kept], more].concat()),
        }
    }

    /// What the client says of what an owner does.
    pub(crate) fn say(&self, file: &Path, who: &str, more: &[&str]) -> Value {
        self.client(file, who, more)
    }

    fn client(&self, file: &Path, who: &str, more: &[&str]) -> Value {
        let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second_reader/gate.py");
        let mut run = python();
        run.arg(client).args(more);
        for server in &self.servers {
            run.arg("--card").arg(&server.card_file);
        }
        if !who.is_empty() {
            run.arg("--identity").arg(self.folder.path().join(who));
        }
        run.arg(file);
        let output = process::output(&mut run);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}
