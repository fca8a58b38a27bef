//! Which file of `src/` uses which: paths are followed through re-exports to the file that holds the item.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::tokens::tokens;

/// A module's path below the crate: `["engine", "native"]`.
pub type Module = Vec<String>;

/// A file of `src/`, as far as it matters here.
pub struct Source {
    pub path: PathBuf,
    pub tokens: Vec<String>,
    /// Modules that it declares and that are no tests.
    children: BTreeSet<String>,
    /// Names that a `use` brings, and the path behind each.
    imports: BTreeMap<String, Vec<String>>,
    /// Paths that the code names, those of `pub use` apart: a re-export by itself uses nothing.
    paths: Vec<Vec<String>>,
}

/// Every file of the library, by its module.
pub struct Modules(pub BTreeMap<Module, Source>);

impl Modules {
    pub fn read(root: &Path) -> Self {
        let mut modules = Self(BTreeMap::new());
        modules.add(root, "lib.rs", Vec::new());
        modules
    }

    fn add(&mut self, directory: &Path, name: &str, module: Module) {
        let path = directory.join(name);
        let source = Source::parse(path.clone(), &fs::read_to_string(&path).unwrap());
        for child in &source.children {
            let mut module = module.clone();
            module.push(child.clone());
            let file = format!("{child}.rs");
            if directory.join(&file).exists() {
                let below = directory.join(child);
                self.add_file(directory, &file, &below, module);
            } else {
                self.add(&directory.join(child), "mod.rs", module);
            }
        }
        self.0.insert(module, source);
    }

    /// A file without a directory of its own, or with one beside it.
    fn add_file(&mut self, directory: &Path, file: &str, below: &Path, module: Module) {
        let path = directory.join(file);
        let source = Source::parse(path.clone(), &fs::read_to_string(&path).unwrap());
        for child in &source.children {
            let mut module = module.clone();
            module.push(child.clone());
            self.add_file(below, &format!("{child}.rs"), &below.join(child), module);
        }
        self.0.insert(module, source);
    }

    /// The modules whose files hold what `from` names, itself apart.
    pub fn used_by(&self, from: &Module) -> BTreeSet<Module> {
        let paths = self.0[from].paths.iter();
        paths.filter_map(|path| self.target(from, path, 0)).filter(|target| target != from).collect()
    }

    /// The module whose file holds what `path` names inside `from`.
    fn target(&self, from: &Module, path: &[String], depth: usize) -> Option<Module> {
        let mut module = from.clone();
        let mut rest = path;
        while let Some((first, behind)) = rest.split_first() {
            match first.as_str() {
                "crate" => module.clear(),
                "self" => {}
                "super" => drop(module.pop()?),
                _ => break,
            }
            rest = behind;
        }
        if rest.len() == path.len() && !self.0[from].children.contains(&path[0]) {
            return None;
        }
        for (at, name) in rest.iter().enumerate() {
            let source = &self.0[&module];
            if source.children.contains(name) {
                module.push(name.clone());
            } else {
                // A name that this file has from elsewhere; too deep is a name that imports itself.
                let import = source.imports.get(name).filter(|_| depth < 8);
                let whole = import.map(|import| import.iter().chain(&rest[at + 1..]).cloned().collect::<Vec<_>>());
                let elsewhere = whole.and_then(|whole| self.target(&module, &whole, depth + 1));
                return Some(elsewhere.unwrap_or(module));
            }
        }
        Some(module)
    }
}

impl Source {
    fn parse(path: PathBuf, code: &str) -> Self {
        let tokens = tokens(code);
        let word = |at: usize| tokens.get(at).map_or("", String::as_str);
        let is_name = |text: &str| text.starts_with(|c: char| c.is_alphabetic() || c == '_');
        let (mut children, mut imports, mut paths) = (BTreeSet::new(), BTreeMap::new(), Vec::new());
        let (mut exports, mut words) = (Vec::new(), BTreeSet::new());
        let mut at = 0;
        while at < tokens.len() {
            if word(at) == "mod" && word(at + 2) == ";" {
                children.insert(word(at + 1).to_owned());
                at += 3;
            } else if word(at) == "use" && (at == 0 || matches!(word(at - 1), ";" | "}" | "{" | "pub" | ")" | "]")) {
                let public = at > 0 && matches!(word(at - 1), "pub" | ")");
                at += 1;
                let mut named = Vec::new();
                tree(&tokens, &mut at, &[], &mut named);
                for (name, path) in named {
                    if public {
                        exports.push((name.clone(), path.clone()));
                    } else {
                        paths.push(path.clone());
                    }
                    imports.insert(name, path);
                }
            } else if is_name(word(at)) && word(at + 1) == "::" && (at == 0 || word(at - 1) != "::") {
                let mut path = vec![word(at).to_owned()];
                words.insert(path[0].clone());
                while word(at + 1) == "::" && is_name(word(at + 2)) {
                    path.push(word(at + 2).to_owned());
                    at += 2;
                }
                paths.push(path);
                at += 1;
            } else {
                words.insert(word(at).to_owned());
                at += 1;
            }
        }
        // What is re-exported and also named by the file's own code is used by it.
        paths.extend(exports.into_iter().filter(|(name, _)| words.contains(name)).map(|(_, path)| path));
        Self { path, tokens, children, imports, paths }
    }
}

/// Reads what follows `use` up to the `;`, the comma or the brace behind it: names, each with its whole path.
fn tree(tokens: &[String], at: &mut usize, before: &[String], named: &mut Vec<(String, Vec<String>)>) {
    let mut path = before.to_vec();
    while *at < tokens.len() {
        let token = tokens[*at].as_str();
        *at += 1;
        match token {
            "::" => {}
            "{" => {
                while *at < tokens.len() && tokens[*at] != "}" {
                    tree(tokens, at, &path, named);
                    *at += usize::from(tokens[*at] == ",");
                }
                *at += 1;
                return;
            }
            "as" => {
                named.push((tokens[*at].clone(), path));
                *at += 1;
                return;
            }
            "," | "}" | ";" => {
                *at -= 1;
                break;
            }
            "self" if !path.is_empty() => {}
            _ => path.push(token.to_owned()),
        }
    }
    if let Some(name) = path.last().cloned() {
        named.push((name, path));
    }
}

#[test]
fn trees_of_use_are_read_whole() {
    let read = |text: &str| {
        let (mut at, mut named) = (0, Vec::new());
        tree(&tokens(text), &mut at, &[], &mut named);
        named.into_iter().map(|(name, path)| format!("{name}={}", path.join("::"))).collect::<Vec<_>>()
    };
    assert_eq!(read("crate::a::B;"), ["B=crate::a::B"]);
    assert_eq!(
        read("crate::{a::{self, B as C}, super::d::*};"),
        ["a=crate::a", "C=crate::a::B", "*=crate::super::d::*"]
    );
}
