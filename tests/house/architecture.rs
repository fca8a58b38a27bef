//! The floors of `docs/architecture.md` hold in `src/`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn floors() -> BTreeMap<String, usize> {
    let page = fs::read_to_string("docs/architecture.md").unwrap();
    let list = page.split("<!-- floors -->").nth(1).and_then(|rest| rest.split("<!-- /floors -->").next()).unwrap();
    let lines = list.lines().filter(|line| !line.trim().is_empty());
    lines
        .enumerate()
        .flat_map(|(floor, line)| line.split_whitespace().map(move |name| (name.to_owned(), floor)))
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn module_of(path: &Path) -> String {
    let first = path.strip_prefix("src").unwrap().components().next().unwrap();
    Path::new(first.as_os_str()).file_stem().unwrap().to_string_lossy().into_owned()
}

/// Modules named after `crate::`, also inside `use crate::{a, b::c}`.
fn used_modules(code: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut used = Vec::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = true;
            for (at, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    c if start && !c.is_whitespace() => {
                        used.push(word(&group[at..]));
                        start = false;
                    }
                    _ => {}
                }
            }
        } else {
            used.push(word(rest));
        }
    }
    used
}

#[test]
fn every_module_uses_only_lower_floors() {
    let floors = floors();
    let lowest = floors.values().copied().max().unwrap();
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    let mut wrong = Vec::new();
    for path in files {
        let module = module_of(&path);
        if module == "lib" || module == "main" {
            continue;
        }
        let Some(own) = floors.get(&module) else {
            wrong.push(format!("{} is on no floor", path.display()));
            continue;
        };
        for used in used_modules(&fs::read_to_string(&path).unwrap()) {
            match floors.get(&used) {
                Some(floor) if floor > own || used == module || *floor == lowest => {}
                Some(_) => wrong.push(format!("{} uses `{used}`, which is not below `{module}`", path.display())),
                None => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_floor_exists() {
    for name in floors().keys() {
        let file = Path::new("src").join(name);
        assert!(file.with_extension("rs").exists() || file.join("mod.rs").exists(), "no module `{name}` in src/");
    }
}
