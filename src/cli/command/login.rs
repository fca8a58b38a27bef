//! `repro login` and `repro logout`: the password comes from stdin or the terminal, never from the command line.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

use super::super::arguments::{Login, Logout};
use super::super::report::Report;
use super::super::session::Session;
use crate::escape;
use crate::http::Secret;
use crate::project::{login as log_in, logout as log_out, shown};
use crate::reference::Reference;
use crate::registry::Keeper;
use crate::status::{ExitStatus, Failure, Status};

/// Bytes of a name or password.
const LONGEST: u64 = 64 << 10;

/// There is no login in what was typed.
#[derive(Debug, thiserror::Error)]
enum NoLogin {
    #[error("`{}` is no registry: expected `HOST[:PORT]`", escape::text(.0))]
    Host(String),
    #[error("no name: give it with `--username`")]
    Name,
    #[error("no password: stdin is no terminal; `--password-stdin` reads it from there")]
    Password,
    #[error("the password is empty")]
    Empty,
    #[error("the {0} can't be read: {1}")]
    Unreadable(&'static str, io::Error),
}

impl ExitStatus for NoLogin {
    fn status(&self) -> Status {
        Status::Usage
    }
}

/// Runs `repro login`.
pub fn login(arguments: &Login, session: &Session) -> Result<Report, Failure> {
    let host = host(&arguments.host)?;
    let user = match &arguments.username {
        Some(user) => user.clone(),
        None if !arguments.password_stdin && io::stdin().is_terminal() => asked("Username: ", "name")?,
        None => return Err(NoLogin::Name.into()),
    };
    let password = match arguments.password_stdin {
        true => {
            let mut text = String::new();
            let read = io::stdin().take(LONGEST).read_to_string(&mut text);
            read.map_err(|error| NoLogin::Unreadable("password", error))?;
            text
        }
        false if io::stdin().is_terminal() => unseen("Password: ")?,
        false => return Err(NoLogin::Password.into()),
    };
    let password = Secret::new(password.trim_end_matches(['\r', '\n']));
    if user.is_empty() || user.contains(':') {
        return Err(NoLogin::Name.into());
    }
    if password.expose().is_empty() {
        return Err(NoLogin::Empty.into());
    }
    let (is_asked, keeper) = log_in(&session.machine, &host, &user, &password)?;
    if !is_asked {
        session.machine.progress.note(&format!("`{host}` lets everybody in: the login was not tried"));
    }
    let text = match &keeper {
        Keeper::Helper(helper) => format!("logged in to {host}; kept by docker-credential-{}\n", escape::text(helper)),
        Keeper::File(path) => {
            session.machine.progress.note(&format!(
                "the password is in `{}`, readable for your user; `credsStore` there names a helper that keeps it better",
                shown(path)
            ));
            format!("logged in to {host}\n")
        }
    };
    Ok(Report::text(Status::Success, text))
}

/// Runs `repro logout`.
pub fn logout(arguments: &Logout, session: &Session) -> Result<Report, Failure> {
    let host = host(&arguments.host)?;
    let keepers = log_out(&session.machine, &host)?;
    let from = keepers.iter().map(|keeper| match keeper {
        Keeper::Helper(helper) => format!("docker-credential-{}", escape::text(helper)),
        Keeper::File(path) => shown(path),
    });
    Ok(Report::text(Status::Success, format!("logged out of {host}: {}\n", from.collect::<Vec<_>>().join(", "))))
}

/// The registry that a word names, as references spell it.
fn host(typed: &str) -> Result<String, NoLogin> {
    let reference = format!("{typed}/x").parse::<Reference>().ok().filter(|reference| reference.domain() == typed);
    reference.map(|_| typed.to_owned()).ok_or_else(|| NoLogin::Host(typed.to_owned()))
}

fn asked(question: &str, what: &'static str) -> Result<String, NoLogin> {
    let unreadable = |error| NoLogin::Unreadable(what, error);
    let mut out = io::stderr();
    out.write_all(question.as_bytes()).and_then(|()| out.flush()).map_err(unreadable)?;
    let mut line = String::new();
    io::stdin().lock().take(LONGEST).read_line(&mut line).map_err(unreadable)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks without showing what is typed.
fn unseen(question: &str) -> Result<String, NoLogin> {
    let unreadable = |error: rustix::io::Errno| NoLogin::Unreadable("password", error.into());
    let stdin = io::stdin();
    let before = tcgetattr(&stdin).map_err(unreadable)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Now, &silent).map_err(unreadable)?;
    let answer = asked(question, "password");
    tcsetattr(&stdin, OptionalActions::Now, &before).map_err(unreadable)?;
    // The line break was not shown either.
    let _ = io::stderr().write_all(b"\n");
    answer
}
