//! Private keys, from files and from the environment.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::super::files::shown;
use super::super::machine::Machine;
use super::error::AttestError;
use crate::attest::key::SigningKey;

/// Bytes of a key file.
const MOST_BYTES: u64 = 1 << 20;
/// The variable that holds a key's PEM text.
const VARIABLE: &str = "REPRO_SIGNING_KEY";
/// The variable that holds the passphrase of an encrypted key.
const PASSPHRASE: &str = "REPRO_KEY_PASSPHRASE";

/// Asks for the passphrase of an encrypted key; none where nobody can be asked.
pub type Passphrase<'a> = &'a mut dyn FnMut() -> Option<Zeroizing<Vec<u8>>>;

/// Where a private key is.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// A file.
    File(PathBuf),
    /// The environment.
    Environment,
}

impl KeySource {
    /// The file that was named, else the environment if it holds a key.
    pub fn find(machine: &Machine, file: Option<&PathBuf>) -> Option<Self> {
        let of_environment = || machine.variable(VARIABLE).map(|_| Self::Environment);
        file.cloned().map(Self::File).or_else(of_environment)
    }
}

/// Reads a private key. `ask` is asked for a passphrase where one is needed and the environment has none.
pub fn load(machine: &Machine, source: &KeySource, ask: Passphrase<'_>) -> Result<SigningKey, AttestError> {
    let (path, text) = match source {
        KeySource::File(file) => (shown(file), read(&machine.resolve(file), shown(file))?),
        KeySource::Environment => {
            let text = machine.variable(VARIABLE).unwrap_or_default().to_string_lossy().into_owned();
            (VARIABLE.to_owned(), Zeroizing::new(text))
        }
    };
    let mut passphrase = || match machine.variable(PASSPHRASE) {
        Some(passphrase) => Some(Zeroizing::new(passphrase.as_encoded_bytes().to_vec())),
        None => ask(),
    };
    SigningKey::from_pem(&text, &mut passphrase).map_err(|error| AttestError::Key { path, error })
}

/// Reads a key file that nobody else may read, and that is no link.
fn read(path: &Path, shown: String) -> Result<Zeroizing<String>, AttestError> {
    let failed = |error: io::Error| AttestError::Io { path: shown.clone(), error };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file: File = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => file.into(),
        Err(rustix::io::Errno::LOOP) => return Err(failed(io::Error::other("a private key must not be a link"))),
        Err(error) => return Err(failed(error.into())),
    };
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::other("it is not a regular file")));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(AttestError::Mode { path: shown, mode });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(MOST_BYTES).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
