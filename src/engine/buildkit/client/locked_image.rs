//! The locked image of BuildKit, for engines that start it in a container.

use crate::config::Config;
use crate::lockfile::BuildkitPin;
use crate::reference::Reference;

/// The image by its request and digest; a request that names the digest itself has it once.
pub fn locked_name(pin: &BuildkitPin) -> String {
    let digest = format!("@{}", pin.digest);
    let request = pin.request.strip_suffix(&digest).unwrap_or(&pin.request);
    format!("{request}{digest}")
}

/// Where the locked image may come from: the user's mirrors first, its own registry last.
pub fn images(pin: &BuildkitPin, config: &Config) -> Vec<String> {
    let own = locked_name(pin);
    let Ok(reference) = pin.request.parse::<Reference>() else { return vec![own] };
    let registry = config.host(reference.domain());
    let mirrors = registry.map(|registry| registry.mirrors.as_slice()).unwrap_or_default();
    let mirrored = mirrors.iter().map(|mirror| {
        let path = [mirror.host.as_str(), mirror.path.as_str(), reference.path()];
        let path: Vec<&str> = path.into_iter().filter(|part| !part.is_empty()).collect();
        format!("{}@{}", path.join("/"), pin.digest)
    });
    mirrored.chain([own]).collect()
}

/// Whether anything that a container asks lies on this machine, which one with a network of its own can't reach.
pub fn reaches_loopback(config: &Config, image: &str) -> bool {
    let is_loopback = |host: &str| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        name == "localhost" || name.starts_with("127.") || name == "[::1]"
    };
    let authority = |url: &String| url.split('/').nth(2).is_some_and(is_loopback);
    let own = image.split('/').next().is_some_and(is_loopback);
    let registries = config
        .registries
        .iter()
        .any(|(name, registry)| is_loopback(name) || registry.mirrors.iter().any(|mirror| is_loopback(&mirror.host)));
    own || registries || config.mirrors.values().any(authority)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Mirror, Registry};
    use crate::digest::Digest;

    #[test]
    fn the_image_is_asked_of_mirrors_first_and_loopback_needs_the_hosts_network() {
        let mirror = Mirror { host: "127.0.0.1:5000".to_owned(), path: "hub".to_owned() };
        let registry = Registry { mirrors: vec![mirror], ..Registry::default() };
        let config = Config { registries: [("docker.io".to_owned(), registry)].into(), ..Config::default() };
        let digest = Digest::of(b"image");
        let pin = BuildkitPin { request: "docker.io/moby/buildkit:v0.32.2".to_owned(), digest };
        assert_eq!(
            images(&pin, &config),
            [format!("127.0.0.1:5000/hub/moby/buildkit@{digest}"), format!("docker.io/moby/buildkit:v0.32.2@{digest}")]
        );
        assert!(reaches_loopback(&config, "docker.io/moby/buildkit:1"));
        assert!(!reaches_loopback(&Config::default(), "docker.io/moby/buildkit:1"));
        assert!(reaches_loopback(&Config::default(), "localhost:5000/buildkit:1"));
    }
}
