//! The inputs of a build as files in its private directory: what the clients are pointed at.
//!
//! ```text
//! context-<12 hex>/       the context, by its digest: equal names mean equal contents on any daemon
//! dockerfile/Dockerfile   the Dockerfile, with an ignore file beside it, for the context is filtered already
//! named-<n>-<12 hex>/     named local contexts
//! layout-<n>/             OCI layouts, their blobs by link
//! variables/              values of variables for RUN, for their owner only
//! policy.json  metadata.json  ref  image.tar
//! ```
//!
//! Small contexts are staged in memory where there is such a directory: making many files, and removing them, takes a disk
//! longer than all else that is done for them.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::frontend;
use super::injected::{CERTIFICATE, Surrounded, surround};
use super::policy::Policy;
use super::redirects::Redirects;
use crate::build::{Plan, PlannedContext, Surroundings};
use crate::context::{self, EntryKind, Tree};
use crate::digest::{Digest, Hasher};
use crate::engine::buildkit::failure::BuildKitError;
use crate::limits::Limits;
use crate::lockfile::Pin;
use crate::status::Failure;
use crate::store::make_private_directory;
use crate::survey::context_key;

/// Bytes of a context that is staged in memory, at most.
const MOST_IN_MEMORY: u64 = 64 << 20;
/// What a file takes there beside its bytes: the rest of its last page, and its inode.
const FILE_IN_MEMORY: u64 = 5 << 10;

/// The staged inputs of one build; all paths are absolute.
#[derive(Debug)]
pub struct Staged {
    /// The directory that everything else lies in.
    pub directory: PathBuf,
    /// The context.
    pub context: PathBuf,
    /// The directory of the Dockerfile.
    pub dockerfile: PathBuf,
    /// Named contexts, under the names that BuildKit looks for.
    pub named: Vec<(String, Named)>,
    /// Secrets that hold variables for RUN: id and file.
    pub secrets: Vec<(String, PathBuf)>,
    /// Under which the daemon keeps what it has of the context.
    key: String,
}

/// A named context as the clients need it.
#[derive(Debug)]
pub enum Named {
    /// A directory.
    Local(PathBuf),
    /// An OCI layout and the digest inside it.
    Layout(PathBuf, Digest),
    /// Something that BuildKit fetches itself.
    Remote(String),
}

impl Staged {
    /// Stages what `plan` needs into the empty directories of `surroundings`; a taped build's RUN trusts `certificate`.
    pub fn write(plan: &Plan, certificate: Option<&str>, surroundings: &Surroundings<'_>) -> Result<Self, Failure> {
        let work = surroundings.work.directory()?;
        let directory = fs::canonicalize(&work).map_err(BuildKitError::io(&work))?;
        let memory = if fits_in_memory(&plan.inputs.context) { surroundings.work.in_memory() } else { None };
        let near = memory.filter(|memory| make_private_directory(memory).is_ok());
        let near = near.as_deref().unwrap_or(&directory);
        let staged_context = near.join(format!("context-{}", short(&plan.inputs.context)));
        stage(&plan.inputs.context, &staged_context)?;
        let dockerfile = directory.join("dockerfile");
        fs::create_dir(&dockerfile).map_err(BuildKitError::io(&dockerfile))?;
        let Surrounded { dockerfile: text, secrets } = surround(plan, certificate, &directory)?;
        write(&dockerfile.join("Dockerfile"), &frontend::named_in(plan, &text)?)?;
        write(&dockerfile.join("Dockerfile.dockerignore"), b"# The context holds only what is not ignored.\n")?;
        let mut named = Vec::new();
        for (number, (name, context)) in plan.inputs.contexts.iter().enumerate() {
            let ready = match context {
                PlannedContext::Local(tree) => {
                    let path = directory.join(format!("named-{number}-{}", short(tree)));
                    stage(tree, &path)?;
                    Named::Local(path)
                }
                PlannedContext::Layout(layout) => {
                    let path = directory.join(format!("layout-{number}"));
                    link_layout(layout, &path)?;
                    Named::Layout(path, layout_digest(plan, name)?)
                }
                PlannedContext::Image(reference) => Named::Remote(format!("docker-image://{reference}")),
                PlannedContext::Http(url) | PlannedContext::Git(url) => Named::Remote(url.clone()),
            };
            named.push((context_key(name), ready));
        }
        Ok(Self { context: staged_context, dockerfile, named, secrets, directory, key: snapshot_key(plan) })
    }

