//! witness add, list, remove: other gates that watch this one and are watched by it.

use std::path::Path;

use encl::crypto::signing::RootId;
use encl::gate::card::GateUrl;
use encl::identity::fingerprint;
use serde_json::{Value, json};

use super::Gate;
use crate::args::WitnessCommand;
use crate::failure::Failure;
use crate::folder::Dir;
use crate::keys::PassphraseSource;
use crate::output::Output;
use crate::store::{Peer, Store};
use crate::witnesses::{Place, authority, card};

pub(super) fn run(
    command: WitnessCommand,
    source: &PassphraseSource,
    output: &mut Output,
) -> Result<(), Failure> {
    match command {
        WitnessCommand::Add {
            dir,
            url,
            fingerprint,
            ca,
        } => add(
            (Dir::open(&dir)?, source),
            (&url, ca.as_deref()),
            fingerprint,
            output,
        ),
        WitnessCommand::List { dir } => list(&Dir::open(&dir)?, output),
        WitnessCommand::Remove { dir, witness } => remove(&Dir::open(&dir)?, &witness, output),
    }
}

fn add(
    (dir, source): (Dir, &PassphraseSource),
    (url, ca): (&GateUrl, Option<&Path>),
    expected: Option<RootId>,
    output: &mut Output,
) -> Result<(), Failure> {
    let failure = |why: String| Failure::new(format!("cannot add the witness {url}"), why);
    let ca = ca.map(authority).transpose()?;
    let place = Place {
        url,
        ca: ca.as_deref(),
    };
    let card = card(place).map_err(failure)?;
    if expected.is_some_and(|expected| expected != card.id()) {
        let other = format!("its fingerprint is {}", fingerprint(&card.id()));
        let hint = "somebody may be in between: ask its operator by another way";
        return Err(failure(other).hint(hint));
    }
    // Only now: whoever is slow to answer keeps no other command waiting.
    let gate = Gate::locked(dir, source)?;
    let store = |error: rusqlite::Error| failure(error.to_string());
    let mut database = Store::open(&gate.dir.database()).map_err(store)?;
    let mut transaction = database.begin().map_err(store)?;
    let own = gate.keys.identity.id();
    let added = transaction.add_peer(&card, (url, ca.as_deref()), own);
    added
        .map_err(store)?
        .map_err(|refused| failure(refused.to_string()))?;
    transaction.commit().map_err(store)?;
    output.facts(&[
        ("id", card.id().to_string().into()),
        ("fingerprint", fingerprint(&card.id()).into()),
        ("name", card.name().into()),
        ("url", url.as_str().into()),
        ("origin", card.log_key().name.as_str().into()),
        ("compared", expected.is_some().into()),
    ])
}

fn list(dir: &Dir, output: &mut Output) -> Result<(), Failure> {
    let path = dir.database();
    let failure = |error| Failure::file("read", &path, error);
    let mut store = Store::open(&path).map_err(failure)?;
    let peers = store.look().and_then(|transaction| transaction.peers());
    let peers = peers.map_err(failure)?;
    output.facts(&facts(&peers, output.is_json()))
}

/// The witnesses: in JSON a list, as text a line for each.
pub(super) fn facts(peers: &[Peer], is_json: bool) -> Vec<(&'static str, Value)> {
    if is_json {
        let list = peers.iter().map(object);
        return vec![("witnesses", list.collect())];
    }
    let lines = peers.iter().map(|peer| ("witness", line(peer).into()));
    lines.collect()
}

fn object(peer: &Peer) -> Value {
    let cosigned = peer.cosigned.as_ref();
    json!({
        "id": peer.id.to_string(),
        "name": peer.name,
        "url": peer.url.as_str(),
        "origin": peer.log.name,
        "cosigned": cosigned.map(|cosigned| cosigned.size),
        "cosigned_at": cosigned.map(|cosigned| cosigned.at.to_string()),
        "asked": peer.asked.map(|asked| asked.to_string()),
        "trouble": peer.trouble,
    })
}

fn line(peer: &Peer) -> String {
    let cosigned = peer.cosigned.as_ref();
    let cosigned = cosigned.map_or("has cosigned nothing yet".to_owned(), |cosigned| {
        format!("cosigned {} entries at {}", cosigned.size, cosigned.at)
    });
    let trouble = peer.trouble.as_ref();
    let trouble = trouble.map_or(String::new(), |trouble| format!("; now: {trouble}"));
    format!("{}, {}: {cosigned}{trouble}", peer.name, peer.url)
}

fn remove(dir: &Dir, named: &str, output: &mut Output) -> Result<(), Failure> {
    let failure = |why: String| Failure::new(format!("cannot remove the witness {named}"), why);
    let store = |error: rusqlite::Error| failure(error.to_string());
    let _lock = dir.change_lock()?;
    let mut database = Store::open(&dir.database()).map_err(store)?;
    let mut transaction = database.begin().map_err(store)?;
    let peers = transaction.peers().map_err(store)?;
    let url = GateUrl::typed(named).ok();
    let is_named = |peer: &&Peer| {
        peer.name == named || Some(&peer.url) == url.as_ref() || peer.id.to_string() == named
    };
    let mut found = peers.iter().filter(is_named);
    let (peer, None) = (found.next(), found.next()) else {
        return Err(failure("several are called so".to_owned()).hint("name its address or its id"));
    };
    let peer =
        peer.ok_or_else(|| failure("there is none of this name, address or id".to_owned()))?;
    transaction.remove_peer(peer.id).map_err(store)?;
    transaction.wait_for_witness().map_err(store)?;
    transaction.commit().map_err(store)?;
    output.facts(&[
        ("id", peer.id.to_string().into()),
        ("name", peer.name.as_str().into()),
        ("removed", true.into()),
    ])
}
