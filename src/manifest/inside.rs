//! Paths of a manifest stay inside the repository, links followed.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

/// Links followed for one path, as the kernel bounds them.
const LINKS: usize = 40;

/// Answers where a symbolic link points; nothing for what is no link or not there.
pub type ReadLink<'a> = &'a dyn Fn(&Path) -> Option<PathBuf>;

/// Why a path is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Outside {
    /// `..` goes above the repository's root.
    #[error("leads out of the repository")]
    Above,
    /// A symbolic link on the way leads out.
    #[error("leads out of the repository through the link `{}`", crate::escape::text(.0))]
    Link(String),
    /// Links in a circle, or too many.
    #[error("goes through more than {LINKS} links")]
    TooManyLinks,
}

/// Checks that `path`, relative to `directory`, stays below `root` all the way, links followed.
///
/// `directory` lies in `root`; both are absolute and free of links. What does not exist is taken as it is written.
pub fn stays_inside(root: &Path, directory: &Path, path: &Path, read_link: ReadLink<'_>) -> Result<(), Outside> {
    let depth = directory.strip_prefix(root).map_err(|_| Outside::Above)?.components().count();
    let mut here = directory.to_owned();
    let mut below = depth;
    let mut links = 0;
    let mut last_link = None;
    let mut rest: VecDeque<OsString> = path.components().map(|part| part.as_os_str().to_owned()).collect();
    while let Some(part) = rest.pop_front() {
        let outside = |link: &Option<PathBuf>| match link {
            Some(link) => Outside::Link(link.strip_prefix(root).unwrap_or(link).to_string_lossy().into_owned()),
            None => Outside::Above,
        };
        match Path::new(&part).components().next() {
            None | Some(Component::CurDir) => {}
            Some(Component::RootDir | Component::Prefix(_)) => return Err(outside(&last_link)),
            Some(Component::ParentDir) => {
                below = below.checked_sub(1).ok_or_else(|| outside(&last_link))?;
                here.pop();
            }
            Some(Component::Normal(name)) => {
                here.push(name);
                below += 1;
                let Some(target) = read_link(&here) else { continue };
                links += 1;
                if links > LINKS {
                    return Err(Outside::TooManyLinks);
                }
                last_link = Some(here.clone());
                here.pop();
                below -= 1;
                let target = match target.strip_prefix(root) {
                    Ok(inner) => {
                        here = root.to_owned();
                        below = 0;
                        inner.to_owned()
                    }
                    Err(_) => target,
                };
                for part in target.components().rev() {
                    rest.push_front(part.as_os_str().to_owned());
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_followed_link_by_link() {
        let links = |path: &Path| {
            let target = match path.to_str().unwrap() {
                "/r/in" => "sub/deep",
                "/r/out" => "../elsewhere",
                "/r/abs" => "/etc",
                "/r/home" => "/r/sub",
                "/r/loop" => "loop",
                "/r/hop" => "in/../../..",
                _ => return None,
            };
            Some(PathBuf::from(target))
        };
        let check = |directory: &str, path: &str| {
            stays_inside(Path::new("/r"), Path::new(directory), Path::new(path), &links)
                .map_err(|error| error.to_string())
        };
        for (directory, path) in [
            ("/r", "."),
            ("/r", "a/b"),
            ("/r/sub", ".."),
            ("/r/sub", "../a"),
            ("/r", "in/x"),
            ("/r", "in/../.."),
            ("/r", "home/x"),
            ("/r", "missing/../a"),
        ] {
            assert_eq!(check(directory, path), Ok(()), "{directory} {path}");
        }
        for (directory, path, want) in [
            ("/r", "..", "leads out of the repository"),
            ("/r/sub", "../..", "leads out of the repository"),
            ("/r", "a/../../r", "leads out of the repository"),
            ("/r", "/etc", "leads out of the repository"),
            ("/r", "out/x", "leads out of the repository through the link `out`"),
            ("/r", "abs/passwd", "leads out of the repository through the link `abs`"),
            ("/r", "hop", "leads out of the repository through the link `in`"),
            ("/r", "loop", "goes through more than 40 links"),
            ("/elsewhere", "a", "leads out of the repository"),
        ] {
            assert_eq!(check(directory, path).unwrap_err(), want, "{directory} {path}");
        }
    }
}
