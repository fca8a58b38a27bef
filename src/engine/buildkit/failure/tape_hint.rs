//! What the words of a failed step mean when its network is a tape.

use super::error::BuildKitError;

/// Says what a failed step's words mean when its network is a tape.
///
/// `has_certificate` tells whether RUN was given the certificate of BuildKit's proxy, `has_door` whether the tape is asked
/// by every method.
pub fn explain_taped(error: BuildKitError, log: &[&str], has_certificate: bool, has_door: bool) -> BuildKitError {
    if log.iter().any(|line| line.contains("flag provided but not defined: -proxy-network")) {
        return BuildKitError::Unusable {
            message: "`buildctl` knows no `--proxy-network`, which `network = \"locked\"` needs".to_owned(),
            fix: "install BuildKit v0.31 or newer: https://github.com/moby/buildkit/releases".to_owned(),
        };
    }
    match error {
        BuildKitError::Step { message, .. } | BuildKitError::Refused { message, .. } if message.contains("network.host") => {
            BuildKitError::Unusable {
                message: format!("BuildKit does not let a build reach the tape: {message}"),
                fix: "start buildkitd with `--allow-insecure-entitlement network.host`: steps are confined to the tape all the same"
                    .to_owned(),
            }
        }
        BuildKitError::Step { place, message, log: words, fix } => {
            let fix = fix.or_else(|| hint(&message, &words, has_certificate, has_door).map(str::to_owned));
            BuildKitError::Step { place, message, log: words, fix }
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

/// What daemons without a door refuse.
const GIT: &str = "git over HTTPS sends POST, which this daemon's tape can't hold: a private daemon (`--engine buildctl` without \
     `--addr`) records it, or take the repository with `ADD https://…/repo.git#REF /path`";
const GET_ONLY: &str = "in this daemon a tape answers GET only: HEAD, POST and uploads are refused; a private daemon (`--engine buildctl` \
     without `--addr`) records them, or take the file with `ADD`, or make the program use GET (for curl without `-I` and `-d`, \
     for wget without `--spider`)";

/// A runtime that was made without the module that agents need.
const NO_AGENTS: &str = "this Java has no module `java.instrument`, by which it is led to the proxy: `run-env = { JAVA_TOOL_OPTIONS = \"\" }` \
     leaves it as it is, and a JDK for what it downloads leads there";

/// Words of programs, each in lower case, and what they mean inside a taped build; the first that fits.
const HINTS: [(&[&str], &str); 6] = [
    (&["java.instrument"], NO_AGENTS),
    (&["unable to access '", "git-upload-pack", "failed to clone", "error: rpc failed"], GIT),
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
    (&["403 forbidden", "error: 403", " 403", "403:"], GET_ONLY),
];

fn hint(message: &str, log: &[String], has_certificate: bool, has_door: bool) -> Option<&'static str> {
    let words = log.iter().map(String::as_str).chain([message]).collect::<Vec<_>>().join("\n").to_ascii_lowercase();
    let is_of_policy = |hint: &str| hint == GIT || hint == GET_ONLY;
    let mut hints = HINTS.iter().filter(|(_, hint)| !has_door || !is_of_policy(hint));
    let hint = hints.find(|(signs, _)| signs.iter().any(|sign| words.contains(sign))).map(|(_, hint)| *hint)?;
    Some(if hint == OWN_TRUST_STORE && !has_certificate { NO_TRUST_STORE } else { hint })
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let found = hint("process did not complete", &[said.to_owned()], true, false);
            assert!(found.is_some_and(|hint| hint.contains(meant)), "{said}: {found:?}");
        }
        let untrusted = hint("", &["x509: certificate signed by unknown authority".to_owned()], false, false);
        assert_eq!(untrusted, Some(NO_TRUST_STORE));
        assert_eq!(hint("exit code: 1", &["make: *** [all] Error 1".to_owned()], true, false), None);
        let refused = "curl: (22) The requested URL returned error: 403".to_owned();
        assert_eq!(hint("", &[refused], true, true), None, "through a door that is the origin's own word");
    }
}
