//! Why what layers say about a path differs: each aspect has its cause. Contents are looked into elsewhere.

use std::collections::BTreeSet;

use super::difference::{Difference, DifferenceLevel};
use super::value::cut;
use crate::compare::Aspect;
use crate::compare::layers::{PathDifference, PathEntry, split};
use crate::epoch::rfc3339;
use crate::escape;
use crate::explain::causes::Class;
use crate::layer::tar::Kind;
use crate::layer::whiteout::PREFIX;

const CAPABILITY: &[u8] = b"security.capability";
/// Setuid, setgid and sticky.
const SPECIAL: u32 = 0o7000;
const SETGID: u32 = 0o2000;
/// Causes that modes and an instruction speak for, and do not prove.
const GUESSED: &[&str] = &["C036", "C039", "C040"];
/// The umasks that people have.
const UMASKS: &[u32] = &[0, 0o002, 0o022, 0o027, 0o077];

/// What is known of the layer that a path is in.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    /// The instruction that made it.
    pub(super) instruction: String,
    /// `created` of both configs, seconds since 1970.
    pub(super) epochs: [Option<i64>; 2],
    /// Two umasks explain every mode of the layer that differs.
    pub(super) is_umask: bool,
}

impl Context {
    /// What is known of a layer whose paths differ in this way.
    pub(super) fn of(instruction: &str, epochs: [Option<i64>; 2], paths: &[PathDifference]) -> Self {
        let is_context = ["COPY ", "ADD "].iter().any(|word| instruction.starts_with(word));
        let is_umask = is_context && !instruction.contains("--chmod") && are_umasks(paths);
        Self { instruction: instruction.to_owned(), epochs, is_umask }
    }

    fn is_http(&self) -> bool {
        let source = self.instruction.strip_prefix("ADD ").unwrap_or_default();
        !self.is_git() && (source.contains("http://") || source.contains("https://"))
    }

    fn is_git(&self) -> bool {
        let source = self.instruction.strip_prefix("ADD ").unwrap_or_default();
        let mut words = source.split(' ');
        words.any(|word| {
            word.starts_with("git@") || word.starts_with("git://") || word.contains(".git#") || word.ends_with(".git")
        })
    }

    /// The mode that `--chmod` asks for.
    fn chmod(&self) -> Option<u32> {
        let (_, rest) = self.instruction.split_once("--chmod=")?;
        u32::from_str_radix(rest.split(' ').next()?, 8).ok()
    }
}

/// Whether all modes that differ do so as if two umasks had made them, the same ones everywhere.
fn are_umasks(paths: &[PathDifference]) -> bool {
    let modes = |found: &PathDifference| {
        let [Some((_, one)), Some((_, other))] = &found.sides else { return None };
        let is_compared = one.kind.name() == other.kind.name() && one.mode != other.mode;
        is_compared.then_some((one.mode, other.mode))
    };
    let modes: Vec<(u32, u32)> = paths.iter().filter_map(modes).collect();
    let fits = |first: u32, second: u32| {
        modes.iter().all(|(one, other)| {
            let both = one | other;
            *one == both & !first && *other == both & !second
        })
    };
    !modes.is_empty() && UMASKS.iter().any(|first| UMASKS.iter().any(|second| fits(*first, *second)))
}

/// Why what both layers say about a path differs. `place` is that of the layer.
pub(super) fn explain(
    path: &[u8],
    place: usize,
    one: &PathEntry,
    other: &PathEntry,
    context: &Context,
) -> Vec<Difference> {
    let aspects = one.aspects(other);
    if split(path).1.starts_with(PREFIX) {
        let all: Vec<Aspect> = aspects.iter().copied().collect();
        let mark = Difference::proven("C047", DifferenceLevel::Entry);
        let class = if aspects.contains(&Aspect::Content) || aspects.contains(&Aspect::Kind) {
            Class::Content
        } else {
            Class::Benign
        };
        return vec![mark.classed(class).at(place, path, &all)];
    }
    let mut found = Vec::new();
    for aspect in &aspects {
        let (code, first, second) = match aspect {
            Aspect::Kind if is_broken_link(one, other, &aspects) => ("C045", shown_kind(one), shown_kind(other)),
            Aspect::Kind => ("C043", shown_kind(one), shown_kind(other)),
            // Looked into by whoever has the bytes.
            Aspect::Content => continue,
            Aspect::Target => ("C044", shown_target(one), shown_target(other)),
            Aspect::Device => ("C046", shown_kind(one), shown_kind(other)),
            Aspect::Mode => (mode(one, other, context), format!("{:04o}", one.mode), format!("{:04o}", other.mode)),
            Aspect::Owner => ("C035", shown_owner(one), shown_owner(other)),
            Aspect::Mtime => (mtime(one, other, context), shown_time(one), shown_time(other)),
            Aspect::Attributes => {
                found.extend(
                    attributes(one, other).into_iter().map(|difference| difference.at(place, path, &[*aspect])),
                );
                continue;
            }
        };
        let difference = Difference::proven(code, DifferenceLevel::Entry).between(Some(first), Some(second));
        let difference = if GUESSED.contains(&code) { difference.likely() } else { difference };
        found.push(difference.at(place, path, &[*aspect]));
    }
    found
}

