//! Where a project comes from: its repository, commit and files, without anything that only this machine knows.

use std::path::Path;

use super::super::commit::CheckedOut;
use super::super::open::Project;
use crate::git::Repository;
use crate::status::Failure;

/// Where a project comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The repository's URL without user, query and fragment; empty if nobody else can reach it.
    pub repository: String,
    /// The branch, whole (`refs/heads/main`); empty where a commit itself is checked out.
    pub branch: String,
    /// The commit, where there is one.
    pub commit: Option<String>,
    /// Whether something that the image is built from is not as the commit has it, or there is no commit.
    pub is_dirty: bool,
    /// The project's directory below the repository's root, with a slash at its end, or nothing.
    below: String,
}

/// Looks at the repository in which the project lies.
pub fn origin(project: &Project, checked_out: Option<&CheckedOut>) -> Result<Origin, Failure> {
    let root = &project.manifest.root;
    let Some(repository) = Repository::find(root)? else {
        let empty = String::new;
        return Ok(Origin { repository: empty(), branch: empty(), commit: None, is_dirty: true, below: empty() });
    };
    let below = root.canonicalize().ok().and_then(|root| inside(repository.work_tree(), &root)).unwrap_or_default();
    let commit = checked_out.and_then(|checked_out| checked_out.commit.clone());
    Ok(Origin {
        repository: repository.remote().and_then(public).unwrap_or_default(),
        branch: repository.branch().map(|branch| format!("refs/heads/{branch}")).unwrap_or_default(),
        is_dirty: commit.is_none() || checked_out.is_none_or(|checked_out| !checked_out.dirty.is_empty()),
        commit,
        below,
    })
}

fn inside(work_tree: &Path, root: &Path) -> Option<String> {
    let below = root.strip_prefix(work_tree.canonicalize().ok()?).ok()?.to_str()?;
    Some(if below.is_empty() { String::new() } else { format!("{below}/") })
}

impl Origin {
    /// A file's path below the repository's root.
    pub fn path(&self, file: &str) -> String {
        format!("{}{file}", self.below)
    }

    /// Where a file stands: repository, commit and path, as far as others can know them.
    pub fn uri(&self, file: &str) -> String {
        let path = self.path(file);
        let at = self.commit.as_ref().filter(|_| !self.is_dirty).map(|commit| format!("@{commit}")).unwrap_or_default();
        match self.repository.as_str() {
            "" => format!("about:unpublished{at}#{path}"),
            repository => format!("git+{repository}{at}#{path}"),
        }
    }
}

/// A remote's URL as others may use it; none for a path of this machine.
fn public(remote: &str) -> Option<String> {
    let (scheme, rest) = match remote.split_once("://") {
        Some((scheme @ ("http" | "https" | "ssh" | "git"), rest)) => (scheme, rest.to_owned()),
        Some(_) => return None,
        // git@host:path
        None => {
            let (host, path) = remote.split_once(':')?;
            (!host.contains('/')).then_some(())?;
            ("ssh", format!("{host}/{}", path.trim_start_matches('/')))
        }
    };
    let rest = rest.split(['?', '#']).next()?;
    let (authority, path) = rest.split_once('/')?;
    let host = authority.rsplit('@').next()?;
    Some(format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_user_password_or_path_of_this_machine_is_told() {
        for (remote, want) in [
            ("https://user:secret@git.example/a/b.git?x=1#y", Some("https://git.example/a/b.git")),
            ("https://git.example:8443/a", Some("https://git.example:8443/a")),
            ("git@git.example:a/b.git", Some("ssh://git.example/a/b.git")),
            ("ssh://git@git.example/a", Some("ssh://git.example/a")),
            ("file:///home/a/b", None),
            ("/home/a/b", None),
            ("../b", None),
            ("./a:b", None),
        ] {
            assert_eq!(public(remote).as_deref(), want, "{remote}");
        }
    }
}
