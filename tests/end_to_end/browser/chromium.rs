//! A Chromium without a window, spoken to in its DevTools protocol: JSON messages, each ended by a NUL, on two pipes.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::needs::variable;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The running browser. It ends with this value.
pub struct Chromium {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    calls: u64,
    /// Events that came so far, in their order.
    pub events: Vec<Value>,
    _profile: TempDir,
}

impl Chromium {
    /// Starts it, where the rig has one.
    pub fn start() -> Option<Self> {
        let program = variable("RIG_BROWSER")?;
        let profile = TempDir::new().unwrap();
        // The pipes of the protocol are the descriptors 3 and 4. No name is resolved: a page that asks a host fails.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#, "sh", &program])
            .args(["--headless", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--no-first-run"])
            .args(["--remote-debugging-pipe", "--disable-background-networking", "--disable-component-update"])
            .args(["--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", "--lang=en"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(output).split(0) {
                let Ok(message) = message else { break };
                if sender.send(serde_json::from_slice(&message).unwrap()).is_err() {
                    break;
                }
            }
        });
        Some(Self { child, input, messages, calls: 0, events: Vec::new(), _profile: profile })
    }

    /// Calls a method of the protocol, in a session or of the browser itself, and gives its result.
    #[track_caller]
    pub fn call(&mut self, session: Option<&str>, method: &str, parameters: Value) -> Value {
        self.calls += 1;
        let mut message = json!({"id": self.calls, "method": method, "params": parameters});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        self.input.write_all(&bytes).unwrap();
        loop {
            let mut message = self.messages.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{method}: no answer"));
            if message["id"] == self.calls {
                assert!(message.get("error").is_none(), "{method}: {message}");
                return message["result"].take();
            }
            self.events.push(message);
        }
    }

    /// Waits for an event, also one that came before.
    #[track_caller]
    pub fn wait(&mut self, event: &str) {
        while !self.events.iter().any(|known| known["method"] == event) {
            let message = self.messages.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{event}: did not come"));
            self.events.push(message);
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
