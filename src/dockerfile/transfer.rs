//! Arguments of `ADD` and `COPY`.

use std::collections::BTreeMap;

use super::error::{DockerfileError, wrong};
use super::flags::{Flags, Kind};
use super::heredoc;
use super::node::Node;
use super::syntax::{Add, Copy, InlineFile, Transfer};
use super::text::Text;

pub(super) fn read_add(node: &Node) -> Result<Add, DockerfileError> {
    const FLAGS: &[(&str, Kind)] = &[
        ("chown", Kind::Value),
        ("chmod", Kind::Value),
        ("link", Kind::Switch),
        ("keep-git-dir", Kind::Switch),
        ("checksum", Kind::Value),
        ("unpack", Kind::Switch),
        ("exclude", Kind::Values),
    ];
    let (flags, transfer) = read_transfer(node, "ADD", FLAGS)?;
    Ok(Add {
        transfer,
        keep_git_dir: flags.switch("keep-git-dir"),
        checksum: flags.value("checksum"),
        unpack: flags.switch("unpack"),
    })
}

pub(super) fn read_copy(node: &Node) -> Result<Copy, DockerfileError> {
    const FLAGS: &[(&str, Kind)] = &[
        ("chown", Kind::Value),
        ("from", Kind::Value),
        ("chmod", Kind::Value),
        ("link", Kind::Switch),
        ("exclude", Kind::Values),
        ("parents", Kind::Switch),
    ];
    let (flags, transfer) = read_transfer(node, "COPY", FLAGS)?;
    Ok(Copy { transfer, from: flags.value("from"), parents: flags.switch("parents") == Some(true) })
}

fn read_transfer(
    node: &Node,
    name: &str,
    known: &'static [(&'static str, Kind)],
) -> Result<(Flags, Transfer), DockerfileError> {
    let [words @ .., destination] = node.arguments.words.as_slice() else { return Err(no_destination(name)) };
    if words.is_empty() {
        return Err(no_destination(name));
    }
    let flags = Flags::read(&node.flags, known)?;
    // A heredoc word that can't be read is taken for a path.
    if heredoc::in_word(destination).is_ok_and(|heredoc| heredoc.is_some()) {
        return Err(wrong(format!("{name} cannot accept a heredoc as a destination")));
    }
    let mut transfer = Transfer {
        destination: destination.clone(),
        chown: flags.value("chown"),
        chmod: flags.value("chmod"),
        link: flags.switch("link") == Some(true),
        exclude: flags.values("exclude"),
        ..Transfer::default()
    };
    // The last of several heredocs with one name gives the body; in the JSON form there is none.
    let bodies: BTreeMap<&[u8], &Text> = node.heredocs.iter().map(|taken| (&*taken.name, &taken.body)).collect();
    for word in words {
        let Ok(Some(heredoc)) = heredoc::in_word(word) else {
            transfer.sources.push(word.clone());
            continue;
        };
        let body = bodies.get(&*heredoc.name).map(|body| Text::clone(body)).unwrap_or_default();
        let body = if heredoc.strip_tabs { heredoc::strip_tabs(&body) } else { body };
        transfer.files.push(InlineFile { name: heredoc.name, body, expand: heredoc.expand });
    }
    Ok((flags, transfer))
}

fn no_destination(name: &str) -> DockerfileError {
    wrong(format!(
        "{name} requires at least two arguments, but only one was provided. Destination could not be determined"
    ))
}