    /// Writes the source policy, of a daemon that has a door or of any other; `local` gives the names under which the client offers the named local contexts.
    pub fn write_policy(
        &self,
        plan: &Plan,
        redirects: &Redirects,
        has_door: bool,
        local: impl Fn(&str, &Path) -> String,
    ) -> Result<PathBuf, BuildKitError> {
        let mut locals = vec!["context".to_owned(), "dockerfile".to_owned()];
        for (name, named) in &self.named {
            if let Named::Local(directory) = named {
                locals.push(local(name, directory));
            }
        }
        let locals = locals.iter().map(String::as_str);
        let mut policy = match &plan.run.tape {
            Some(tape) if has_door => Policy::through_door(&plan.pins, locals, redirects, &tape.route),
            Some(tape) => Policy::taped(&plan.pins, locals, redirects, &tape.route),
            None => Policy::strict(&plan.pins, locals, redirects),
        };
        policy.key_snapshot("context", &self.key);
        let path = self.directory.join("policy.json");
        write(&path, policy.to_json().as_bytes())?;
        Ok(path)
    }

    /// Whether RUN is given the certificate of BuildKit's proxy.
    pub fn has_certificate(&self) -> bool {
        self.secrets.iter().any(|(id, _)| id == CERTIFICATE)
    }

    /// Removes the context, which nobody reads after a build; the directory's owner removes what is left.
    pub fn forget_context(&self) {
        let _ = fs::remove_dir_all(&self.context);
    }

    /// Where the client writes the image.
    pub fn image(&self) -> PathBuf {
        self.directory.join("image.tar")
    }

    /// Where the client writes what it claims to have built.
    pub fn metadata(&self) -> PathBuf {
        self.directory.join("metadata.json")
    }

    /// What the client claims to have built.
    pub fn read_metadata(&self, limits: &Limits) -> Result<Vec<u8>, BuildKitError> {
        let (path, mut claims) = (self.metadata(), Vec::new());
        let file = fs::File::open(&path).map_err(BuildKitError::io(&path))?;
        file.take(limits.json_bytes + 1).read_to_end(&mut claims).map_err(BuildKitError::io(&path))?;
        Ok(claims)
    }

    /// Where `buildctl` writes the build's name in the daemon's history.
    pub fn build_reference(&self) -> PathBuf {
        self.directory.join("ref")
    }
}

/// The key of the daemon's snapshot of the context: one for all builds of an image, so that only changes are sent.
///
/// Only staged trees are ever sent under it, whose files differ in time if they differ in content and whose directories
/// are all later than the epoch. So whatever builds left there, those of other projects too, what comes out is the tree.
/// The number counts the rules of staging.
fn snapshot_key(plan: &Plan) -> String {
    let mut hasher = Hasher::default();
    hasher.update(plan.image.as_bytes());
    hasher.update(b"\0");
    hasher.update(plan.inputs.dockerfile_path.as_os_str().as_encoded_bytes());
    format!("repro-1-{}", &hasher.digest().hex()[..12])
}

/// The first 12 hex digits of a tree's digest.
fn short(tree: &Tree) -> String {
    let mut hex = tree.digest().hex();
    hex.truncate(12);
    hex
}

fn fits_in_memory(tree: &Tree) -> bool {
    let bytes = tree.entries.iter().map(|entry| match &entry.kind {
        EntryKind::File { size, .. } => size.saturating_add(FILE_IN_MEMORY),
        _ => FILE_IN_MEMORY,
    });
    bytes.fold(0, u64::saturating_add) <= MOST_IN_MEMORY
}

fn stage(tree: &Tree, directory: &Path) -> Result<(), Failure> {
    fs::create_dir(directory).map_err(BuildKitError::io(directory))?;
    Ok(context::stage(tree, directory)?)
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), BuildKitError> {
    fs::write(path, bytes).map_err(BuildKitError::io(path))
}

/// A layout of links, since clients create directories of their own in the layouts that they read.
fn link_layout(layout: &Path, directory: &Path) -> Result<(), BuildKitError> {
    let layout = fs::canonicalize(layout).map_err(BuildKitError::io(layout))?;
    fs::create_dir(directory).map_err(BuildKitError::io(directory))?;
    for name in ["blobs", "index.json", "oci-layout"] {
        let link = directory.join(name);
        symlink(layout.join(name), &link).map_err(BuildKitError::io(&link))?;
    }
    Ok(())
}

fn layout_digest(plan: &Plan, name: &str) -> Result<Digest, BuildKitError> {
    let pinned = plan.pins.iter().find_map(|pin| match pin {
        Pin::Layout { request, digest, .. } if request == name => Some(*digest),
        _ => None,
    });
    pinned.ok_or_else(|| BuildKitError::Denied {
        place: plan.inputs.dockerfile_path.display().to_string(),
        source_name: format!("oci-layout://{name}"),
    })
}
