//! Who said what requests mean, where their own servers were not reached.

use std::collections::BTreeMap;

use super::{Change, Lockfile, Pin};

impl Lockfile {
    /// Notes who said what requests mean: for those that were asked anew whoever did so now (none for their own servers),
    /// for others whoever is in `old`. Tells where that is a mirror now.
    pub fn set_mirrors(&mut self, old: &Self, asked: &BTreeMap<String, Option<String>>) -> Vec<Change> {
        let of = |key: &String| match asked.get(key) {
            Some(mirror) => mirror.clone(),
            None => old.mirrors.get(key).cloned(),
        };
        self.mirrors = self.keys().filter_map(|key| of(&key).map(|mirror| (key, mirror))).collect();
        let new = self.mirrors.iter().filter(|(key, mirror)| old.mirrors.get(*key) != Some(mirror));
        new.map(|(key, mirror)| Change::Mirrored { key: key.clone(), mirror: mirror.clone() }).collect()
    }

    /// Of a pin that both sides have, the mirror only if no side asked its own server; else that of the side that has it.
    pub(super) fn join_mirrors(&mut self, ours: &Self, theirs: &Self) {
        let of = |key: &String| {
            let sides = [ours, theirs].into_iter().filter(|side| side.result(key) == self.result(key));
            let mirrors: Option<Vec<&String>> = sides.map(|side| side.mirrors.get(key)).collect();
            mirrors?.first().map(|mirror| (*mirror).clone())
        };
        self.mirrors = self.keys().filter_map(|key| of(&key).map(|mirror| (key, mirror))).collect();
    }

    /// The keys of all pins, that of the BuildKit image among them.
    fn keys(&self) -> impl Iterator<Item = String> {
        let buildkit = self.buildkit.iter().map(|pin| pin.request.clone());
        buildkit.chain(self.sources.iter().map(Pin::key))
    }

    /// What the pin with this key stands for.
    fn result(&self, key: &str) -> Option<String> {
        let buildkit = self.buildkit.iter().find(|pin| pin.request == key).map(|pin| pin.digest.to_string());
        buildkit.or_else(|| self.pin(key).map(Pin::result))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    fn lockfile(pins: &[(&str, u8, Option<&str>)]) -> Lockfile {
        let key = |request: &str| format!("registry.example/{request}");
        let mut lockfile = Lockfile::default();
        for (request, byte, mirror) in pins {
            let (request, digest) = (key(request), Digest::from_bytes([*byte; 32]));
            lockfile.mirrors.extend(mirror.map(|mirror| (request.clone(), mirror.to_owned())));
            lockfile.sources.push(Pin::Image { request, digest, platforms: BTreeMap::new() });
        }
        lockfile
    }

    fn mirrors(of: &[(&str, &str)]) -> BTreeMap<String, String> {
        of.iter().map(|(key, mirror)| (format!("registry.example/{key}"), (*mirror).to_owned())).collect()
    }

    #[test]
    fn a_mirror_stays_until_the_server_itself_is_asked() {
        let old = lockfile(&[("kept:1", 1, Some("m")), ("asked:1", 1, Some("m")), ("gone:1", 1, Some("m"))]);
        let mut new = lockfile(&[("kept:1", 1, None), ("asked:1", 2, None), ("new:1", 1, None)]);
        let key = |name: &str| format!("registry.example/{name}");
        let asked = BTreeMap::from([(key("asked:1"), None), (key("new:1"), Some("n".to_owned()))]);
        let changes = new.set_mirrors(&old, &asked);
        assert_eq!(new.mirrors, mirrors(&[("kept:1", "m"), ("new:1", "n")]));
        assert_eq!(changes, [Change::Mirrored { key: key("new:1"), mirror: "n".to_owned() }]);
        let text = new.to_text();
        assert!(text.contains("revision = 1\n") && text.contains("mirror = \"n\"\n"), "{text}");
        assert_eq!(Lockfile::parse(&text, &crate::limits::Limits::default()).unwrap().mirrors, new.mirrors);
    }

    #[test]
    fn one_side_that_asked_the_server_is_enough() {
        let ours = lockfile(&[("a:1", 1, Some("m")), ("b:1", 1, Some("m")), ("c:1", 1, Some("m"))]);
        let theirs = lockfile(&[("a:1", 1, None), ("b:1", 1, Some("n")), ("c:1", 2, None)]);
        let mut joined = lockfile(&[("a:1", 1, None), ("b:1", 1, None), ("c:1", 1, None)]);
        joined.join_mirrors(&ours, &theirs);
        assert_eq!(joined.mirrors, mirrors(&[("b:1", "m"), ("c:1", "m")]));
    }
}
