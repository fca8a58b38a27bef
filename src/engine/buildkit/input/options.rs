//! The values of the options that every client is given: arguments, network, entitlements, secrets, the output.

use super::frontend;
use crate::build::{Plan, injected, surroundings_key};
use crate::manifest::Network;
use crate::platform::Platform;

const HOST_NETWORK: &str = "network.host";
const EXPORT: &str = "compression=uncompressed,rewrite-timestamp=true,oci-mediatypes=true";

/// Build arguments: those of the plan, the epoch, and `BUILDPLATFORM` where the builder's own is another.
pub fn build_args(plan: &Plan, builder: Option<&Platform>) -> Vec<(String, String)> {
    let mut args: Vec<(String, String)> =
        plan.parameters.args.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    args.extend(frontend::argument(plan));
    args.push(("SOURCE_DATE_EPOCH".to_owned(), plan.epoch.to_string()));
    if let Some(platform) = plan.parameters.build_platform.as_ref().filter(|platform| builder != Some(platform)) {
        let variant = platform.variant.clone().unwrap_or_default();
        for (name, value) in [
            ("BUILDPLATFORM", platform.to_string()),
            ("BUILDOS", platform.os.clone()),
            ("BUILDARCH", platform.architecture.clone()),
            ("BUILDVARIANT", variant),
        ] {
            if !plan.parameters.args.contains_key(name) {
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
    match plan.run.network {
        _ if plan.run.tape.is_some() => Some("host"),
        Network::None | Network::Locked => Some("none"),
        Network::Open => None,
    }
}

/// The host entry that keeps builds apart in the cache whose RUNs have different surroundings.
pub fn host_entry(plan: &Plan) -> Option<String> {
    surroundings_key(plan.run.tape.as_ref().map(|tape| tape.digest), &injected(plan))
}

/// Entitlements that the user allowed, and the one that a tape needs, in the form that clients take.
pub fn entitlements(plan: &Plan) -> impl Iterator<Item = &str> {
    let of_tape = plan.run.tape.is_some() && plan.run.allow.iter().all(|allow| allow.what != HOST_NETWORK);
    plan.run.allow.iter().map(|allow| allow.what.as_str()).chain(of_tape.then_some(HOST_NETWORK))
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
