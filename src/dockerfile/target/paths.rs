//! Paths inside an image, as text: cleaned and joined as BuildKit does for the image's operating system.

/// A path without doubled slashes, `.` and inner `..`; never empty.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// The parts that are not empty, joined and cleaned.
pub(super) fn join(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { String::new() } else { clean(&parts.join("/")) }
}

/// The last element of a path; `.` for an empty path, `/` for the root.
pub(super) fn base(path: &str) -> &str {
    if path.is_empty() {
        return ".";
    }
    let path = path.trim_end_matches('/');
    if path.is_empty() { "/" } else { path.rsplit('/').next().unwrap_or(path) }
}

/// The rules of an operating system.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct PathRules {
    windows: bool,
}

impl PathRules {
    pub(super) fn of(os: &str) -> Self {
        Self { windows: os == "windows" }
    }

    pub(super) fn to_slash(self, path: &str) -> String {
        if self.windows { path.replace('\\', "/") } else { path.to_owned() }
    }

    /// Without the drive letter of Windows; elsewhere the path as it is.
    pub(super) fn without_drive(self, path: &str, keep_slash: bool) -> Result<String, String> {
        if !self.windows {
            return Ok(path.to_owned());
        }
        if path.len() == 2 && path.ends_with(':') {
            return Err(format!("No relative path specified in {}", crate::dockerfile::quote::quote(path.as_bytes())));
        }
        if path.len() >= 2 && path.bytes().take(2).all(|byte| matches!(byte, b'/' | b'\\')) {
            return Err("UNC paths are not supported".to_owned());
        }
        let path = match path.split_once(':') {
            None => path,
            Some((drive, rest)) if drive.eq_ignore_ascii_case("c") => rest,
            Some(_) => return Err("The specified path is not on the system drive (C:)".to_owned()),
        };
        let path = self.to_slash(path);
        let cleaned = clean(&path);
        Ok(if keep_slash && cleaned.len() > 1 && path.ends_with('/') { format!("{cleaned}/") } else { cleaned })
    }

    pub(super) fn is_absolute(self, path: &str) -> bool {
        self.without_drive(path, false).is_ok_and(|path| path.starts_with('/'))
    }

    /// An absolute path; relative ones are taken below `parent`, and cleaned only then.
    pub(super) fn normalize(self, parent: &str, path: &str, keep_slash: bool) -> Result<String, String> {
        let wrap = |error: String| format!("removing drive letter: {error}");
        let written = self.to_slash(path);
        let parent = if parent.is_empty() { "/".to_owned() } else { self.to_slash(parent) };
        let mut parent = self.without_drive(&parent, keep_slash).map_err(wrap)?;
        if !parent.starts_with('/') {
            parent = join(&["/", &parent]);
        }
        let path = if written.is_empty() { parent.clone() } else { written.clone() };
        let mut path = self.without_drive(&path, keep_slash).map_err(wrap)?;
        if !self.is_absolute(&path) {
            path = join(&[&parent, &path]);
        }
        if keep_slash && written.ends_with('/') && !path.ends_with('/') {
            path.push('/');
        } else if keep_slash && !written.ends_with('/') && written.ends_with("/.") {
            path.push_str(if path == "/" { "." } else { "/." });
        }
        Ok(self.to_slash(&path))
    }

    /// A new working directory; with forward slashes.
    pub(super) fn workdir(self, current: &str, path: &str) -> Result<String, String> {
        let wrap = |error| format!("normalizing workdir: normalizing working directory: {error}");
        self.normalize(current, path, false).map_err(wrap)
    }

    /// A destination of `COPY`: below the working directory unless absolute, its last slash kept.
    pub(super) fn destination(self, workdir: &str, path: &str) -> Result<String, String> {
        let path = self.without_drive(path, true).map_err(|error| format!("removing drive letter: {error}"))?;
        if self.is_absolute(&path) {
            return self.normalize("/", &path, true);
        }
        self.normalize(workdir, if matches!(path.as_str(), "" | ".") { "./" } else { &path }, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_go_does() {
        for (path, want) in [("", "."), ("a//b/../c/.", "a/c"), ("/../a", "/a"), ("../a/../..", "../.."), ("/", "/")] {
            assert_eq!(clean(path), want, "{path}");
        }
        assert_eq!(
            (join(&["/", ""]), join(&["", ""]), join(&["/", "a/../b"])),
            ("/".into(), String::new(), "/b".into())
        );
        assert_eq!((base(""), base("//"), base("/a/b/")), (".", "/", "b"));
    }

    #[test]
    fn destinations_keep_their_last_slash() {
        let linux = PathRules::of("linux");
        for (workdir, path, want) in [
            ("/w", "a", "/w/a"),
            ("/w", ".", "/w/"),
            ("/w", "", "/w/"),
            ("/w", "a/.", "/w/a/."),
            ("/w", "a/", "/w/a/"),
            ("/w", "/x//y", "/x//y"),
            ("/", "./", "/"),
            ("", "a", "/a"),
        ] {
            assert_eq!(linux.destination(workdir, path).as_deref(), Ok(want), "{workdir} {path}");
        }
        let windows = PathRules::of("windows");
        assert_eq!(windows.workdir("/", "C:\\app\\x").as_deref(), Ok("/app/x"));
        assert!(windows.workdir("/", "D:\\app").is_err_and(|e| e.ends_with("not on the system drive (C:)")));
    }
}
