//! The floors of `docs/architecture.md` hold in `src/`.

mod modules;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use modules::{Module, Modules};

fn floors() -> BTreeMap<String, usize> {
    let page = fs::read_to_string("docs/architecture.md").unwrap();
    let list = page.split("<!-- floors -->").nth(1).and_then(|rest| rest.split("<!-- /floors -->").next()).unwrap();
    let lines = list.lines().filter(|line| !line.trim().is_empty());
    lines
        .enumerate()
        .flat_map(|(floor, line)| line.split_whitespace().map(move |name| (name.to_owned(), floor)))
        .collect()
}

static MODULES: LazyLock<Modules> = LazyLock::new(|| Modules::read(Path::new("src")));

#[test]
fn every_module_uses_only_lower_floors() {
    let (floors, modules) = (floors(), &*MODULES);
    let lowest = floors.values().copied().max().unwrap();
    let mut wrong = BTreeSet::new();
    // `parts` stands beside the floors: nothing in the house uses it.
    for (module, source) in modules.0.iter().filter(|(module, _)| module.first().is_some_and(|name| name != "parts")) {
        let path = source.path.display();
        let Some(own) = floors.get(&module[0]) else {
            wrong.insert(format!("{path} is on no floor"));
            continue;
        };
        for used in modules.used_by(module) {
            let Some(name) = used.first().filter(|name| **name != module[0]) else { continue };
            if floors.get(name).is_some_and(|floor| floor <= own && *floor != lowest) {
                wrong.insert(format!("{path} uses `{}`, which is not below `{}`", used.join("::"), module[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

#[test]
fn every_floor_exists() {
    for name in floors().keys() {
        let file = Path::new("src").join(name);
        assert!(file.with_extension("rs").exists() || file.join("mod.rs").exists(), "no module `{name}` in src/");
    }
}

/// Neighbours of one directory, by the directory: which uses which. What lies below a neighbour counts as the neighbour.
fn neighbours(modules: &Modules) -> BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> {
    let mut uses: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for module in modules.0.keys() {
        for used in modules.used_by(module) {
            let shared = module.iter().zip(&used).take_while(|(one, other)| one == other).count();
            if let (Some(one), Some(other)) = (module.get(shared), used.get(shared)) {
                let directory = uses.entry(module[..shared].to_vec()).or_default();
                directory.entry(one.clone()).or_default().insert(other.clone());
            }
        }
    }
    uses
}

/// Everything that is reached from `start`.
fn reached<'a>(uses: &'a BTreeMap<String, BTreeSet<String>>, start: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = vec![start];
    while let Some(name) = open.pop() {
        for next in uses.get(name).into_iter().flatten() {
            if found.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    found
}

#[test]
fn neighbours_use_each_other_one_way() {
    let mut circles = BTreeSet::new();
    for (directory, uses) in neighbours(&MODULES) {
        for name in uses.keys() {
            let circle = reached(&uses, name).into_iter().filter(|other| reached(&uses, other).contains(name.as_str()));
            let circle: Vec<&str> = circle.collect();
            if circle.len() > 1 {
                circles.insert(format!("{}: {}", directory.join("::"), circle.join(" ")));
            }
        }
    }
    assert!(circles.is_empty(), "circles: {circles:#?}");
}

/// What only `cli` may do: the clock, the environment, the terminal.
const ONLY_CLI: [&[&str]; 15] = [
    &["SystemTime", "::", "now"],
    &["Timestamp", "::", "now"],
    &["Zoned", "::", "now"],
    &["env", "::", "var"],
    &["env", "::", "vars"],
    &["env", "::", "var_os"],
    &["env", "::", "vars_os"],
    &["env", "::", "args_os"],
    &["env", "::", "current_dir"],
    &["env", "::", "temp_dir"],
    &["env", "::", "home_dir"],
    &["print", "!"],
    &["println", "!"],
    &["eprint", "!"],
    &["eprintln", "!"],
];

#[test]
fn only_cli_reads_the_clock_and_the_environment_and_prints() {
    let mut found = BTreeSet::new();
    for (module, source) in MODULES.0.iter().filter(|(module, _)| module.first().is_some_and(|first| first != "cli")) {
        for wanted in ONLY_CLI {
            let words = source.tokens.windows(wanted.len());
            if words.into_iter().any(|words| words.iter().map(String::as_str).eq(wanted.iter().copied())) {
                found.insert(format!("{}: {}", module.join("::"), wanted.concat()));
            }
        }
    }
    assert!(found.is_empty(), "only `cli` may do this: {found:#?}");
}
