//! Arguments of `RUN`.

use super::error::{DockerfileError, wrong};
use super::flags::{Flags, Kind};
use super::mount;
use super::node::Node;
use super::quote::quote;
use super::syntax::{Network, Run};

pub(super) fn read_run(node: &Node) -> Result<Run, DockerfileError> {
    const FLAGS: &[(&str, Kind)] =
        &[("device", Kind::Values), ("mount", Kind::Values), ("network", Kind::Value), ("security", Kind::Value)];
    let flags = Flags::read(&node.flags, FLAGS)?;
    let devices = flags.values("device").iter().map(|value| read_device(value)).collect::<Result<_, _>>()?;
    let mounts = flags.values("mount");
    mounts.iter().try_for_each(|value| mount::check_from(value)).map_err(wrong)?;
    let network = match flags.given("network").as_deref() {
        None | Some("default") => Network::Default,
        Some("none") => Network::None,
        Some("host") => Network::Host,
        Some(other) => return Err(wrong(format!("invalid network mode {}", quote(other.as_bytes())))),
    };
    let insecure = match flags.given("security").as_deref() {
        None | Some("sandbox") => false,
        Some("insecure") => true,
        Some(other) => return Err(wrong(format!("security {} is not valid", quote(other.as_bytes())))),
    };
    Ok(Run {
        command: node.arguments.command_line(),
        heredocs: node.heredocs.clone(),
        mounts,
        devices,
        network,
        insecure,
    })
}

/// The name of a device: `NAME[,required[=BOOL]]`.
fn read_device(value: &str) -> Result<String, DockerfileError> {
    let fields = mount::csv_fields(value).map_err(|error| wrong(format!("failed to parse csv devices: {error}")))?;
    let mut name = String::new();
    for field in fields {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_lowercase(), Some(value)),
            None => (field.to_lowercase(), None),
        };
        match (key.as_str(), value) {
            ("required", None) => {}
            ("name", Some(_)) if !name.is_empty() => {
                return Err(wrong(format!("device name already set to {name}")));
            }
            ("name", Some(value)) => name = value.to_owned(),
            ("required", Some(value)) => {
                mount::parse_bool(value).ok_or_else(|| wrong(format!("invalid value for {key}: {value}")))?;
            }
            _ if name.is_empty() => name = field,
            (_, None) => return Err(wrong(format!("invalid field '{field}' must be a key=value pair"))),
            (key, Some(_)) => {
                return Err(wrong(format!("unexpected key '{key}' in '{field}'")).suggest(key, ["name", "required"]));
            }
        }
    }
    Ok(name)
}