/// Whether a hard link became a file with the same content, or the other way round.
fn is_broken_link(one: &PathEntry, other: &PathEntry, aspects: &BTreeSet<Aspect>) -> bool {
    one.has_content_of(other) && !aspects.contains(&Aspect::Content)
}

fn mode(one: &PathEntry, other: &PathEntry, context: &Context) -> &'static str {
    let differing = one.mode ^ other.mode;
    if one.is_directory() && differing == SETGID {
        return "C037";
    }
    if differing & SPECIAL != 0 {
        return "C038";
    }
    let is = |first: u32, second: u32| [(first, second), (second, first)].contains(&(one.mode, other.mode));
    if one.is_directory() && context.chmod().is_some_and(|chmod| is(0o755, chmod)) {
        return "C039";
    }
    if context.is_git() && (is(0o666, 0o644) || is(0o777, 0o755)) {
        return "C040";
    }
    if context.is_umask { "C036" } else { "C049" }
}

fn mtime(one: &PathEntry, other: &PathEntry, context: &Context) -> &'static str {
    let times = [one.mtime, other.mtime];
    let [first, second] = context.epochs;
    if first != second && is_epoch(times[0], first) && is_epoch(times[1], second) {
        return "C005";
    }
    if one.is_file() && one.mode & 0o777 == 0o600 && context.is_http() {
        return "C032";
    }
    let is_old = |time: (i64, u32)| {
        let epoch = first.into_iter().chain(second).min();
        epoch.is_none_or(|epoch| time <= (epoch, 0))
    };
    match () {
        () if !times.into_iter().all(is_old) => "C031",
        () if one.is_directory() => "C033",
        () => "C030",
    }
}

/// Whether a time is exactly the epoch.
pub(super) fn is_epoch(time: (i64, u32), epoch: Option<i64>) -> bool {
    epoch.is_some_and(|epoch| time == (epoch, 0))
}

fn attributes(one: &PathEntry, other: &PathEntry) -> Vec<Difference> {
    let mut found = Vec::new();
    let names: BTreeSet<&Vec<u8>> = one.attributes.keys().chain(other.attributes.keys()).collect();
    for name in names {
        let (first, second) = (one.attributes.get(name), other.attributes.get(name));
        if first == second {
            continue;
        }
        let code = if name == CAPABILITY { "C041" } else { "C042" };
        let text = |value: Option<&Vec<u8>>| value.map(|value| cut(escape::bytes(value)));
        let difference = Difference::proven(code, DifferenceLevel::Entry).about(&String::from_utf8_lossy(name));
        found.push(difference.between(text(first), text(second)));
    }
    if one.sparse_size != other.sparse_size {
        let text = |size: Option<u64>| size.map(|size| size.to_string());
        let difference = Difference::proven("C042", DifferenceLevel::Entry).about("sparse size");
        found.push(difference.between(text(one.sparse_size), text(other.sparse_size)));
    }
    found
}

/// A kind with what belongs to it.
pub(super) fn shown_kind(entry: &PathEntry) -> String {
    match &entry.kind {
        Kind::CharacterDevice { major, minor } | Kind::BlockDevice { major, minor } => {
            format!("{} {major}:{minor}", entry.kind.name())
        }
        kind => match kind.target() {
            Some(target) => cut(format!("{} to {}", kind.name(), escape::bytes(target))),
            None => kind.name().to_owned(),
        },
    }
}

fn shown_target(entry: &PathEntry) -> String {
    cut(escape::bytes(entry.kind.target().unwrap_or_default()))
}

fn shown_owner(entry: &PathEntry) -> String {
    let (user, group) = &entry.names;
    let name = |name: &[u8]| if name.is_empty() { String::new() } else { format!(" ({})", escape::bytes(name)) };
    cut(format!("{}{}:{}{}", entry.owner.0, name(user), entry.owner.1, name(group)))
}

