//! The configuration of the daemons that `repro` starts.

use std::fmt::Write as _;

use crate::build::Plan;
use crate::config::Config;
use crate::engine::buildkit::input::options;

/// `buildkitd.toml` for daemons that serve `plan`: the user's registries and what RUN may ask for.
pub fn configuration(config: &Config, plan: &Plan) -> String {
    let mut entitlements: Vec<&str> =
        options::entitlements(plan).map(|what| what.split('=').next().unwrap_or_default()).collect();
    entitlements.sort_unstable();
    entitlements.dedup();
    let mut text = String::new();
    if plan.run.tape.is_some() {
        text.push_str("proxyNetwork = true\n");
    }
    if !entitlements.is_empty() {
        let _ = writeln!(text, "insecure-entitlements = {}", list(entitlements));
    }
    for (name, registry) in &config.registries {
        let _ = writeln!(text, "[registry.{}]", quoted(name));
        if !registry.mirrors.is_empty() {
            let mirrors = registry.mirrors.iter().map(|mirror| match mirror.path.as_str() {
                "" => mirror.host.clone(),
                path => format!("{}/{path}", mirror.host),
            });
            let _ = writeln!(text, "mirrors = {}", list(mirrors));
        }
        if let Some(http) = registry.http {
            let _ = writeln!(text, "http = {http}");
        }
        if !registry.ca.is_empty() {
            let _ = writeln!(text, "ca = {}", list(registry.ca.iter().map(|path| path.to_string_lossy())));
        }
    }
    text
}

fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| quoted(item.as_ref())).collect();
    format!("[{}]", items.join(", "))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
