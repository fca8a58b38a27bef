//! `repro attest`, as typed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `repro attest`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  repro attest verify app.intoto.jsonl --trust trust.toml --lock repro.lock")]
pub struct Attest {
    /// What to do
    #[command(subcommand)]
    pub action: AttestAction,
}

/// What `repro attest` does.
#[derive(Debug, Subcommand)]
pub enum AttestAction {
    /// Ask whether enough auditors agree that an image comes out of a lockfile; 1 if not
    #[command(after_help = "Examples:
  repro attest verify app.intoto.jsonl --trust trust.toml
  repro attest verify attestations/ --key a.pub.pem --key b.pub.pem --threshold 2 --lock repro.lock
  repro attest verify --from layout/ --trust trust.toml --image registry.example/app@sha256:…

No host is asked. A failed statement may have been withheld by whoever handed on the others.")]
    Verify(AttestVerify),
    /// Show what attestations say, whoever signed them
    #[command(after_help = "Example:\n  repro attest show app.intoto.jsonl")]
    Show {
        /// Files of JSON lines, sigstore bundles, or folders of them
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Sign the bare statements of a file, an envelope each
    #[command(after_help = "Examples:
  repro attest sign app.intoto.jsonl --key auditor.pem -o signed.intoto.jsonl
  repro attest sign app.intoto.jsonl --key auditor.pem --detached   for a lockfile that is not here

Sign verdicts with a key that signs no releases: there are verifiers that look at the key and not at what it signed.")]
    Sign(AttestSign),
    /// Make a key: NAME.pem, for its owner only, and NAME.pub.pem
    #[command(after_help = "Example:\n  repro attest keygen --type ed25519 -o auditor")]
    Keygen {
        /// What kind of key; ECDSA P-256 is what cosign makes
        #[arg(long = "type", value_enum, default_value_t = KeyTypeName::Ed25519, value_name = "TYPE")]
        kind: KeyTypeName,
        /// What the files are called, without the ends of their names
        #[arg(short, long, value_name = "NAME")]
        output: PathBuf,
    },
}

/// `repro attest verify`.
#[derive(Debug, Args)]
pub struct AttestVerify {
    /// Files of JSON lines, sigstore bundles, or folders of them
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Also look for what refers to the image in this OCI layout
    #[arg(long, value_name = "LAYOUT")]
    pub from: Option<String>,
    /// The file that says whom to trust; default: trust.toml in the user's configuration, never one of the project
    #[arg(long, value_name = "FILE", group = "trusted")]
    pub trust: Option<PathBuf>,
    /// Trust whom the trust.toml beside the lockfile names: the people whose image it is wrote it
    #[arg(long, group = "trusted")]
    pub trust_from_repo: bool,
    /// A public key to trust, an auditor of its own; may be repeated
    #[arg(long, value_name = "FILE", group = "trusted")]
    pub key: Vec<PathBuf>,
    /// How many auditors must agree; default: what the trust file says, else all
    #[arg(long, value_name = "M", allow_negative_numbers = true)]
    pub threshold: Option<i64>,
    /// How many auditors may have seen it fail
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub max_failed: usize,
    /// The lockfile; default: that of the project
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// Ask about this image of the lockfile; default: all
    #[arg(long, value_name = "IMAGE", conflicts_with = "image")]
    pub name: Vec<String>,
    /// Ask about an image by its digest; without `--lock` the auditors must agree on a lockfile
    #[arg(long, value_name = "REF")]
    pub image: Option<String>,
    /// The `resourceUri` that statements must have
    #[arg(long, value_name = "URI")]
    pub resource_uri: Option<String>,
    /// What is enough
    #[arg(long, value_enum, default_value_t = Accept::Bytes)]
    pub accept: Accept,
}

/// `repro attest sign`.
#[derive(Debug, Args)]
pub struct AttestSign {
    /// A file of bare statements
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// The private key
    #[command(flatten)]
    pub key: SigningKey,
    /// The lockfile that summaries must have; default: that of the project
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// Sign summaries of other lockfiles, too: what was verified elsewhere
    #[arg(long)]
    pub detached: bool,
    /// Add the envelopes at the end of FILE instead of printing them
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// The private key of commands that sign.
#[derive(Debug, Args)]
pub struct SigningKey {
    /// The private key: PKCS#8 in PEM, encrypted or not, or as cosign encrypts it; default: the text of REPRO_SIGNING_KEY
    #[arg(long, value_name = "FILE", help_heading = "Attestations")]
    pub key: Option<PathBuf>,
    /// Read the key's passphrase, a line, from this file descriptor; else it is REPRO_KEY_PASSPHRASE, or asked for
    #[arg(long, value_name = "N", help_heading = "Attestations")]
    pub passphrase_fd: Option<i32>,
}

/// What is enough for a quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Accept {
    /// The same bytes
    Bytes,
    /// The same content, packaged differently
    Content,
}

/// Kinds of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyTypeName {
    /// Ed25519
    Ed25519,
    /// ECDSA over P-256
    EcdsaP256,
}
