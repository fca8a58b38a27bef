//! `repro verify`, as typed.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;

use super::{Archive, Attesting, EngineChoice, FromVendor, Pushing, Question};
use crate::digest::Digest;

/// One of several equal parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    part: usize,
    of: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (part, of) = text.split_once('/')?;
            let (part, of): (usize, usize) = (part.parse().ok()?, of.parse().ok()?);
            (1..=of).contains(&part).then_some(Self { part, of })
        };
        read().ok_or_else(|| "expected I/N, two numbers of which the first is from 1 to the second".to_owned())
    }
}

impl Shard {
    /// What of a sorted list belongs to this part.
    pub fn of<T>(self, all: impl IntoIterator<Item = T>) -> Vec<T> {
        all.into_iter().skip(self.part - 1).step_by(self.of).collect()
    }
}

/// `repro verify`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro verify                                           rebuilds every image, compares with the record
  repro verify app --against ghcr.io/example/app:1.2.3   also compares with the published image
  repro verify app --against ./app.tar                   or with an archive
  repro verify --published                               or with what repro.toml says is published
  repro verify https://git.example/app.git --rev v1.2.3 --against registry.example/app:1.2.3
                                                         needs nothing that is checked out
  repro verify --image registry.example/app:1.2.3        the same, by the source that its labels name
  repro verify app --against docker-daemon:app           or with what docker has under a name
  repro verify app --expected app.tar --report why.html  says why, by the bytes that `repro build --record -o app.tar` wrote
  repro verify --shard 2/8 --report verdicts.xml         the second of eight machines, for a CI that reads JUnit
  repro verify --attest app.intoto.jsonl                 also writes the verdict as a statement for others
  repro verify --policy                                  rebuilds nothing: asks whether enough auditors agree
  repro verify --policy --against registry.example/app:1 --attestations registry.example/app
                                                         the same about what is published, of what refers to it
  repro verify --from-provenance registry.example/app:1  rebuilds what its provenance says, and compares with it
  repro verify --from-provenance app.tar -f Dockerfile   the same, with files that the provenance names only")]
pub struct Verify {
    /// Which image
    #[command(flatten)]
    pub question: Question,
    /// Also compare with a published image: a reference, `docker-daemon:NAME`, `podman:NAME`, an archive or layout as
    /// `./PATH` or `/PATH`, `-` for an archive on stdin
    #[arg(long, value_name = "REF|PATH", group = "published_image")]
    pub against: Option<String>,
    /// Also compare with this archive or layout, whatever its name looks like
    #[arg(long, value_name = "FILE", group = "published_image", conflicts_with = "against")]
    pub against_file: Option<PathBuf>,
    /// Rebuild an image from what its provenance tells, and compare with it; files that were local are those of
    /// `--dockerfile`, `--context` and `--build-context`
    #[arg(long, value_name = "REF|PATH", conflicts_with_all = ["images", "published_image", "record", "expected", "fresh", "output", "attest", "vendor"])]
    pub from_provenance: Option<String>,
    /// Also compare with what is published under `repository` and each of `tags` of repro.toml
    #[arg(long, group = "published_image", conflicts_with_all = ["against", "against_file"])]
    pub published: bool,
    /// With a repository's URL in the place of images: the branch, tag or commit; default: its default branch
    #[arg(long, value_name = "REV", conflicts_with = "from_provenance")]
    pub rev: Option<String>,
    /// Rebuild a published image from the source and revision that its own labels name, and compare with it. With
    /// `--against`: the published image's name, in an archive or layout of several
    #[arg(long, value_name = "REF|NAME", conflicts_with = "from_provenance")]
    pub image: Option<String>,
    /// Take the record from FILE instead of repro.lock
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// The recorded image's bytes, as `repro build --record -o FILE` wrote them: an archive or a layout. A rebuilt image
    /// that differs from its record is explained by them, without them by a second build
    #[arg(long, value_name = "FILE")]
    pub expected: Option<PathBuf>,
    /// Don't say why an image differs
    #[arg(long)]
    pub no_explain: bool,
    /// Verify only every Nth image, the Ith of each N in the order of their names: for machines that share the work
    #[arg(long, value_name = "I/N", conflicts_with = "from_provenance")]
    pub shard: Option<Shard>,
    /// Also write why the image differs as a report: FILE ends with `.html`, `.md` or `.json`; with `.xml` the verdicts of
    /// all images as JUnit
    #[arg(long, value_name = "FILE", conflicts_with = "no_explain")]
    pub report: Vec<PathBuf>,
    /// Ask upstream for every source; 4 if one changed or vanished
    #[arg(long)]
    pub fresh: bool,
    /// End with 0 where an image is equal though RUN could reach the network; the verdict stays `open-network`
    #[arg(long)]
    pub allow_open_network: bool,
    /// Write the rebuilt image: an archive FILE, or with a slash at the end a layout DIR/
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Form of the archive
    #[arg(long, value_enum, default_value_t = Archive::Oci)]
    pub archive: Archive,
    /// What is attested
    #[command(flatten)]
    pub attesting: Attesting,
    /// Rebuild nothing: ask whether enough auditors agree, as a policy says (docs/attest.md); without FILE the project's own
    /// repro.policy.toml. Its document is that of `repro attest verify`
    #[arg(long, value_name = "FILE", num_args = 0..=1, help_heading = "Attestations",
        conflicts_with_all = ["attest", "from_provenance", "record", "expected", "fresh", "output", "report", "published", "shard", "platforms"])]
    pub policy: Option<Option<PathBuf>>,
    /// Where attestations are, beside those that lie beside the project: a file, a folder, a layout, or a reference whose
    /// registry is asked; may be repeated
    #[arg(long, value_name = "PATH|REF", conflicts_with = "from_provenance", help_heading = "Attestations")]
    pub attestations: Vec<String>,
    /// Where they are pushed, too
    #[command(flatten)]
    pub pushing: Pushing,
    /// The URI of who verifies; needed to sign
    #[arg(long, value_name = "URI", requires = "attest", help_heading = "Attestations")]
    pub verifier_id: Option<String>,
    /// Withdraw a statement that it failed: the sha256 of its payload, as `repro attest show` prints it; may be repeated
    #[arg(long, value_name = "DIGEST", requires = "attest", help_heading = "Attestations")]
    pub supersedes: Vec<Digest>,
    /// Where sources come from
    #[command(flatten)]
    pub from: FromVendor,
    /// Which engine
    #[command(flatten)]
    pub engine: EngineChoice,
}
