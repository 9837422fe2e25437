//! The command line of `encl-gate`.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::{Parser, Subcommand};
use encl::crypto::signing::RootId;
use encl::gate::card::GateUrl;

/// A gate for envelopes of encl: it is asked at each opening, keeps a log that cannot be edited, and can read nothing.
#[derive(Debug, Parser)]
#[command(name = "encl-gate", version, max_term_width = 100)]
pub(crate) struct Args {
    /// Print results as JSON, one object a line
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Read the passphrase of the gate's keys from the first line of FILE; otherwise from the credential `passphrase` of systemd
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) passphrase_file: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new gate: its keys, its card and an empty log
    ///
    /// Prints the fingerprint, which users compare when they add the gate, and the card.
    Init {
        /// The folder of the gate; it must not exist yet, or be empty
        dir: PathBuf,
        /// Where users reach the gate: https:// or http://, host and port
        #[arg(long, value_name = "URL", value_parser = GateUrl::typed)]
        url: GateUrl,
        /// What users call the gate; otherwise its host
        #[arg(long)]
        name: Option<String>,
    },
    /// Answer requests until a signal ends it
    Serve(Serve),
    /// Answer somebody no more: as asker, as owner and as reader of logs
    Block {
        /// The folder of the gate
        dir: PathBuf,
        /// The id: 64 hexadecimal digits
        #[arg(value_name = "ID")]
        id: RootId,
        /// Answer nobody for anything that this author sealed. The authors of private envelopes are not known to the gate
        #[arg(long)]
        sealed_by: bool,
    },
    /// Take a block back
    Unblock {
        /// The folder of the gate
        dir: PathBuf,
        /// The id: 64 hexadecimal digits
        #[arg(value_name = "ID")]
        id: RootId,
    },
    /// Answer nobody until `thaw`
    Freeze {
        /// The folder of the gate
        dir: PathBuf,
    },
    /// Answer again
    Thaw {
        /// The folder of the gate
        dir: PathBuf,
        /// Begin a new log: the old one has lost entries, among them perhaps revocations. All users are told
        #[arg(long)]
        accept_loss: bool,
    },
    /// Make new keys and a new card; the root key and the old KEM keys stay
    Rotate {
        /// The folder of the gate
        dir: PathBuf,
        /// Only a new KEM key
        #[arg(long, conflicts_with = "log")]
        kem: bool,
        /// Only a new log key
        #[arg(long)]
        log: bool,
    },
    /// Remove what was logged of a person's requests, if it is older than an hour; all proofs keep holding
    Erase {
        /// The folder of the gate
        dir: PathBuf,
        /// The id: 64 hexadecimal digits
        #[arg(value_name = "ID")]
        id: RootId,
    },
    /// Copy the database while the gate runs; keys are not copied
    Backup {
        /// The folder of the gate
        dir: PathBuf,
        /// The copy, which must not exist yet
        file: PathBuf,
    },
    /// Put a copy of the database back; the gate is frozen then, and `serve` must not run
    Restore {
        /// The folder of the gate
        dir: PathBuf,
        /// The copy
        file: PathBuf,
    },
    /// Print all entries of the log, one line each, as they were hashed
    Export {
        /// The folder of the gate
        dir: PathBuf,
    },
    /// The other gates that watch this one, and are watched by it
    ///
    /// A gate and its witnesses sign each other's checkpoints. So a gate whose whole folder was put back to an older state notices it:
    /// after a start it answers nobody until a witness says that nothing was lost. The command is run at both gates.
    Witness {
        #[command(subcommand)]
        command: WitnessCommand,
    },
    /// Print what the gate is, how its log stands, and what its witnesses say
    Status {
        /// The folder of the gate
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum WitnessCommand {
    /// Add a gate as a witness, or take its newer card
    ///
    /// Fetches its card, and prints its name and fingerprint: compare the fingerprint with its operator.
    Add {
        /// The folder of this gate
        dir: PathBuf,
        /// Where the other gate is reached: https:// or http://, host and port
        #[arg(value_name = "URL", value_parser = GateUrl::typed)]
        url: GateUrl,
        /// The fingerprint that its operator gave you; another one is refused
        #[arg(long, value_name = "FINGERPRINT", value_parser = fingerprint)]
        fingerprint: Option<RootId>,
        /// Its TLS certificate must come from one of the authorities in FILE (PEM)
        #[arg(long, value_name = "FILE")]
        ca: Option<PathBuf>,
    },
    /// Print the witnesses, and what each said last
    List {
        /// The folder of this gate
        dir: PathBuf,
    },
    /// Ask a witness no more, and sign nothing of its log
    Remove {
        /// The folder of this gate
        dir: PathBuf,
        /// Its name, its address or its id
        #[arg(value_name = "NAME")]
        witness: String,
    },
}

fn fingerprint(text: &str) -> Result<RootId, String> {
    encl::identity::parse_fingerprint(text)
        .ok_or_else(|| "not a fingerprint: 64 hexadecimal digits".to_owned())
}

#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// The folder of the gate
    pub(crate) dir: PathBuf,
    /// The address and port to listen on; with port 0 the system chooses one. The first line on standard output says where
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Answer only the ids in FILE, one a line; it is read again when it changes
    #[arg(long, value_name = "FILE")]
    pub(crate) only: Option<PathBuf>,
    /// The address of a reverse proxy, whose X-Forwarded-For is believed; may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) proxy: Vec<IpAddr>,
    /// Requests a minute from one address; one with many items counts as often as it has items
    #[arg(long, value_name = "NUMBER", default_value_t = 30_000)]
    pub(crate) per_address: u32,
    /// Items a minute of one id
    #[arg(long, value_name = "NUMBER", default_value_t = 6_000)]
    pub(crate) per_id: u32,
    /// How often the witnesses are asked
    #[arg(long, value_name = "SECONDS", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    pub(crate) witness_every: u32,
}
