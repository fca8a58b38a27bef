//! What a taped build needs beside its policy: reading its log.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::build::{Plan, StepRequests};
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::failure::heading;
use crate::engine::buildkit::input::injected::without_flags;
use crate::process::Log;
use crate::tape::true_urls;

/// The line that comes before the requests of a step.
const HEADING: &str = "proxy network requests:";

/// The log with true URLs and instructions as they were written.
pub fn true_log<'l>(plan: &Plan, log: &'l Log) -> Vec<Cow<'l, str>> {
    log.lines().map(|line| true_line(plan, line)).collect()
}

/// A line of the log with true URLs and instructions as they were written.
pub fn true_line<'l>(plan: &Plan, line: &'l str) -> Cow<'l, str> {
    let line = without_flags(line);
    match &plan.tape {
        Some(tape) if line.contains(tape.route.base()) => Cow::Owned(true_urls(&line, tape.route.base())),
        _ => line,
    }
}

/// The requests that the log tells, by step.
pub fn requests(plan: &Plan, log: &Log) -> Vec<StepRequests> {
    if plan.tape.is_none() {
        return Vec::new();
    }
    let mut steps = read_requests(true_log(plan, log).iter().map(AsRef::as_ref));
    for step in &mut steps {
        step.line = heading::line(&step.step, &plan.dockerfile);
    }
    steps
}

fn read_requests<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<StepRequests> {
    let mut names: BTreeMap<u64, String> = BTreeMap::new();
    let mut listing: BTreeMap<u64, Vec<(String, u16)>> = BTreeMap::new();
    for line in lines {
        let Some((number, rest)) = line.strip_prefix('#').and_then(|line| line.split_once(' ')) else { continue };
        let Ok(number) = number.parse::<u64>() else { continue };
        if rest.starts_with('[') {
            names.entry(number).or_insert_with(|| rest.to_owned());
            continue;
        }
        // After the time, a line of the step; the step can write anything, so this is for people only.
        let Some((_, said)) = rest.split_once(' ') else { continue };
        if said == HEADING {
            listing.insert(number, Vec::new());
        } else if let Some(known) = listing.get_mut(&number)
            && let Some((url, status)) = said.strip_prefix("- GET ").and_then(|request| request.rsplit_once(" -> "))
            && let Ok(status) = status.parse()
        {
            known.push((url.to_owned(), status));
        }
    }
    let name = |number: u64| names.get(&number).cloned().unwrap_or_else(|| format!("#{number}"));
    listing.into_iter().map(|(number, requests)| StepRequests { step: name(number), line: None, requests }).collect()
}

/// Says what a failed step's words mean when its network is a tape.
///
/// `has_certificate` tells whether RUN was given the certificate of BuildKit's proxy.
pub fn explain(error: BuildKitError, log: &[&str], has_certificate: bool) -> BuildKitError {
    if log.iter().any(|line| line.contains("flag provided but not defined: -proxy-network")) {
        return BuildKitError::Unusable {
            message: "`buildctl` knows no `--proxy-network`, which `network = \"locked\"` needs".to_owned(),
            mend: "install BuildKit v0.31 or newer: https://github.com/moby/buildkit/releases".to_owned(),
        };
    }
    match error {
        BuildKitError::Step { message, .. } | BuildKitError::Refused { message, .. } if message.contains("network.host") => {
            BuildKitError::Unusable {
                message: format!("BuildKit does not let a build reach the tape: {message}"),
                mend: "start buildkitd with `--allow-insecure-entitlement network.host`: steps are confined to the tape all the same"
                    .to_owned(),
            }
        }
        BuildKitError::Step { place, message, log: words, mend } => {
            let mend = mend.or_else(|| hint(&message, &words, has_certificate).map(str::to_owned));
            BuildKitError::Step { place, message, log: words, mend }
        }
        other => other,
    }
}

/// A program that reads neither the base's trust store nor the variables that RUN is given.
const OWN_TRUST_STORE: &str = "the program has a trust store of its own, in which the certificate of BuildKit's proxy is not: \
     lead it to `/dev/.repro/proxy.pem` with its option, or with its variable in `run-env`";
/// A base to which the certificate could not be added, and from which it could not be read.
const NO_TRUST_STORE: &str = "the base has no trust store that BuildKit's proxy could add its certificate to, and no base image of \
     the build has a shell with `cat` to read it from: install `ca-certificates` over plain HTTP in an earlier RUN, or take the \
     file with `ADD`";

