//! The log as others see it: its hashes as C2SP tlog-tiles, and no entry.

use encl::gate::log::Checkpoint;
use sha2::{Digest as _, Sha256};

use crate::office::{Office, ask, post, sealed};
use crate::server::Server;

type Hash = [u8; 32];

/// MTH of RFC 6962 over hashes of leaves, by its definition.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(many.len().next_power_of_two() / 2);
            let node = [&[1][..], &root(left), &root(right)].concat();
            Sha256::digest(node).into()
        }
    }
}

fn tile(server: &Server, path: &str) -> Option<Vec<Hash>> {
    let answer = server.client().get(path).unwrap();
    if answer.status != 200 {
        assert_eq!((answer.status, answer.body.len()), (404, 0), "{path}");
        return None;
    }
    assert!(
        answer
            .head
            .contains("content-type: application/octet-stream")
    );
    assert!(answer.head.contains("cache-control: public, max-age="));
    let hashes = answer.body.chunks_exact(32);
    assert!(hashes.remainder().is_empty());
    Some(hashes.map(|hash| hash.try_into().unwrap()).collect())
}

#[test]
fn the_root_follows_from_the_tiles() {
    let server = Server::new();
    let office = Office::new(&server);
    let mut client = server.client();
    for _ in 0..260 {
        post(
            &mut client,
            &server.card,
            &sealed(&server.card, office.opening(0)),
        )
        .unwrap();
    }
    let answer = client.get("/checkpoint").unwrap();
    assert!(
        answer
            .head
            .contains("content-type: text/plain; charset=utf-8")
    );
    assert!(answer.head.contains("cache-control: no-store"));
    let head = Checkpoint::read(&answer.body, server.card.log_key()).unwrap();
    assert_eq!(head.size, 262);
    let full = tile(&server, "/tile/0/000").unwrap();
    let rest = tile(&server, "/tile/0/001.p/6").unwrap();
    assert_eq!((full.len(), rest.len()), (256, 6));
    let leaves = [&full[..], &rest].concat();
    assert_eq!(root(&leaves), head.root);
    // One level up is the hash of the full tile, and of it alone.
    assert_eq!(tile(&server, "/tile/1/000.p/1"), Some(vec![root(&full)]));
    // Partial tiles of earlier sizes too: somebody may have a checkpoint of then.
    assert_eq!(tile(&server, "/tile/0/000.p/7").unwrap(), full[..7]);
    let entries = server.entries();
    let line = entries[3].to_line();
    assert_eq!(full[3], encl::gate::log::leaf_hash(&line));
    for path in [
        "/tile/0/001",
        "/tile/0/001.p/7",
        "/tile/0/002.p/1",
        "/tile/1/000",
        "/tile/1/000.p/2",
        "/tile/2/000.p/1",
        "/tile/entries/000",
        "/tile/entries/001.p/6",
        "/tile/0/0",
        "/tile/64/000",
        "/tile/0/x000/000",
        "/tile/",
        "/tile/0/000.p/0",
        "/tile/0/../0/000",
        "/tile/63/x999/999",
    ] {
        assert_eq!(tile(&server, path), None, "{path}");
    }
    let put = b"PUT /tile/0/000 HTTP/1.1\r\nhost: gate\r\ncontent-length: 0\r\n\r\n";
    assert_eq!(client.send(put).unwrap().status, 404);
    // A hash that is erased or of an entry to come tells nothing, and the gate goes on.
    assert_eq!(ask(&server, office.opening(0)), "open");
}
