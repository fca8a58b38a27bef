//! Credential helpers: the user's own programs, called by name in the user's own environment.

use std::io::{Read, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde::Deserialize;

use super::credential::Credential;
use crate::escape;
use crate::http::Secret;
use crate::process::{Programs, start_in_users_environment};

const TIME: Duration = Duration::from_secs(30);
const LARGEST_RESPONSE: u64 = 64 << 10;
/// What the helpers' protocol says for no login.
const NONE: &str = "credentials not found in native keychain";
/// The user name that marks the secret as an identity token.
const IDENTITY: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Response {
    username: String,
    secret: String,
}

/// What `docker-credential-HELPER` has for `server`. Errors never hold what it printed.
pub(super) fn ask(helper: &str, server: &str, programs: &Programs) -> Result<Option<Credential>, String> {
    let (is_success, text) = run(helper, "get", server, programs)?;
    let failed = |what: &str| format!("`docker-credential-{helper}` {what}");
    if !is_success {
        let none = String::from_utf8_lossy(&text).contains(NONE);
        return if none { Ok(None) } else { Err(failed("failed")) };
    }
    let response: Response = serde_json::from_slice(&text).map_err(|_| failed("printed no login"))?;
    let secret = Secret::new(response.secret);
    Ok(match response.username.as_str() {
        "" => None,
        IDENTITY => Some(Credential::Identity(secret)),
        user => Some(Credential::Password { user: user.to_owned(), password: secret }),
    })
}

/// Has `docker-credential-HELPER` do something with what it is given. Errors never hold what it printed.
pub(super) fn tell(helper: &str, action: &str, input: &str, programs: &Programs) -> Result<(), String> {
    match run(helper, action, input, programs)? {
        (true, _) => Ok(()),
        (false, _) => Err(format!("`docker-credential-{helper} {action}` failed")),
    }
}

/// Runs a helper; tells whether it succeeded, and what it printed.
fn run(helper: &str, action: &str, input: &str, programs: &Programs) -> Result<(bool, Vec<u8>), String> {
    let shown = escape::text(helper);
    if helper.is_empty() || !helper.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b)) {
        return Err(format!("`{shown}` is not the name of a credential helper"));
    }
    let name = format!("docker-credential-{helper}");
    let program = programs.find(&name).ok_or_else(|| format!("`{name}` not found"))?;
    let failed = |what: &str| format!("`{name}` {what}");
    let child = start_in_users_environment(&program, action);
    let mut child = child.map_err(|error| failed(&format!("could not be started: {error}")))?;
    let (stdin, output) = (child.stdin.take(), child.stdout.take());
    let input = Secret::new(input);
    let (sender, receiver) = mpsc::channel();
    // Ends when the child does, which is killed in time.
    thread::spawn(move || {
        if let Some(mut stdin) = stdin {
            let _ = stdin.write_all(input.expose().as_bytes());
        }
        let mut text = Vec::new();
        let read = output.map(|output| output.take(LARGEST_RESPONSE + 1).read_to_end(&mut text));
        let _ = sender.send(read.filter(Result::is_ok).map(|_| text));
    });
    let response = receiver.recv_timeout(TIME);
    if !matches!(&response, Ok(Some(text)) if text.len() as u64 <= LARGEST_RESPONSE) {
        let _ = child.kill();
        let _ = child.wait();
        return Err(failed(if response.is_err() { "took longer than 30 s" } else { "printed too much" }));
    }
    let status = child.wait().map_err(|error| failed(&error.to_string()))?;
    Ok((status.success(), response.ok().flatten().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn helpers_are_asked_by_their_protocol() {
        let directory = tempfile::tempdir().unwrap();
        let script = |name: &str, text: &str| {
            let path = directory.path().join(format!("docker-credential-{name}"));
            std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        script("good", r#"read -r s; echo "{\"ServerURL\":\"$s\",\"Username\":\"u\",\"Secret\":\"$s!\"}""#);
        script("token", r#"cat >/dev/null; echo '{"Username":"<token>","Secret":"t"}'"#);
        script("none", "cat >/dev/null; echo 'credentials not found in native keychain'; exit 1");
        script("bad", "echo secret-word; exit 1");
        script("noise", "echo secret-word");
        script("endless", "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done");
        let programs = Programs::from_path(directory.path().as_os_str());
        let ask = |helper: &str| ask(helper, "r.example", &programs);
        assert_eq!(
            ask("good"),
            Ok(Some(Credential::Password { user: "u".into(), password: Secret::new("r.example!") }))
        );
        assert_eq!(ask("token"), Ok(Some(Credential::Identity(Secret::new("t")))));
        assert_eq!(ask("none"), Ok(None));
        for helper in ["bad", "noise", "endless", "absent", "../good", "", "a b", "good;id"] {
            let error = ask(helper).unwrap_err();
            assert!(!error.contains("secret-word"), "{error}");
        }
    }
}
