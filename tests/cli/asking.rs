//! What is asked for on a terminal, in one that `script` of util-linux makes.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use crate::project::Project;

/// `command` in a terminal of its own; the shell around it outlives Ctrl-C and tells status and echo.
fn in_terminal(project: &Project, arguments: &str) -> Child {
    let inside = format!(
        "trap '' INT; {} {arguments}; echo status $?; stty -a | grep -o ' -*echo '",
        env!("CARGO_BIN_EXE_repro")
    );
    Command::new("script")
        .args(["--quiet", "--return", "--command", &inside, "/dev/null"])
        .current_dir(project.path())
        .env("HOME", project.home())
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Answers each question once it is asked, and gives all that the terminal showed.
fn answer(mut child: Child, answers: &[(&str, &str)]) -> String {
    let (mut shown, mut piece) = (Vec::new(), [0; 256]);
    let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut answers = answers.iter();
    let mut next = answers.next();
    loop {
        let count = stdout.read(&mut piece).unwrap();
        if count == 0 {
            break;
        }
        shown.extend_from_slice(&piece[..count]);
        let text = String::from_utf8_lossy(&shown);
        if let Some((_, typed)) = next.filter(|(question, _)| text.contains(question)) {
            stdin.write_all(typed.as_bytes()).unwrap();
            next = answers.next();
        }
    }
    child.wait().unwrap();
    String::from_utf8_lossy(&shown).replace('\r', "")
}

#[test]
fn ctrl_c_ends_a_question_and_the_terminal_shows_again_what_is_typed() {
    let project = Project::bare();
    for (arguments, question) in
        [("login --username me registry.example", "Password: "), ("login registry.example", "Username: ")]
    {
        let shown = answer(in_terminal(&project, arguments), &[(question, "\u{3}")]);
        assert!(shown.contains("error: interrupted\n"), "{shown}");
        assert!(shown.contains("status 130\n") && shown.contains("\n echo \n"), "{shown}");
    }
}

#[test]
fn a_password_is_not_shown() {
    let project = Project::bare();
    let answers = [("Username: ", "somebody\n"), ("Password: ", "hidden\n")];
    // Nobody listens there.
    let shown = answer(in_terminal(&project, "--offline login 127.0.0.1:9"), &answers);
    assert!(shown.contains("somebody") && !shown.contains("hidden"), "{shown}");
    assert!(shown.contains("\n echo \n"), "{shown}");
}
