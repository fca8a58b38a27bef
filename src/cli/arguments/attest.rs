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
  repro attest verify --policy repro.policy.toml --from registry.example/app

No host is asked but the registry that `--from` names. A failed statement may have been withheld by whoever handed on the others.")]
    Verify(AttestVerify),
    /// Show what attestations say, whoever signed them
    #[command(after_help = "Examples:
  repro attest show app.intoto.jsonl
  repro attest show --from registry.example/app:1   what refers to the image, BuildKit's provenance too")]
    Show {
        /// Files of JSON lines, sigstore bundles, or folders of them
        #[arg(value_name = "FILE", required_unless_present = "from")]
        files: Vec<PathBuf>,
        /// Also what refers to the image in this OCI layout, or to this image of a registry; may be repeated
        #[arg(long, value_name = "LAYOUT|REF")]
        from: Vec<String>,
    },
    /// Count auditors as `verify` does, and if enough agree sign that, naming every line that counted
    #[command(after_help = "Example:
  repro attest aggregate attestations/ --policy repro.policy.toml --key mine.pem \\
    --verifier-id https://counter.example/repro -o counted.intoto.jsonl")]
    Aggregate(AttestAggregate),
    /// Push attestations beside the images that they are about, into a registry
    #[command(after_help = "Examples:
  repro attest push app.intoto.jsonl --to registry.example/app:1.4.0
  repro attest push app.intoto.jsonl --to registry.example/app --push-failed")]
    Push {
        /// Files of JSON lines, sigstore bundles, or folders of them
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// The image, or only its repository
        #[arg(long, value_name = "REF")]
        to: String,
        /// Also push statements that it failed
        #[arg(long)]
        push_failed: bool,
    },
    /// Take one signed statement out, as an envelope or a sigstore bundle for other programs
    #[command(after_help = "Examples:
  repro attest extract app.intoto.jsonl --type vsa -o app.vsa.intoto.json
  repro attest extract app.intoto.jsonl --type vsa --format sigstore -o app.vsa.sigstore.json")]
    Extract {
        /// Files of JSON lines, sigstore bundles, or folders of them
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// What the statement says
        #[arg(long = "type", value_enum, default_value_t = StatementName::Vsa, value_name = "TYPE")]
        kind: StatementName,
        /// Which line of all, from 1, where several say such a thing
        #[arg(long, value_name = "N")]
        line: Option<usize>,
        /// Write FILE instead of printing
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
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
    /// A public key to trust, an auditor of its own; may be repeated. Of keys that speak for one verifier id one counts
    #[arg(long, value_name = "FILE", group = "trusted")]
    pub key: Vec<PathBuf>,
    /// Ask about an image by its digest; without `--lock` the auditors must agree on a lockfile
    #[arg(long, value_name = "REF", conflicts_with = "name")]
    pub image: Option<String>,
    /// What is asked, and of whom
    #[command(flatten)]
    pub counting: Counting,
}

/// What counting auditors takes.
#[derive(Debug, Args)]
pub struct Counting {
    /// Also look for what refers to the image in this OCI layout, or in the repository of this reference; may be repeated
    #[arg(long, value_name = "LAYOUT|REF")]
    pub from: Vec<String>,
    /// The file that says whom to trust; default: trust.toml in the user's configuration, never one of the project
    #[arg(long, value_name = "FILE", group = "trusted")]
    pub trust: Option<PathBuf>,
    /// Trust whom the trust.toml beside the lockfile names: the people whose image it is wrote it
    #[arg(long, group = "trusted")]
    pub trust_from_repo: bool,
    /// Trust whom a policy names (docs/attest.md); without FILE repro.policy.toml beside the lockfile, which the people
    /// wrote whose image it is
    #[arg(long, value_name = "FILE", group = "trusted", num_args = 0..=1)]
    pub policy: Option<Option<PathBuf>>,
    /// How many auditors must agree; default: what the trust file or policy says, else all
    #[arg(long, value_name = "M", allow_negative_numbers = true)]
    pub threshold: Option<i64>,
    /// How many auditors may have seen it fail; default: what the policy says, else none
    #[arg(long, value_name = "N")]
    pub max_failed: Option<usize>,
    /// The lockfile; default: that of the project
    #[arg(long, value_name = "FILE")]
    pub lock: Option<PathBuf>,
    /// Ask about this image of the lockfile; default: all
    #[arg(long, value_name = "IMAGE")]
    pub name: Vec<String>,
    /// The `resourceUri` that statements must have
    #[arg(long, value_name = "URI")]
    pub resource_uri: Option<String>,
    /// What is enough; default: what the policy says, else `bytes`
    #[arg(long, value_enum)]
    pub accept: Option<Accept>,
}

/// `repro attest aggregate`.
#[derive(Debug, Args)]
pub struct AttestAggregate {
    /// Files of JSON lines, sigstore bundles, or folders of them
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The private key of whoever counts
    #[command(flatten)]
    pub key: SigningKey,
    /// The URI of whoever counts
    #[arg(long, value_name = "URI")]
    pub verifier_id: String,
    /// What is asked, and of whom
    #[command(flatten)]
    pub counting: Counting,
    /// Add the envelopes at the end of FILE instead of printing them
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Where they are pushed, too
    #[command(flatten)]
    pub pushing: Pushing,
}

/// Where statements are pushed.
#[derive(Debug, Args)]
pub struct Pushing {
    /// Also push the statements beside the image into a registry
    #[arg(long, value_name = "REF", help_heading = "Attestations")]
    pub push: Option<String>,
    /// Also push statements that it failed
    #[arg(long, requires = "push", help_heading = "Attestations")]
    pub push_failed: bool,
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
    /// Where they are pushed, too
    #[command(flatten)]
    pub pushing: Pushing,
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

/// What statements say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StatementName {
    /// A verification summary: a verdict
    Vsa,
    /// How something was built (SLSA v1)
    Provenance,
}

/// Kinds of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyTypeName {
    /// Ed25519
    Ed25519,
    /// ECDSA over P-256
    EcdsaP256,
}
