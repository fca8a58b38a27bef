//! Which directory a Dockerfile copies from, as far as the files that are there tell: a guess for a first manifest.

use std::path::{Component, Path};

use crate::dockerfile::syntax::{Command, Dockerfile, Instruction};
use crate::dockerfile::text::Text;

/// The first source, and its line, that lies in `root` and not in `beside`; none where all that can be told lies beside the
/// Dockerfile, or something lies only there.
pub fn only_in_root(dockerfile: &Dockerfile, beside: &Path, root: &Path) -> Option<(String, u32)> {
    let mut found = None;
    for instruction in dockerfile.stages.iter().flat_map(|stage| &stage.instructions) {
        for source in sources(instruction) {
            let is_in = |directory: &Path| directory.join(&source).symlink_metadata().is_ok();
            match (is_in(beside), is_in(root)) {
                (true, false) => return None,
                (false, true) => {
                    found.get_or_insert((source, instruction.lines.start));
                }
                _ => {}
            }
        }
    }
    found
}

/// The paths of the context that an instruction names as they are.
fn sources(instruction: &Instruction) -> Vec<String> {
    let transfer = match &instruction.command {
        Command::Copy(copy) if copy.from.is_empty() => &copy.transfer,
        Command::Add(add) => &add.transfer,
        _ => return Vec::new(),
    };
    let plain = |text: &Text| {
        let path = text.lossy().trim_start_matches('/').to_owned();
        let is_name = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
        let is_plain = !path.contains(['$', '*', '?', '[', '\\', ':', '"', '\'']);
        (is_plain && Path::new(&path).components().all(is_name)).then_some(path)
    };
    transfer.sources.iter().filter_map(plain).filter(|path| !path.is_empty() && path != ".").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::parse;
    use crate::limits::Limits;

    #[test]
    fn files_that_lie_only_in_the_root_tell_that_it_is_the_context() {
        let root = tempfile::tempdir().unwrap();
        let beside = root.path().join("docker");
        std::fs::create_dir_all(root.path().join("src")).unwrap();
        std::fs::create_dir(&beside).unwrap();
        std::fs::write(root.path().join("both"), "").unwrap();
        std::fs::write(beside.join("both"), "").unwrap();
        std::fs::write(beside.join("start.sh"), "").unwrap();
        for (text, want) in [
            ("COPY . /", None),
            ("COPY both /", None),
            ("COPY both src /", Some(("src", 2))),
            ("COPY both /\nADD /src/ /x/", Some(("src/", 3))),
            ("COPY src /\nCOPY start.sh /", None),
            ("COPY --from=a src /", None),
            ("COPY ../docker/../src $X /", None),
            ("ADD https://files.example/src /", None),
            ("COPY nowhere /", None),
        ] {
            let parsed = parse(format!("FROM scratch\n{text}\n").as_bytes(), &Limits::default()).unwrap();
            let found = only_in_root(&parsed, &beside, root.path());
            assert_eq!(found.as_ref().map(|(path, line)| (path.as_str(), *line)), want, "{text}");
        }
    }
}
