//! New keys, as a pair of files.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::super::files::shown;
use super::super::machine::Machine;
use super::error::AttestError;
use crate::attest::key::{KeyType, SigningKey};

/// A pair of key files.
#[derive(Clone, Debug)]
pub struct MadeKey {
    /// The private key's file.
    pub private: PathBuf,
    /// The public key's file.
    pub public: PathBuf,
    /// Who the key is.
    pub id: String,
    /// What envelopes name it by.
    pub fingerprint: String,
}

/// Makes a key and writes `NAME.pem` (0600) and `NAME.pub.pem`, over nothing that is there.
pub fn keygen(machine: &Machine, kind: KeyType, name: &Path) -> Result<MadeKey, AttestError> {
    let with = |end: &str| {
        let mut file = name.as_os_str().to_owned();
        file.push(end);
        PathBuf::from(file)
    };
    let (private, public) = (with(".pem"), with(".pub.pem"));
    for file in [&private, &public] {
        if machine.resolve(file).symlink_metadata().is_ok() {
            return Err(AttestError::Exists(shown(file)));
        }
    }
    let refused = |error| AttestError::Key { path: shown(&private), error };
    let key = SigningKey::generate(kind).map_err(refused)?;
    write(machine, &private, 0o600, key.to_pem().map_err(refused)?.as_bytes())?;
    write(machine, &public, 0o644, key.public().to_pem().as_bytes())?;
    Ok(MadeKey { id: key.public().id().to_string(), fingerprint: key.public().fingerprint(), private, public })
}

fn write(machine: &Machine, file: &Path, mode: u32, text: &[u8]) -> Result<(), AttestError> {
    let path = machine.resolve(file);
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::AlreadyExists => AttestError::Exists(shown(file)),
        _ => AttestError::Io { path: shown(file), error },
    };
    let mut opened = File::options().write(true).create_new(true).mode(mode).open(path).map_err(failed)?;
    opened.write_all(text).and_then(|()| opened.sync_all()).map_err(failed)
}
