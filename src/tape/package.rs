//! Names and versions of packages, read from the URLs that package managers ask for.
//!
//! For people only: what was downloaded is judged by digest, and a name that is not understood is shown as its URL.

/// The name and version in the URL of a package of Debian, Alpine, RPM, Python, npm, cargo, Go, Ruby or Maven.
pub(super) fn package(url: &str) -> Option<(String, String)> {
    let path = url.split(['?', '#']).next()?;
    let (_, path) = path.split_once("://")?;
    let parts: Vec<String> = path.split('/').skip(1).map(decoded).collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let file = *parts.last()?;
    let (name, version) = match parts.as_slice() {
        [.., scope, _, "-", _] if scope.starts_with('@') && file.ends_with(".tgz") => {
            let (name, version) = at_version(file.strip_suffix(".tgz")?)?;
            (format!("{scope}/{name}"), version)
        }
        [.., name, version, "download"] if starts_with_digit(version) => ((*name).to_owned(), (*version).to_owned()),
        [module @ .., "@v", file] => {
            let version = file.strip_suffix(".zip")?;
            let from = module.iter().position(|part| part.contains('.')).unwrap_or(0);
            (module[from..].join("/"), version.to_owned())
        }
        [.., artifact, version, file]
            if file.ends_with(".jar") && file.starts_with(&format!("{artifact}-{version}")) =>
        {
            ((*artifact).to_owned(), (*version).to_owned())
        }
        _ => of_file(file)?,
    };
    let is_good =
        |text: &str| !text.is_empty() && text.len() < 200 && !text.chars().any(|c| c.is_control() || c == ' ');
    (is_good(&name) && is_good(&version)).then_some((name, version))
}

fn of_file(file: &str) -> Option<(String, String)> {
    if let Some(stem) = file.strip_suffix(".deb") {
        let mut fields = stem.split('_');
        return Some((fields.next()?.to_owned(), fields.next()?.to_owned()));
    }
    if let Some(stem) = file.strip_suffix(".rpm") {
        let (stem, _architecture) = stem.rsplit_once('.')?;
        let (stem, release) = stem.rsplit_once('-')?;
        let (name, version) = stem.rsplit_once('-')?;
        return Some((name.to_owned(), format!("{version}-{release}")));
    }
    if let Some(stem) = file.strip_suffix(".whl") {
        let mut fields = stem.split('-');
        return Some((fields.next()?.to_owned(), fields.next()?.to_owned()));
    }
    let endings = [".apk", ".tgz", ".crate", ".gem", ".tar.gz", ".jar"];
    at_version(endings.iter().find_map(|ending| file.strip_suffix(ending))?)
}

/// `NAME-VERSION`, cut before the first part that begins with a digit.
fn at_version(stem: &str) -> Option<(String, String)> {
    let cut = stem.match_indices('-').find(|(at, _)| starts_with_digit(&stem[at + 1..])).map(|(at, _)| at)?;
    Some((stem[..cut].to_owned(), stem[cut + 1..].to_owned()))
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// A part of a path with its `%XX` read; as it is where that gives no text.
fn decoded(part: &str) -> String {
    let bytes = part.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let value = part.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match value.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_by_their_urls() {
        for (url, want) in [
            ("http://deb.example/pool/main/c/curl/curl_7.88.1-10+deb12u14_amd64.deb", Some("curl 7.88.1-10+deb12u14")),
            ("http://deb.example/pool/main/g/g/libc6_1%3a2.36%2bb_amd64.deb", Some("libc6 1:2.36+b")),
            (
                "https://apk.example/v3.20/main/x86_64/ca-certificates-bundle-20240705-r0.apk",
                Some("ca-certificates-bundle 20240705-r0"),
            ),
            (
                "https://rpm.example/Packages/b/bash-completion-2.11-9.fc39.noarch.rpm",
                Some("bash-completion 2.11-9.fc39"),
            ),
            ("https://files.example/packages/ab/cd/requests-2.31.0-py3-none-any.whl", Some("requests 2.31.0")),
            ("https://files.example/packages/PyYAML-6.0.1.tar.gz", Some("PyYAML 6.0.1")),
            ("https://npm.example/left-pad/-/left-pad-1.3.0.tgz", Some("left-pad 1.3.0")),
            ("https://npm.example/@types/node/-/node-20.1.0.tgz", Some("@types/node 20.1.0")),
            ("https://crates.example/api/v1/crates/serde/1.0.200/download", Some("serde 1.0.200")),
            ("https://static.example/crates/serde/serde-1.0.200.crate", Some("serde 1.0.200")),
            ("https://proxy.example/golang.org/x/text/@v/v0.14.0.zip", Some("golang.org/x/text v0.14.0")),
            ("https://gems.example/gems/nokogiri-1.16.0-x86_64-linux.gem", Some("nokogiri 1.16.0-x86_64-linux")),
            ("https://maven.example/org/a/thing-core/1.2/thing-core-1.2.jar", Some("thing-core 1.2")),
            ("http://deb.example/dists/bookworm/InRelease", None),
            ("https://proxy.example/golang.org/x/text/@v/v0.14.0.mod", None),
            ("https://h.example/", None),
            ("https://h.example/%ff%.deb", None),
        ] {
            let found = package(url).map(|(name, version)| format!("{name} {version}"));
            assert_eq!(found.as_deref(), want, "{url}");
        }
    }
}
