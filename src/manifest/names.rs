//! Paths that stand in a Dockerfile as they are, without an escape: those that an image of layers names.

use super::grammar;
use super::problem::Problem;
use super::table::Text;

/// Characters that mean something in a Dockerfile's words or patterns.
const SPECIAL: [char; 9] = ['*', '?', '[', ']', '\\', '"', '\'', '$', '!'];

/// A path of the context, empty for the context itself, and whether it stands for what is in it.
pub(super) fn in_context(text: &Text<'_>) -> Result<(String, bool), Problem> {
    grammar::path(text.text).map_err(|message| text.problem(message))?;
    if text.text.starts_with('/') {
        return Err(text.problem(format!("`{}` is absolute, expected a path in the context", text.shown())));
    }
    let path = parts(text)?.join("/");
    let is_content = path.is_empty() || text.text.ends_with('/');
    Ok((path, is_content))
}

/// A directory of the image.
pub(super) fn in_image(text: &Text<'_>) -> Result<String, Problem> {
    grammar::path(text.text).map_err(|message| text.problem(message))?;
    if !text.text.starts_with('/') {
        return Err(text.problem(format!("`{}` is relative, expected a path that starts with `/`", text.shown())));
    }
    Ok(format!("/{}", parts(text)?.join("/")))
}

/// The names that a path is made of, each one that a Dockerfile takes as it stands.
fn parts<'t>(text: &Text<'t>) -> Result<Vec<&'t str>, Problem> {
    let parts: Vec<&str> = text.text.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    for part in &parts {
        if *part == ".." {
            return Err(text.problem(format!("`{}` leads upwards by `..`", text.shown())));
        }
        if let Some(special) = part.chars().find(|c| SPECIAL.contains(c)) {
            let problem = text.problem(format!("`{}`: a path with `{special}` can't be named", text.shown()));
            return Err(problem.with_help("name the directory that it is in"));
        }
        if part.trim() != *part || part.starts_with("<<") {
            let problem =
                text.problem(format!("`{}`: no part may begin or end with a blank, or begin with `<<`", text.shown()));
            return Err(problem.with_help("name the directory that it is in"));
        }
    }
    Ok(parts)
}
