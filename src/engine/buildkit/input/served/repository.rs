//! A repository of single commits, as git's smart HTTP protocol hands them out: version 0, each without those before it.
//!
//! A bundle of one commit (`docs/formats.md`, "Commit bundle") holds the very pack that a shallow fetch of it wants, so no
//! `git` runs here and nothing depends on what a client sends but which commit it names.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;

use crate::engine::buildkit::input::redirects::commit_reference;
use crate::resolve::bundle::read_header;

/// Bytes of a request.
const REQUEST: u64 = 1 << 20;
const FLUSH: &[u8] = b"0000";
const ABILITIES: &str = "shallow allow-tip-sha1-in-want allow-reachable-sha1-in-want agent=repro";

/// Commits of one repository.
#[derive(Debug, Default)]
pub struct Repository {
    commits: BTreeMap<String, Pack>,
}

/// Where a commit's pack is.
#[derive(Clone, Debug)]
struct Pack {
    bundle: PathBuf,
    start: u64,
    size: u64,
}

/// What a client gets: some lines, then maybe a pack.
pub struct Response {
    head: Vec<u8>,
    pack: Option<Pack>,
}

impl Repository {
    /// Adds the commit of a bundle.
    pub fn add(&mut self, commit: &str, bundle: PathBuf) -> io::Result<()> {
        let mut reader = BufReader::new(File::open(&bundle)?);
        if read_header(&mut reader)? != commit {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let start = reader.stream_position()?;
        let size = reader.get_ref().metadata()?.len() - start;
        self.commits.insert(commit.to_owned(), Pack { bundle, start, size });
        Ok(())
    }

    /// What is there: the response to `info/refs?service=git-upload-pack`.
    pub fn advertisement(&self) -> Vec<u8> {
        let mut response = line("# service=git-upload-pack\n");
        response.extend_from_slice(FLUSH);
        for (number, commit) in self.commits.keys().enumerate() {
            if number == 0 {
                let format = if commit.len() == 64 { "sha256" } else { "sha1" };
                response.extend(line(&format!("{commit} HEAD\0{ABILITIES} object-format={format}\n")));
            }
            response.extend(line(&format!("{commit} {}\n", commit_reference(commit))));
        }
        for commit in self.commits.keys() {
            response.extend(line(&format!("shallow {commit}\n")));
        }
        response.extend_from_slice(FLUSH);
        response
    }

    /// The response to what is sent to `git-upload-pack`.
    pub fn respond(&self, request: impl Read) -> io::Result<Response> {
        let mut text = Vec::new();
        if request.take(REQUEST + 1).read_to_end(&mut text)? as u64 > REQUEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let (mut wanted, mut is_shallow, mut has_some, mut is_done) = (None, false, false, false);
        for line in lines(&text) {
            match line.split(' ').next().unwrap_or_default().trim_end() {
                "want" => wanted = line.split([' ', '\n']).nth(1),
                "deepen" => is_shallow = true,
                "have" => has_some = true,
                "done" => is_done = true,
                _ => {}
            }
        }
        let found = wanted.and_then(|commit| self.commits.get_key_value(commit));
        let Some((commit, pack)) = found else {
            return Ok(Response { head: line("ERR not our commit\n"), pack: None });
        };
        let mut head = Vec::new();
        if is_shallow {
            head.extend(line(&format!("shallow {commit}\n")));
            head.extend_from_slice(FLUSH);
        }
        if is_done || has_some {
            head.extend(line("NAK\n"));
        }
        Ok(Response { head, pack: is_done.then(|| pack.clone()) })
    }
}

impl Response {
    /// Bytes of the response.
    pub fn size(&self) -> u64 {
        self.head.len() as u64 + self.pack.as_ref().map_or(0, |pack| pack.size)
    }

    /// The response from a byte on.
    pub fn open(self, from: u64) -> io::Result<Box<dyn Read + Send>> {
        let pack = match self.pack {
            Some(Pack { bundle, start, .. }) => {
                let mut file = File::open(bundle)?;
                file.seek(SeekFrom::Start(start))?;
                Some(file)
            }
            None => None,
        };
        let mut reader: Box<dyn Read + Send> = match pack {
            Some(file) => Box::new(io::Cursor::new(self.head).chain(file)),
            None => Box::new(io::Cursor::new(self.head)),
        };
        io::copy(&mut reader.by_ref().take(from), &mut io::sink())?;
        Ok(reader)
    }
}

/// A line behind its length in four hex digits.
fn line(text: &str) -> Vec<u8> {
    format!("{:04x}{text}", text.len() + 4).into_bytes()
}

/// The lines of a request, up to where it makes no sense.
fn lines(mut bytes: &[u8]) -> Vec<&str> {
    let mut found = Vec::new();
    while let Some((length, rest)) = bytes.split_at_checked(4) {
        let length = std::str::from_utf8(length).ok().and_then(|hex| usize::from_str_radix(hex, 16).ok());
        let Some((line, next)) = length.and_then(|length| rest.split_at_checked(length.saturating_sub(4))) else {
            break;
        };
        found.extend(std::str::from_utf8(line));
        bytes = next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(response: Response) -> String {
        let mut bytes = Vec::new();
        response.open(0).unwrap().read_to_end(&mut bytes).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_commit_is_handed_out_as_it_lies_in_its_bundle() {
        let directory = tempfile::tempdir().unwrap();
        let (bundle, commit) = (directory.path().join("bundle"), "1".repeat(40));
        std::fs::write(&bundle, format!("# v2 git bundle\n{commit} HEAD\n\nPACK")).unwrap();
        let mut repository = Repository::default();
        assert!(repository.add(&"2".repeat(40), bundle.clone()).is_err());
        repository.add(&commit, bundle).unwrap();
        let told = String::from_utf8(repository.advertisement()).unwrap();
        assert!(told.starts_with("001e# service=git-upload-pack\n0000") && told.ends_with("\n0000"), "{told}");
        let want = String::from_utf8(line(&format!("want {commit} agent=x\n"))).unwrap();
        let shallow = format!("0035shallow {commit}\n0000");
        for (request, response) in [
            (format!("{want}000cdeepen 10000"), shallow.clone()),
            (format!("{want}000cdeepen 100000009done\n"), format!("{shallow}0008NAK\nPACK")),
            (format!("{want}00000009done\n"), "0008NAK\nPACK".to_owned()),
            ("0009want ".to_owned(), "0017ERR not our commit\n".to_owned()),
            ("ffff".to_owned(), "0017ERR not our commit\n".to_owned()),
        ] {
            assert_eq!(text(repository.respond(request.as_bytes()).unwrap()), response, "{request}");
        }
        assert!(repository.respond(io::repeat(b'0')).is_err());
    }
}
