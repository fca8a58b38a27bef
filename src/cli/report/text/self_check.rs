//! The text of `repro build --self-check`.

use std::fmt::Write;

use crate::compare::{EntriesDifference, LayerDifference, PathDifference, Presence};
use crate::escape;
use crate::explain::{Cause, ExplainedLayer, ExplainedPath, Fix};
use crate::project::Checked;

/// Characters of an instruction that people are shown.
const WIDTH: usize = 100;

/// How many paths of one cause people are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// A few.
    Few,
    /// More, with `-v`.
    More,
    /// Every one that is known, with `--all`.
    All,
}

impl Shown {
    /// What the flags ask for.
    pub fn of(is_verbose: bool, all: bool) -> Self {
        match (is_verbose, all) {
            (_, true) => Self::All,
            (true, false) => Self::More,
            (false, false) => Self::Few,
        }
    }

    fn count(self) -> usize {
        match self {
            Self::Few => 8,
            Self::More => 40,
            Self::All => usize::MAX,
        }
    }
}

/// A few lines for people, with so many paths of each cause.
pub fn describe(checked: &Checked, text: &mut String, image: &str, shown: Shown) {
    let (platform, check) = (&checked.platform, &checked.check);
    let Some(level) = check.level else {
        let but = if checked.has_open_network { "; but RUN could reach the whole network" } else { "" };
        let _ = writeln!(text, "{image} {platform} is reproducible: built again without cache, it is the same{but}");
        return;
    };
    let second = check.second.manifest;
    let _ = writeln!(text, "{image} {platform} is not reproducible: built again without cache, it is {second}");
    if check.layers.is_empty() {
        let _ = writeln!(text, "  the builds differ in {}, in no layer that can be compared", level.in_words());
    }
    for layer in &check.layers {
        describe_layer(text, layer, shown.count());
    }
    if check.profiles.is_empty() {
        return;
    }
    let rules = checked.given.iter().map(String::as_str).chain(check.profiles.iter().copied());
    let rules: Vec<String> = rules.map(|rule| format!("\"{}\"", escape::text(rule))).collect();
    let rules = rules.join(", ");
    let effect = if check.is_fixed { "makes both builds equal" } else { "fixes a part" };
    let _ = writeln!(text, "  tried on both builds, this {effect}: scrub = [{rules}]");
}

fn describe_layer(text: &mut String, layer: &ExplainedLayer, shown: usize) {
    let ExplainedLayer { difference: LayerDifference { number, entries: differing, .. }, paths, .. } = layer;
    let Some(EntriesDifference { count, entries, .. }) = differing else { return };
    let made_by = instruction(&layer.created_by);
    if *count == 0 {
        let _ = writeln!(text, "  layer {number}, {made_by}: the same entries in another order or form");
        return;
    }
    let _ = writeln!(text, "  layer {number}, {made_by}: {count} of {entries} entries differ");
    // Paths with the same causes and fixes stand together.
    let mut groups: Vec<Vec<&ExplainedPath>> = Vec::new();
    for path in paths {
        let fits = |group: &&mut Vec<&ExplainedPath>| {
            let code = |cause: &&Cause| cause.code;
            group[0].fixes == path.fixes && group[0].causes.iter().map(code).eq(path.causes.iter().map(code))
        };
        match groups.iter_mut().find(fits) {
            Some(members) => members.push(path),
            None => groups.push(vec![path]),
        }
    }
    for members in groups {
        for path in members.iter().take(shown) {
            let _ = writeln!(text, "    /{}: {}", escape::bytes(&path.path), told(&path.difference));
        }
        if members.len() > shown {
            let _ = writeln!(text, "    and {} more: `--all`", members.len() - shown);
        }
        for cause in &members[0].causes {
            let _ = writeln!(text, "      {} {}: {}", cause.code, cause.name, cause.sentence);
        }
        for fix in &members[0].fixes {
            let _ = writeln!(text, "      {}", advice(fix));
        }
    }
    let unknown = count.saturating_sub(paths.len() as u64);
    if unknown > 0 {
        let _ = writeln!(text, "    {unknown} more that were not compared");
    }
}

/// The instruction as people wrote it, on one line of bounded width.
fn instruction(created_by: &str) -> String {
    let plain = created_by.strip_suffix(" # buildkit").unwrap_or(created_by);
    let plain = plain.replacen("RUN /bin/sh -c ", "RUN ", 1);
    let words: Vec<&str> = plain.split_whitespace().collect();
    let line = words.join(" ");
    let short: String = line.chars().take(WIDTH).collect();
    let dots = if short.len() < line.len() { "…" } else { "" };
    format!("`{}{dots}`", escape::text(&short))
}

/// Which build has the path, or what differs in it.
fn told(difference: &PathDifference) -> String {
    match difference.presence {
        Presence::First => "only in the first build".to_owned(),
        Presence::Second => "only in the second build".to_owned(),
        Presence::Both => difference.aspects.iter().map(|aspect| aspect.name()).collect::<Vec<_>>().join(", "),
    }
}

fn advice(fix: &Fix) -> String {
    match fix {
        Fix::Scrub(profile) => format!("the scrub profile `{profile}` fixes this"),
        Fix::RunEnv { name, value, effect } => format!("try run-env = {{ {name} = \"{value}\" }}: {effect}"),
        Fix::Dockerfile(change) => (*change).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_is_shown_as_it_was_written_in_one_short_line() {
        for (created_by, want) in [
            ("RUN /bin/sh -c date > /x # buildkit", "`RUN date > /x`"),
            ("COPY a /a # buildkit", "`COPY a /a`"),
            ("RUN |1 V=1 /bin/sh -c a\n  b # buildkit", "`RUN |1 V=1 /bin/sh -c a b`"),
            ("RUN \u{1b}[31m", "`RUN \\u{1b}[31m`"),
        ] {
            assert_eq!(instruction(created_by), want);
        }
        let long = instruction(&"x".repeat(500));
        assert_eq!(long.chars().count(), WIDTH + 3);
    }
}