/// Words of programs, each in lower case, and what they mean inside a taped build; the first that fits.
const HINTS: [(&[&str], &str); 5] = [
    (
        &["unable to access '", "git-upload-pack", "failed to clone", "error: rpc failed"],
        "git over HTTPS sends POST, which no tape can hold: take the repository with `ADD https://…/repo.git#REF /path`, \
         or vendor it (cargo from 1.70 on and go with a module proxy need no git)",
    ),
    (
        &[
            "self-signed certificate",
            "self_signed_cert",
            "unable to get local issuer",
            "pkix path",
            "certificate verify failed",
            "certificate is not trusted",
            "no system certificates",
            "signed by unknown authority",
            "certificate problem",
            "the certificate issuer is unknown",
            "unknownissuer",
            "problem with the ssl ca cert",
            "unable to locally verify the issuer",
        ],
        OWN_TRUST_STORE,
    ),
    (
        &[
            "could not resolve",
            "temporary failure resolving",
            "temporary failure in name resolution",
            "name or service not known",
            "network is unreachable",
            "bad address",
            "no such host",
            "no route to host",
            "getaddrinfo",
            "unknown host",
        ],
        "the program went past the proxy, and there is no other network: it must honour `http_proxy` and `https_proxy`, or the \
         file must come by `ADD`",
    ),
    (
        &["502 bad gateway", " 502", "502:", "not on the tape"],
        "the request is not on the tape: `repro lock --network-only` records again and keeps what is on it",
    ),
    (
        &["403 forbidden", "error: 403", " 403", "403:"],
        "a tape answers GET only: HEAD, POST and uploads are refused; take the file with `ADD`, or make the program use GET \
         (for curl without `-I` and `-d`, for wget without `--spider`)",
    ),
];

fn hint(message: &str, log: &[String], has_certificate: bool) -> Option<&'static str> {
    let words = log.iter().map(String::as_str).chain([message]).collect::<Vec<_>>().join("\n").to_ascii_lowercase();
    let hint = HINTS.iter().find(|(signs, _)| signs.iter().any(|sign| words.contains(sign))).map(|(_, hint)| *hint)?;
    Some(if hint == OWN_TRUST_STORE && !has_certificate { NO_TRUST_STORE } else { hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_of_each_step_are_read_from_the_log() {
        let log = "#5 [2/3] RUN curl x\n#5 0.1 - GET https://h.example/no -> 200\n#5 0.241 proxy network requests:\n\
                   #5 0.241 - GET https://h.example/a?b -> 200\n#6 [3/3] RUN true\n#5 0.241 - GET http://h.example/c -> 404\n\
                   #5 DONE 0.2s\n#6 DONE 0.1s\n";
        let requests = vec![("https://h.example/a?b".to_owned(), 200), ("http://h.example/c".to_owned(), 404)];
        assert_eq!(
            read_requests(log.lines()),
            [StepRequests { step: "[2/3] RUN curl x".to_owned(), line: None, requests }]
        );
    }

    #[test]
    fn the_words_of_programs_are_understood() {
        for (said, meant) in [
            (
                "fatal: unable to access 'https://h.example/r.git/': The requested URL returned error: 403",
                "git over HTTPS",
            ),
            ("curl: (60) SSL certificate problem: unable to get local issuer certificate", "trust store of its own"),
            ("Error: self-signed certificate in certificate chain", "trust store of its own"),
            ("curl: (6) Could not resolve host: h.example", "went past the proxy"),
            ("wget: bad address 'h.example'", "went past the proxy"),
            ("curl: (22) The requested URL returned error: 502", "not on the tape"),
            ("curl: (22) The requested URL returned error: 403", "GET only"),
            ("HTTP request sent, awaiting response... 403 Forbidden", "GET only"),
        ] {
            let found = hint("process did not complete", &[said.to_owned()], true);
            assert!(found.is_some_and(|hint| hint.contains(meant)), "{said}: {found:?}");
        }
        let untrusted = hint("", &["x509: certificate signed by unknown authority".to_owned()], false);
        assert_eq!(untrusted, Some(NO_TRUST_STORE));
        assert_eq!(hint("exit code: 1", &["make: *** [all] Error 1".to_owned()], true), None);
    }
}
