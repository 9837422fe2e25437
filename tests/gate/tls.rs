//! A gate behind TLS: a tiny terminator in front of it, with certificates that fit and that do not. Both programs use the same rules.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};

use tempfile::TempDir;

use crate::server::{Server, path};
use crate::support::process;

/// Carries bytes between TLS and a port of this machine. Its arguments are the certificate, its key and the port.
const TERMINATOR: &str = "
import socket, ssl, sys, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
def carry(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    finally:
        for end in (source, target):
            try: end.shutdown(socket.SHUT_RDWR)
            except OSError: pass
def serve(raw):
    try:
        outside = context.wrap_socket(raw, server_side=True)
        inside = socket.create_connection(('127.0.0.1', int(sys.argv[3])))
    except OSError:
        raw.close()
        return
    threading.Thread(target=carry, args=(outside, inside), daemon=True).start()
    carry(inside, outside)
while True:
    raw, _ = listener.accept()
    threading.Thread(target=serve, args=(raw,), daemon=True).start()
";

struct Terminator {
    child: Child,
    url: String,
}

impl Terminator {
    fn new(certificates: &Certificates, name: &str, gate: &Server) -> Self {
        let mut command = process::command("python3");
        let port = gate.address().port().to_string();
        let file = |end: &str| certificates.file(&format!("{name}.{end}"));
        command.args([
            "-c",
            TERMINATOR,
            path(&file("pem")),
            path(&file("key")),
            &port,
        ]);
        let spawned = command.stdout(Stdio::piped()).spawn();
        let mut child = spawned.expect("this test needs python3");
        let mut port = String::new();
        let out = child.stdout.take().unwrap();
        BufReader::new(out).read_line(&mut port).unwrap();
        let url = format!("https://localhost:{}", port.trim());
        Self { child, url }
    }
}

impl Drop for Terminator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two authorities, and certificates of the first.
struct Certificates(TempDir);

impl Certificates {
    fn new() -> Self {
        let own = Self(tempfile::tempdir().unwrap());
        for authority in ["ca", "other-ca"] {
            let (key, pem) = (
                own.file(&format!("{authority}.key")),
                own.file(&format!("{authority}.pem")),
            );
            own.openssl(
                &[],
                &[
                    "req",
                    "-x509",
                    "-newkey",
                    "ec",
                    "-pkeyopt",
                    "ec_paramgen_curve:P-256",
                    "-nodes",
                    "-subj",
                    "/CN=authority",
                    "-days",
                    "30",
                    "-keyout",
                    path(&key),
                    "-out",
                    path(&pem),
                ],
            );
        }
        own.issue("good", "localhost", &[]);
        own.issue("other-name", "gate.example.org", &[]);
        own.issue("expired", "localhost", &["faketime", "2020-01-01 12:00:00"]);
        own
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn issue(&self, name: &str, host: &str, at: &[&str]) {
        let file = |end: &str| self.file(&format!("{name}.{end}"));
        let (key, request, pem) = (file("key"), file("csr"), file("pem"));
        self.openssl(
            &[],
            &[
                "req",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-subj",
                "/CN=gate",
                "-keyout",
                path(&key),
                "-out",
                path(&request),
            ],
        );
        let extensions = file("ext");
        std::fs::write(&extensions, format!("subjectAltName=DNS:{host}\n")).unwrap();
        self.openssl(
            at,
            &[
                "x509",
                "-req",
                "-in",
                path(&request),
                "-CA",
                path(&self.file("ca.pem")),
                "-CAkey",
                path(&self.file("ca.key")),
                "-CAcreateserial",
                "-days",
                "10",
                "-extfile",
                path(&extensions),
                "-out",
                path(&pem),
            ],
        );
    }

    fn openssl(&self, under: &[&str], arguments: &[&str]) {
        let words = [under, &["openssl"], arguments].concat();
        let mut command = process::command(words[0]);
        command.args(&words[1..]).current_dir(self.0.path());
        let made = process::output(&mut command);
        assert!(
            made.status.success(),
            "this test needs openssl and faketime: {made:?}"
        );
    }
}

/// `encl gate add`, by somebody who has nothing else.
fn add(home: &Path, url: &str, ca: Option<&Path>) -> Output {
    let mut command = process::command(env!("CARGO_BIN_EXE_encl"));
    command.args(["gate", "add", url, "--yes"]);
    command.env("ENCL_KEYSTORE", home.join("keystore"));
    command.env("XDG_STATE_HOME", home.join("state"));
    if let Some(ca) = ca {
        command.args(["--ca", path(ca)]);
    }
    process::output(&mut command)
}

/// `encl-gate witness add`, by another gate.
fn watch(other: &Server, url: &str, ca: Option<&Path>) -> Output {
    let with_ca = ca.map(|ca| ["--ca", path(ca)]);
    let arguments = with_ca.iter().flatten().copied();
    other.witness(
        "add",
        &[url].into_iter().chain(arguments).collect::<Vec<_>>(),
    )
}

#[test]
fn only_a_certificate_of_the_named_authority_counts() {
    let gate = Server::new();
    let other = Server::stopped_at("other.example");
    let certificates = Certificates::new();
    let home = tempfile::tempdir().unwrap();
    let (ca, other_ca) = (
        certificates.file("ca.pem"),
        certificates.file("other-ca.pem"),
    );
    let refused = |name: &str, ca: Option<&Path>| {
        let terminator = Terminator::new(&certificates, name, &gate);
        let added = add(home.path(), &terminator.url, ca);
        assert_eq!(added.status.code(), Some(1), "{name}: {added:?}");
        let added = watch(&other, &terminator.url, ca);
        assert_eq!(added.status.code(), Some(1), "{name}: {added:?}");
    };
    refused("other-name", Some(&ca));
    refused("expired", Some(&ca));
    refused("good", Some(&other_ca));
    // That of the web do not know it.
    refused("good", None);
    let terminator = Terminator::new(&certificates, "good", &gate);
    let added = watch(&other, &terminator.url, Some(&ca));
    assert!(added.status.success(), "{added:?}");
    let added = add(home.path(), &terminator.url, Some(&ca));
    assert!(added.status.success(), "{added:?}");
}

/// The files for systemd and nginx are taken by these programs.
#[test]
fn the_examples_are_read_by_their_programs() {
    let folder = tempfile::tempdir().unwrap();
    let example = |name: &str| {
        let place = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples/gate")
            .join(name);
        std::fs::read_to_string(place).unwrap()
    };
    let unit = example("encl-gate.service");
    let installed = "/usr/local/bin/encl-gate";
    assert!(unit.contains(installed));
    let unit = unit.replace(installed, env!("CARGO_BIN_EXE_encl-gate"));
    let file = folder.path().join("encl-gate.service");
    std::fs::write(&file, unit).unwrap();
    let mut command = process::command("systemd-analyze");
    let verified = process::output(command.args(["verify", "--man=no", path(&file)]));
    let told = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success(), "{told}");
    assert!(!told.contains("encl-gate.service"), "{told}");
    let certificates = Certificates::new();
    let site = example("nginx.conf")
        .replace(
            "/etc/ssl/gate.example.org.pem",
            path(&certificates.file("good.pem")),
        )
        .replace(
            "/etc/ssl/private/gate.example.org.key",
            path(&certificates.file("good.key")),
        );
    let here = path(folder.path());
    let whole =
        format!("pid {here}/pid;\nevents {{}}\nhttp {{\naccess_log {here}/access;\n{site}\n}}\n");
    let file = folder.path().join("nginx.conf");
    std::fs::write(&file, whole).unwrap();
    let mut command = process::command("nginx");
    // Debian puts it where only root looks.
    let place = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin";
    command.env("PATH", place);
    let log = format!("{here}/errors");
    let tested = process::output(command.args(["-t", "-p", here, "-e", &log, "-c", path(&file)]));
    assert!(tested.status.success(), "{tested:?}");
}
