//! What both clients are told about a build, and what neither is asked for.

use crate::build::{Plan, Surroundings, injected, surroundings_key};
use crate::engine::buildkit::failure::BuildKitError;
use crate::engine::buildkit::host::Host;
use crate::engine::buildkit::input::injected::check_frontend;
use crate::engine::buildkit::input::redirects::Redirects;
use crate::manifest::Network;
use crate::platform::Platform;
use crate::status::Status;

const HOST_NETWORK: &str = "network.host";
const EXPORT: &str = "compression=uncompressed,rewrite-timestamp=true,oci-mediatypes=true";

/// Refuses, before any work, what can't be built reproducibly, and epochs that lie ahead.
pub fn check(plan: &Plan, host: &Host) -> Result<(), BuildKitError> {
    if plan.epoch.seconds() > host.now {
        return Err(BuildKitError::Refused {
            message: format!("the epoch {} ({}) lies in the future", plan.epoch, plan.epoch.rfc3339()),
            mend: "BuildKit only lowers times, so the epoch can't be later than now".to_owned(),
            status: Status::Usage,
        });
    }
    check_frontend(plan)?;
    Ok(())
}

/// Warns of what makes the result unverifiable, though it may be done.
pub fn warn(plan: &Plan, surroundings: &Surroundings<'_>) {
    if plan.network == Network::Open {
        let message = format!("image `{}`: RUN has an open network, so nobody can verify the result", plan.image);
        surroundings.progress.warn(&message);
    }
}

/// Build arguments: those of the plan, the epoch, and `BUILDPLATFORM` where the builder's own is another.
pub fn build_args(plan: &Plan, builder: Option<&Platform>) -> Vec<(String, String)> {
    let mut args: Vec<(String, String)> = plan.args.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    args.push(("SOURCE_DATE_EPOCH".to_owned(), plan.epoch.to_string()));
    if let Some(platform) = plan.build_platform.as_ref().filter(|platform| builder != Some(platform)) {
        let variant = platform.variant.clone().unwrap_or_default();
        for (name, value) in [
            ("BUILDPLATFORM", platform.to_string()),
            ("BUILDOS", platform.os.clone()),
            ("BUILDARCH", platform.architecture.clone()),
            ("BUILDVARIANT", variant),
        ] {
            if !plan.args.contains_key(name) {
                args.push((name.to_owned(), value));
            }
        }
    }
    args
}

/// What every step's network is, as clients take it; none leaves it to the daemon.
///
/// A tape is reached from the daemon's own network. The steps are confined to BuildKit's proxy all the same.
pub fn network(plan: &Plan) -> Option<&'static str> {
    match plan.network {
        _ if plan.tape.is_some() => Some("host"),
        Network::None | Network::Locked => Some("none"),
        Network::Open => None,
    }
}

/// The host entry that keeps builds apart in the cache whose RUNs have different surroundings.
pub fn host_entry(plan: &Plan) -> Option<String> {
    surroundings_key(plan.tape.as_ref().map(|tape| tape.digest), &injected(plan))
}

/// Entitlements that the user allowed, and the one that a tape needs, in the form that clients take.
pub fn entitlements(plan: &Plan) -> impl Iterator<Item = &str> {
    let of_tape = plan.tape.is_some() && plan.allow.iter().all(|allow| allow.what != HOST_NETWORK);
    plan.allow.iter().map(|allow| allow.what.as_str()).chain(of_tape.then_some(HOST_NETWORK))
}

/// The value of `--output` for an image at `path`.
pub fn output(path: &str) -> String {
    format!("type=oci,{},{EXPORT}", field("dest", path))
}

/// The value of `--secret` for a file.
pub fn secret(id: &str, path: &str) -> String {
    format!("{},{}", field("id", id), field("src", path))
}

/// One field of a comma-separated option, quoted where its value needs it.
fn field(key: &str, value: &str) -> String {
    let field = format!("{key}={value}");
    if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field }
}

/// The user's mirrors of files and repositories as redirects.
///
/// Mirrors of registries are not among them: daemons know their own, and fall back to the upstream.
pub fn redirects(host: &Host) -> Redirects {
    let mirrors = &host.config.mirrors;
    Redirects { http: mirrors.clone(), git: mirrors.clone(), ..Redirects::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_comma_separated_options_stay_whole() {
        assert_eq!(field("dest", "/a b/image.tar"), "dest=/a b/image.tar");
        assert_eq!(field("dest", "/a,type=local"), "\"dest=/a,type=local\"");
        assert_eq!(field("src", "/a\"b"), "\"src=/a\"\"b\"");
        assert_eq!(
            output("/x.tar"),
            "type=oci,dest=/x.tar,compression=uncompressed,rewrite-timestamp=true,oci-mediatypes=true"
        );
    }
}
