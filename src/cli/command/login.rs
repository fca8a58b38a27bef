//! `repro login` and `repro logout`: the password comes from stdin or the terminal, never from the command line.

use std::io::{self, IsTerminal, Read};

use super::super::arguments::{Login, Logout};
use super::super::report::Report;
use super::super::session::{Session, Typing};
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
        None if !arguments.password_stdin && io::stdin().is_terminal() => {
            asked(session, "Username: ", "name", Typing::Shown)?
        }
        None => return Err(NoLogin::Name.into()),
    };
    let password = match arguments.password_stdin {
        true => {
            let mut text = String::new();
            let read = io::stdin().take(LONGEST).read_to_string(&mut text);
            read.map_err(|error| NoLogin::Unreadable("password", error))?;
            text
        }
        false if io::stdin().is_terminal() => asked(session, "Password: ", "password", Typing::Unseen)?,
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

/// A line that is typed.
fn asked(session: &Session, question: &str, what: &'static str, typing: Typing) -> Result<String, Failure> {
    let answer = session.ask(question, typing);
    session.machine.cancel.check()?;
    let answer = answer.map_err(|error| NoLogin::Unreadable(what, error))?;
    let answer = String::from_utf8(answer.to_vec());
    Ok(answer.map_err(|error| NoLogin::Unreadable(what, io::Error::new(io::ErrorKind::InvalidData, error)))?)
}
