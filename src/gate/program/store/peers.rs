//! The gates that are each other's witnesses: where they are, what they have cosigned of this log, and what this gate has cosigned of
//! theirs. The latter outlives a peer that was removed: a witness never goes back.

use encl::crypto::signing::RootId;
use encl::gate::card::{GateCard, GateUrl};
use encl::gate::log::{Checkpoint, Hash, NoteKey, Witnessed};
use encl::time::Time;
use rusqlite::{OptionalExtension as _, Row, params};

use super::{Frozen, Tx};

/// Their cosignatures have to fit into an answer.
pub(crate) const PEERS_MAX: usize = 16;

/// Another gate that is asked to cosign, and whose checkpoints are cosigned.
#[derive(Debug, Clone)]
pub(crate) struct Peer {
    pub(crate) id: RootId,
    pub(crate) name: String,
    /// As the operator typed it, and not as its card says.
    pub(crate) url: GateUrl,
    pub(crate) ca: Option<String>,
    /// Of its card.
    pub(crate) serial: u64,
    /// Its log, and the key of checkpoints and cosignatures.
    pub(crate) log: NoteKey,
    pub(crate) cosigned: Option<Cosigned>,
    pub(crate) asked: Option<Time>,
    /// Why it has not cosigned, the last time that it was asked.
    pub(crate) trouble: Option<String>,
}

/// What a peer has cosigned of this gate's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cosigned {
    pub(crate) origin: String,
    pub(crate) size: u64,
    /// Its signature line.
    pub(crate) line: String,
    pub(crate) at: Time,
}

/// Why a gate cannot become a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoPeer {
    #[error("it is this gate itself, or one with the same log")]
    Own,
    #[error("another witness has the same log")]
    Taken,
    #[error("there are as many witnesses as can be")]
    Full,
    #[error("its log has another name than before: remove the witness and add it again")]
    OtherName,
}

/// What this gate has cosigned of a log.
pub(crate) type LastSeen = (String, u64, Hash);

