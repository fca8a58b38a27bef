//! Lines of a manifest that settle what `repro lint` finds, offered to who begins one.

use std::collections::BTreeSet;

use crate::dockerfile::syntax::Dockerfile;
use crate::lint::{Shell, Surroundings, lint};
use crate::scrub::{PROFILES, Profile, Rule};

/// Variables whose one value makes programs equal: name, and value as in a manifest.
const VARIABLES: [(&str, &str); 3] = [("SOURCE_DATE_EPOCH", "epoch"), ("PYTHONHASHSEED", "0"), ("PERL_HASH_SEED", "0")];

/// The lines that remove findings about the Dockerfile, or make them say less.
pub(super) fn offers(dockerfile: &Dockerfile) -> Vec<String> {
    let mut shell = Shell::default();
    let mut found = |surroundings: &Surroundings| {
        let linted = lint(dockerfile, surroundings, &[], &mut shell);
        let open = linted.findings.into_iter().filter(|finding| finding.allowed.is_none());
        open.map(|finding| (finding.rule.code, finding.span, finding.message)).collect::<BTreeSet<_>>()
    };
    let bare = found(&Surroundings::default());
    let mut gains = |surroundings: &Surroundings| -> Vec<&'static str> {
        let left = found(surroundings);
        let codes: BTreeSet<&str> = bare.difference(&left).map(|(code, ..)| *code).collect();
        codes.into_iter().collect()
    };
    let mut offers = Vec::new();
    let useful = VARIABLES.into_iter().filter_map(|(name, value)| {
        let codes = gains(&Surroundings { run_env: BTreeSet::from([name.to_owned()]), ..Surroundings::default() });
        (!codes.is_empty()).then(|| (format!("{name} = \"{value}\""), codes))
    });
    offers.extend(joined(useful.collect(), |all| format!("run-env = {{ {all} }}")));
    let newest = PROFILES.iter().filter(|profile| Profile::newest(profile.name) == Some(profile));
    let useful = newest.filter_map(|profile| {
        let rule = Rule::parse(profile.name).ok()?;
        let codes = gains(&Surroundings { scrub: vec![rule], ..Surroundings::default() });
        (!codes.is_empty()).then(|| (format!("\"{}\"", profile.name), codes))
    });
    offers.extend(joined(useful.collect(), |all| format!("scrub = [{all}]")));
    offers
}

fn joined(useful: Vec<(String, Vec<&'static str>)>, line: impl FnOnce(&str) -> String) -> Option<String> {
    let codes: BTreeSet<&str> = useful.iter().flat_map(|(_, codes)| codes).copied().collect();
    let parts: Vec<String> = useful.into_iter().map(|(part, _)| part).collect();
    let codes: Vec<&str> = codes.into_iter().collect();
    let told = || format!("{} # settles what `repro lint` finds: {}", line(&parts.join(", ")), codes.join(", "));
    (!parts.is_empty()).then(told)
}
