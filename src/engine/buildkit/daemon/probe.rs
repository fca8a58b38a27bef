//! Before a taped build: can the daemon reach the tape, and what is the certificate of its proxy?

use std::time::Duration;

use super::control::Control;
use crate::build::{Plan, Surroundings};
use crate::engine::buildkit::command::attempt;
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::input::{Redirects, options};
use crate::lockfile::Pin;
use crate::process::Finished;
use crate::tape::{PROBE_BASE, Route, true_urls};

const TIME: Duration = Duration::from_secs(300);
/// Base images that are tried for one that can print a file.
const BASES: usize = 3;
const LONGEST: usize = 16 << 10;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Lets the daemon behind `control` build from the server's Dockerfiles.
///
/// Where a program runs that can read no file of ours, a URL is all that can be handed to it. Gives the certificate that
/// the proxy signs with, in PEM; none where no base image of the build has a shell with `cat`.
pub fn certificate(
    control: &Control,
    plan: &Plan,
    redirects: &Redirects,
    route: &Route,
    surroundings: &Surroundings<'_>,
) -> Result<Option<String>, BuildKitError> {
    let run = |url: &str, more: &[String]| -> Result<Finished, BuildKitError> {
        let command = control
            .0
            .clone()
            .args(["build", "--progress=plain", "--frontend", "dockerfile.v0", "--no-cache"])
            .args(["--opt", &format!("context={url}")])
            .args(more.iter().map(String::as_str));
        attempt(&command, surroundings, TIME)
    };
    let reached = run(&route.probe(), &[])?;
    if !reached.succeeded() {
        return Err(unreachable(&reached, route));
    }
    for image in bases(plan).take(BASES) {
        let image = redirects.image(&image).unwrap_or(image);
        let mut arguments = vec![
            "--opt".to_owned(),
            format!("build-arg:{PROBE_BASE}={image}"),
            "--opt".to_owned(),
            format!("platform={}", plan.platform),
            "--proxy-network".to_owned(),
        ];
        if let Some(network) = options::network(plan) {
            arguments.extend(["--opt".to_owned(), format!("force-network-mode={network}")]);
        }
        arguments.extend(options::entitlements(plan).flat_map(|what| ["--allow".to_owned(), what.to_owned()]));
        let finished = run(&route.certificate_probe(), &arguments)?;
        if let Some(certificate) = printed(finished.log.lines()) {
            return Ok(Some(certificate));
        }
    }
    Ok(None)
}

/// Base images of the build that may have a shell with `cat`.
pub fn bases(plan: &Plan) -> impl Iterator<Item = String> {
    let frontend = &plan.inputs.dockerfile.syntax;
    let images = plan.pins.iter().filter_map(move |pin| match pin {
        Pin::Image { request, .. } if Some(request) == frontend.as_ref() => None,
        Pin::Image { request, .. } if request.contains('@') => Some(request.clone()),
        Pin::Image { request, digest, .. } => Some(format!("{request}@{digest}")),
        _ => None,
    });
    images.filter(|image| !image.contains("docker/dockerfile"))
}

fn unreachable(finished: &Finished, route: &Route) -> BuildKitError {
    let origin = route.base().splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    let said = true_urls(&finished.log.last(1).join(""), route.base());
    BuildKitError::Unusable {
        message: format!("BuildKit can't reach the tape, which is served at `{origin}`: {said}"),
        fix: "for a daemon in another network: `--tape-listen ADDRESS:PORT --tape-url URL` serve the tape where it can be reached"
            .to_owned(),
    }
}

/// The certificate that a step printed, in PEM, each of its lines behind the step's number and a time.
fn printed<'l>(lines: impl Iterator<Item = &'l str>) -> Option<String> {
    let mut pem: Option<String> = None;
    for line in lines {
        let said = line.split(' ').nth(2).unwrap_or_default();
        if line.ends_with(BEGIN) {
            pem = Some(format!("{BEGIN}\n"));
        } else if let Some(pem) = &mut pem {
            if line.ends_with(END) {
                pem.push_str(END);
                pem.push('\n');
                return Some(std::mem::take(pem));
            }
            let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
            if said.is_empty() || !said.bytes().all(is_base64) || pem.len() > LONGEST {
                return None;
            }
            pem.push_str(said);
            pem.push('\n');
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_read_from_the_log_of_a_step() {
        let log = "#7 [2/2] RUN cat x\n#7 0.1 # buildkit proxy CA begin\n#7 0.1 -----BEGIN CERTIFICATE-----\n\
                   #7 0.1 MIIC+/\n#7 0.2 AQ==\n#7 0.2 -----END CERTIFICATE-----\n#7 DONE 0.1s";
        let want = "-----BEGIN CERTIFICATE-----\nMIIC+/\nAQ==\n-----END CERTIFICATE-----\n";
        assert_eq!(printed(log.lines()).as_deref(), Some(want));
        assert_eq!(printed(log.replace("AQ==", "<script>").lines()), None);
        assert_eq!(printed(log.replace("-----END", "-----end").lines()), None);
    }
}