impl Tx<'_> {
    pub(crate) fn peers(&self) -> rusqlite::Result<Vec<Peer>> {
        let sql = "SELECT id, name, url, ca, serial, origin, key, own_origin, size, line, at, asked, trouble FROM peer \
                   ORDER BY name, id";
        let mut found = self.transaction.prepare_cached(sql)?;
        let peers = found.query_map([], peer)?;
        peers.collect()
    }

    /// Adds a peer, or takes over its newer card and another address.
    pub(crate) fn add_peer(
        &mut self,
        card: &GateCard,
        (url, ca): (&GateUrl, Option<&str>),
        own: RootId,
    ) -> rusqlite::Result<Result<(), NoPeer>> {
        let peers = self.peers()?;
        let is_known = peers.iter().any(|peer| peer.id == card.id());
        if card.id() == own {
            return Ok(Err(NoPeer::Own));
        }
        if !is_known && peers.len() >= PEERS_MAX {
            return Ok(Err(NoPeer::Full));
        }
        if let Err(refused) = self.may_have(card)? {
            return Ok(Err(refused));
        }
        let sql = "INSERT INTO peer (id, name, url, ca, serial, origin, key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
                   ON CONFLICT (id) DO UPDATE SET name = ?2, url = ?3, ca = ?4, serial = ?5, origin = ?6, key = ?7, asked = NULL";
        let log = card.log_key();
        let (url, serial) = (url.as_str(), card.serial());
        let values = params![
            card.id().0,
            card.name(),
            url,
            ca,
            serial,
            log.name,
            log.key.0
        ];
        self.transaction.prepare_cached(sql)?.execute(values)?;
        Ok(Ok(()))
    }

    /// Takes over the card of a peer if it is newer.
    pub(crate) fn update_peer(&mut self, card: &GateCard) -> rusqlite::Result<Result<(), NoPeer>> {
        if let Err(refused) = self.may_have(card)? {
            return Ok(Err(refused));
        }
        let sql = "UPDATE peer SET name = ?2, serial = ?3, origin = ?4, key = ?5 WHERE id = ?1 AND serial < ?3";
        let log = card.log_key();
        let values = params![card.id().0, card.name(), card.serial(), log.name, log.key.0];
        self.transaction.prepare_cached(sql)?.execute(values)?;
        Ok(Ok(()))
    }

    /// Whether the log on a card is nobody else's.
    fn may_have(&self, card: &GateCard) -> rusqlite::Result<Result<(), NoPeer>> {
        let origin = &card.log_key().name;
        if *origin == self.origin {
            return Ok(Err(NoPeer::Own));
        }
        let peers = self.peers()?;
        let is_taken = |peer: &Peer| peer.log.name == *origin && peer.id != card.id();
        // What is remembered of a log is under its name: nobody may come to that of somebody else.
        let is_renamed =
            |peer: &Peer| peer.id == card.id() && unnumbered(&peer.log.name) != unnumbered(origin);
        Ok(match () {
            () if peers.iter().any(is_taken) => Err(NoPeer::Taken),
            () if peers.iter().any(is_renamed) => Err(NoPeer::OtherName),
            () => Ok(()),
        })
    }

    /// Puts the peers of another copy of this database beside those that are here.
    pub(crate) fn keep_peers(&mut self, peers: &[Peer]) -> rusqlite::Result<()> {
        let sql = "INSERT OR IGNORE INTO peer (id, name, url, ca, serial, origin, key) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        for peer in peers {
            let Peer {
                id,
                name,
                url,
                ca,
                serial,
                log,
                ..
            } = peer;
            let values = params![id.0, name, url.as_str(), ca, serial, log.name, log.key.0];
            self.transaction.prepare_cached(sql)?.execute(values)?;
        }
        Ok(())
    }

    pub(crate) fn remove_peer(&mut self, id: RootId) -> rusqlite::Result<()> {
        let sql = "DELETE FROM peer WHERE id = ?1";
        self.transaction.prepare_cached(sql)?.execute([id.0])?;
        Ok(())
    }

    /// Remembers what came of asking a peer.
    pub(crate) fn peer_answered(
        &mut self,
        id: RootId,
        now: Time,
        answer: Result<&Cosigned, &str>,
    ) -> rusqlite::Result<()> {
        let now = now.unix();
        let Cosigned {
            origin,
            size,
            line,
            at,
        } = match answer {
            Ok(cosigned) => cosigned,
            Err(trouble) => {
                let sql = "UPDATE peer SET asked = ?2, trouble = ?3 WHERE id = ?1";
                let values = params![id.0, now, trouble];
                self.transaction.prepare_cached(sql)?.execute(values)?;
                return Ok(());
            }
        };
        let sql = "UPDATE peer SET asked = ?2, trouble = NULL, own_origin = ?3, size = ?4, line = ?5, at = ?6 WHERE id = ?1";
        let values = params![id.0, now, origin, size, line, at.unix()];
        self.transaction.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// The signature lines below the last checkpoint of this log.
    pub(crate) fn cosignatures(&self) -> rusqlite::Result<String> {
        let sql = "SELECT line FROM peer WHERE own_origin = ?1 AND size = ?2 ORDER BY id";
        let mut found = self.transaction.prepare_cached(sql)?;
        let values = params![self.origin, self.head.size];
        let lines = found.query_map(values, |row| row.get::<_, String>(0))?;
        lines.collect()
    }

    /// The key of a peer's log.
    pub(crate) fn log_of_peer(&self, origin: &str) -> rusqlite::Result<Option<NoteKey>> {
        let sql = "SELECT key FROM peer WHERE origin = ?1";
        let mut found = self.transaction.prepare_cached(sql)?;
        let key = found.query_row([origin], |row| row.get(0)).optional()?;
        Ok(key.map(|key| NoteKey {
            name: origin.to_owned(),
            key: RootId(key),
        }))
    }

    /// What this gate has cosigned of a log last; an empty one if nothing.
    pub(crate) fn witnessed(&self, origin: &str) -> rusqlite::Result<Witnessed> {
        let sql = "SELECT size, root FROM witnessed WHERE origin = ?1";
        let mut found = self.transaction.prepare_cached(sql)?;
        let seen = found.query_row([origin], |row| {
            Ok(Witnessed {
                size: row.get(0)?,
                root: row.get(1)?,
            })
        });
        let nothing = || Witnessed {
            size: 0,
            root: encl::crypto::sha256(&[]),
        };
        Ok(seen.optional()?.unwrap_or_else(nothing))
    }

    /// Remembers a checkpoint that is going to be cosigned.
    pub(crate) fn set_witnessed(&mut self, seen: &Checkpoint) -> rusqlite::Result<()> {
        self.raise_witnessed(&(seen.origin.clone(), seen.size, seen.root))
    }

    /// Never goes back to a smaller size.
    pub(crate) fn raise_witnessed(&mut self, seen: &LastSeen) -> rusqlite::Result<()> {
        let sql = "INSERT INTO witnessed VALUES (?1, ?2, ?3) \
                   ON CONFLICT (origin) DO UPDATE SET size = ?2, root = ?3 WHERE size < ?2";
        let values = params![seen.0, seen.1, seen.2];
        self.transaction.prepare_cached(sql)?.execute(values)?;
        Ok(())
    }

    /// All that this gate has cosigned last.
    pub(crate) fn all_witnessed(&self) -> rusqlite::Result<Vec<LastSeen>> {
        let mut found = self
            .transaction
            .prepare_cached("SELECT origin, size, root FROM witnessed")?;
        let rows = found.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        rows.collect()
    }

    /// A start, or a thaw, counts when a witness has answered; without witnesses at once.
    pub(crate) fn wait_for_witness(&mut self) -> rusqlite::Result<()> {
        let has_peers = !self.peers()?.is_empty();
        match (self.frozen, has_peers) {
            (Frozen::No, true) => self.set_frozen(Frozen::Waiting),
            (Frozen::Waiting, false) => self.set_frozen(Frozen::No),
            _ => Ok(()),
        }
    }
}

/// The name of a gate's log without its number, which rises after a loss.
fn unnumbered(origin: &str) -> &str {
    match origin.rsplit_once('/') {
        Some((name, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => origin,
    }
}

fn peer(row: &Row<'_>) -> rusqlite::Result<Peer> {
    let time = |number| -> rusqlite::Result<Option<Time>> {
        let seconds: Option<u64> = row.get(number)?;
        Ok(seconds.and_then(Time::from_unix))
    };
    let url: String = row.get(2)?;
    let cosigned = match (row.get(7)?, row.get(8)?, row.get(9)?, time(10)?) {
        (Some(origin), Some(size), Some(line), Some(at)) => Some(Cosigned {
            origin,
            size,
            line,
            at,
        }),
        _ => None,
    };
    Ok(Peer {
        id: RootId(row.get(0)?),
        name: row.get(1)?,
        url: GateUrl::parse(&url).map_err(|_| rusqlite::Error::InvalidQuery)?,
        ca: row.get(3)?,
        serial: row.get(4)?,
        log: NoteKey {
            name: row.get(5)?,
            key: RootId(row.get(6)?),
        },
        cosigned,
        asked: time(11)?,
        trouble: row.get(12)?,
    })
}