fn shown_time(entry: &PathEntry) -> String {
    let (seconds, nanoseconds) = entry.mtime;
    let time = u64::try_from(seconds).ok().map_or_else(|| seconds.to_string(), rfc3339);
    if nanoseconds == 0 { time } else { format!("{time} and {nanoseconds} ns") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::Fingerprint;

    const EPOCH: i64 = 1_700_000_000;

    fn file(mode: u32, mtime: i64) -> PathEntry {
        PathEntry {
            kind: Kind::File,
            mode,
            owner: (0, 0),
            names: (Vec::new(), Vec::new()),
            mtime: (mtime, 0),
            size: 0,
            content: Some(Fingerprint { digest: crate::digest::Digest::of(b""), start: [0; 4] }),
            attributes: Default::default(),
            sparse_size: None,
            number: 0,
        }
    }

    fn directory(mode: u32) -> PathEntry {
        PathEntry { kind: Kind::Directory, content: None, ..file(mode, 0) }
    }

    fn codes(instruction: &str, epochs: [i64; 2], one: PathEntry, other: PathEntry) -> Vec<&'static str> {
        let path = PathDifference { path: b"a".to_vec(), sides: [Some((0, one.clone())), Some((0, other.clone()))] };
        let context = Context::of(instruction, epochs.map(Some), &[path]);
        explain(b"a", 0, &one, &other, &context).iter().map(|found| found.cause.code).collect()
    }

    #[test]
    fn each_mode_has_its_cause() {
        let ask = |instruction: &str, one, other| codes(instruction, [EPOCH; 2], one, other);
        assert_eq!(ask("RUN a", file(0o755, 0), file(0o4755, 0)), ["C038"]);
        assert_eq!(ask("RUN a", directory(0o2755), directory(0o755)), ["C037"]);
        assert_eq!(ask("RUN a", directory(0o1777), directory(0o777)), ["C038"]);
        assert_eq!(ask("COPY --chmod=700 a /b", directory(0o755), directory(0o700)), ["C039"]);
        assert_eq!(ask("ADD https://git.example/a.git#v1 /b", file(0o666, 0), file(0o644, 0)), ["C040"]);
        assert_eq!(ask("COPY a /b", file(0o644, 0), file(0o664, 0)), ["C036"]);
        assert_eq!(ask("COPY a /b", file(0o644, 0), file(0o640, 0)), ["C036"]);
        assert_eq!(ask("COPY a /b", file(0o644, 0), file(0o755, 0)), ["C049"]);
        assert_eq!(ask("RUN a", file(0o644, 0), file(0o664, 0)), ["C049"]);
    }

    #[test]
    fn each_time_has_its_cause() {
        let ask = |instruction: &str, one, other| codes(instruction, [EPOCH; 2], one, other);
        assert_eq!(ask("RUN a", file(0o644, 1), file(0o644, EPOCH)), ["C030"]);
        assert_eq!(ask("RUN a", file(0o644, 1), file(0o644, EPOCH + 1)), ["C031"]);
        assert_eq!(ask("ADD https://a.example/b /b", file(0o600, 1), file(0o600, 0)), ["C032"]);
        let moved = PathEntry { mtime: (5, 0), ..directory(0o755) };
        assert_eq!(ask("RUN a", directory(0o755), moved), ["C033"]);
        let shifted = codes("RUN a", [EPOCH, EPOCH + 9], file(0o644, EPOCH), file(0o644, EPOCH + 9));
        assert_eq!(shifted, ["C005"]);
        let other = codes("RUN a", [EPOCH, EPOCH + 9], file(0o644, EPOCH), file(0o644, EPOCH + 8));
        assert_eq!(other, ["C031"]);
    }

    #[test]
    fn a_broken_hard_link_is_one_only_with_the_same_content() {
        let link = PathEntry { kind: Kind::HardLink { target: b"b".to_vec() }, ..file(0o644, 0) };
        assert_eq!(codes("RUN a", [EPOCH; 2], link.clone(), file(0o644, 0)), ["C045"]);
        let other = Fingerprint { digest: crate::digest::Digest::of(b"x"), start: [0; 4] };
        let changed = PathEntry { content: Some(other), ..file(0o644, 0) };
        assert_eq!(codes("RUN a", [EPOCH; 2], link.clone(), changed), ["C043"]);
        let outside = PathEntry { content: None, ..link };
        assert_eq!(codes("RUN a", [EPOCH; 2], outside, file(0o644, 0)), ["C043"]);
    }
}
