//! Known noise, by name: which files of new layers a manifest may leave out of an image.
//!
//! The manifest names profiles and paths; each becomes a [`Rule`] that is asked about the path of every regular file of
//! every new layer. The lockfile records profiles with the number of their list ([`Rule::name`]). Nothing here reads or
//! writes layers: `build` does, while it assembles.

mod catalogue;
mod git_index;
mod pattern;
mod shadow;

pub use catalogue::{Action, PROFILES, Profile};
use git_index::forget_stat;
use shadow::fix_shadow_days;

use crate::escape;
use pattern::Pattern;

/// A resolved scrub rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    name: String,
    action: Action,
    patterns: Vec<Pattern>,
}

/// How the content of a file that stays is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edit {
    /// As that of a shadow file.
    ShadowDays,
    /// As that of git's index.
    GitIndex,
}

impl Edit {
    /// What becomes of `content`.
    pub fn apply(self, content: &[u8]) -> Vec<u8> {
        match self {
            Self::ShadowDays => fix_shadow_days(content),
            Self::GitIndex => forget_stat(content),
        }
    }

    /// What kind of file it is for.
    pub fn file(self) -> &'static str {
        match self {
            Self::ShadowDays => "shadow file",
            Self::GitIndex => "index of git",
        }
    }

    /// Bytes that such a file has at most; real shadow files have some thousands, an index a hundred for each file.
    pub fn most(self) -> u64 {
        match self {
            Self::ShadowDays => 1 << 20,
            Self::GitIndex => 64 << 20,
        }
    }
}

/// A text that is no scrub rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// There is no such profile.
    #[error("`{}` is no scrub profile, and no path, which starts with `/`", escape::text(.0))]
    UnknownProfile(String),
    /// The profile is known, this list of it is not.
    #[error("the scrub profile `{}` is not known to this version, which has `{newest}`", escape::text(name))]
    UnknownNumber {
        /// The profile as the lockfile has it.
        name: String,
        /// The newest list of that profile.
        newest: String,
    },
    /// The path names no files.
    #[error("`{}` is no path of files: {what}", escape::text(path))]
    Path {
        /// The path.
        path: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

impl Profile {
    /// The newest list of the profile called `name`.
    pub fn newest(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().rfind(|profile| profile.name == name)
    }

    /// Name and number, as lockfiles have it: `apt-cache/1`.
    pub fn numbered(&self) -> String {
        format!("{}/{}", self.name, self.number)
    }
}

impl Rule {
    /// Reads a rule as manifests spell it (`apt-cache`, `/var/lib/app/*.tmp`) or as lockfiles do (`apt-cache/1`).
    ///
    /// # Errors
    /// For names and numbers that no list has, and for paths that can't name a file.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        if text.starts_with('/') {
            return Ok(Self { name: text.to_owned(), action: Action::Drop, patterns: vec![Pattern::parse(text)?] });
        }
        let (name, number) = match text.split_once('/') {
            None => (text, None),
            Some((name, number)) => (name, Some(number)),
        };
        let newest = Profile::newest(name).ok_or_else(|| RuleError::UnknownProfile(text.to_owned()))?;
        let is_wanted = |profile: &&Profile| {
            profile.name == name && number.is_none_or(|number| number == profile.number.to_string())
        };
        let profile = PROFILES
            .iter()
            .rfind(is_wanted)
            .ok_or_else(|| RuleError::UnknownNumber { name: text.to_owned(), newest: newest.numbered() })?;
        let patterns = profile.paths.iter().map(|path| Pattern::parse(path)).collect::<Result<_, _>>()?;
        Ok(Self { name: profile.numbered(), action: profile.action, patterns })
    }

    /// The rule as lockfiles and reports have it: profiles with their number, paths as they are.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the file at `path`, which the rule names, is changed; none if it is left out.
    pub fn edit(&self, path: &[u8]) -> Option<Edit> {
        match self.action {
            Action::Drop => None,
            Action::FixShadowDays => Some(Edit::ShadowDays),
            Action::ForgetClone => path.ends_with(b"/index").then_some(Edit::GitIndex),
        }
    }

    /// Whether the rule names the regular file at `path`, relative to the image's root.
    pub fn matches(&self, path: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(path))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_manifests_and_lockfiles_spell_them() {
        for (text, name) in [("apt-cache", "apt-cache/1"), ("apt-cache/1", "apt-cache/1"), ("/var/*.tmp", "/var/*.tmp")]
        {
            assert_eq!(Rule::parse(text).unwrap().name(), name);
        }
        let rule = Rule::parse("apt-cache").unwrap();
        assert!(rule.matches(b"var/cache/apt/pkgcache.bin") && !rule.matches(b"var/cache/apt/archives/a.deb"));
    }

    #[test]
    fn names_of_the_future_are_refused_by_name() {
        for (text, want) in [
            ("apt-cache/2", "the scrub profile `apt-cache/2` is not known to this version, which has `apt-cache/1`"),
            ("apt-cache/01", "the scrub profile `apt-cache/01` is not known to this version, which has `apt-cache/1`"),
            ("apt-cahce", "`apt-cahce` is no scrub profile, and no path, which starts with `/`"),
            ("new-one/1", "`new-one/1` is no scrub profile, and no path, which starts with `/`"),
            ("", "`` is no scrub profile, and no path, which starts with `/`"),
            ("/a/../b", "`/a/../b` is no path of files: `.` and `..` name no file"),
        ] {
            assert_eq!(Rule::parse(text).unwrap_err().to_string(), want);
        }
    }
}
