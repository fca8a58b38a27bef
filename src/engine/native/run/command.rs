//! The words that a step runs, and how the history shows them (`run.md` 1 and 4).

use super::variables::Variables;
use crate::dockerfile::target::RunStep;
use crate::dockerfile::{heredoc_in_word, without_leading_tabs};
use crate::engine::native::problem::Problem;
use crate::escape;
use crate::json::Text;

/// Where a script is that a step is given with a first line of its own.
pub(super) const SCRIPTS: &str = "/dev/pipes/";

/// Programs that images have with set-user-id for users to gain rights by.
const GAINING: [&[u8]; 10] =
    [b"sudo", b"su", b"doas", b"pkexec", b"newgrp", b"passwd", b"chsh", b"chfn", b"gpasswd", b"fusermount"];

/// Characters of a step's heading.
const HEADING: usize = 80;

/// What a step runs.
pub(super) struct CommandWords {
    pub(super) words: Vec<Vec<u8>>,
    /// A script that has to be at [`SCRIPTS`]: its name and its bytes.
    pub(super) script: Option<(Vec<u8>, Vec<u8>)>,
}

impl CommandWords {
    /// The words of `step`, whose shell form is for `shell`.
    pub(super) fn of(step: &RunStep, shell: &[Text]) -> Result<Self, Problem> {
        let mut words: Vec<Vec<u8>> = step.command.words.iter().map(|word| word.to_vec()).collect();
        let mut script = None;
        if let Some(first) = step.heredocs.first() {
            let word = words.first().map(Vec::as_slice).unwrap_or_default();
            let is_body = heredoc_in_word(word).map_err(Problem::Failed)?.is_some();
            let text = if is_body {
                let body = match first.strip_tabs {
                    true => without_leading_tabs(&first.body).to_vec(),
                    false => first.body.to_vec(),
                };
                if body.starts_with(b"#!") {
                    script = Some((first.name.to_vec(), body));
                    [SCRIPTS.as_bytes(), &first.name].concat()
                } else {
                    body
                }
            } else {
                // The shell itself is to read them.
                let mut text = word.to_vec();
                for heredoc in &step.heredocs {
                    text.push(b'\n');
                    text.extend_from_slice(&heredoc.body);
                    text.extend_from_slice(&heredoc.name);
                }
                text
            };
            words = vec![text];
        }
        if step.command.shell {
            let text = words.join(&b' ');
            words = match shell.is_empty() {
                true => vec![b"/bin/sh".to_vec(), b"-c".to_vec()],
                false => shell.to_vec(),
            };
            words.push(text);
        }
        Ok(Self { words, script })
    }

    /// A program among the words that users gain rights by; this engine's steps can't.
    pub(super) fn gains_rights(&self) -> Option<&'static [u8]> {
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
        let line = self.line();
        let scripts = self.script.iter().flat_map(|(_, body)| body.split(|byte| !is_word(byte)));
        let mut words = line.split(|byte| !is_word(byte)).chain(scripts);
        words.find_map(|word| {
            let name = word.rsplit(|byte| *byte == b'/').next()?;
            // `/etc/passwd` is a file.
            let is_program =
                matches!(&word[..word.len() - name.len()], b"" | b"/bin/" | b"/usr/bin/" | b"/usr/local/bin/");
            GAINING.iter().copied().find(|program| is_program && *program == name)
        })
    }

    /// The words as one line.
    pub(super) fn line(&self) -> Vec<u8> {
        self.words.join(&b' ')
    }

    /// The step for people, on one short line.
    pub(super) fn heading(&self) -> String {
        let line = match self.words.as_slice() {
            [shell, option, text] if shell == b"/bin/sh" && option == b"-c" => text.clone(),
            _ => self.line(),
        };
        let line = String::from_utf8_lossy(&line);
        let words: Vec<&str> = line.split_whitespace().collect();
        let line: String = words.join(" ").chars().take(HEADING).collect();
        format!("RUN {}", escape::text(&line))
    }

    /// The history's text.
    pub(super) fn history(&self, variables: &Variables) -> Vec<u8> {
        let mut text = b"RUN ".to_vec();
        let arguments = variables.arguments();
        if !arguments.is_empty() {
            text.extend_from_slice(format!("|{} ", arguments.len()).as_bytes());
            for argument in arguments {
                text.extend_from_slice(&argument);
                text.push(b' ');
            }
        }
        text.extend_from_slice(&self.line());
        text.extend_from_slice(b" # buildkit");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_one_short_line_that_is_safe_to_print() {
        for (words, want) in [
            (&["/bin/sh", "-c", "make \\\n  all\u{7}"][..], "RUN make \\\\ all\\u{7}"),
            (&["/bin/bash", "-c", "x"], "RUN /bin/bash -c x"),
        ] {
            let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            assert_eq!(CommandWords { words, script: None }.heading(), want);
        }
        let words = vec![b"x".repeat(500)];
        assert_eq!(CommandWords { words, script: None }.heading().len(), "RUN ".len() + HEADING);
    }

    #[test]
    fn programs_that_users_gain_rights_by_are_known_by_their_names_alone() {
        for (line, want) in [
            ("apt-get update && sudo make install", Some("sudo")),
            ("(/usr/bin/su -c id)", Some("su")),
            ("cat /etc/passwd /etc/sudo", None),
            ("echo sudoers su.txt pseudo", None),
        ] {
            let command = CommandWords { words: vec![line.as_bytes().to_vec()], script: None };
            assert_eq!(command.gains_rights(), want.map(str::as_bytes), "{line}");
        }
    }
}
