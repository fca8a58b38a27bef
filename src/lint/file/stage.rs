//! A stage: what it is built from and what its instructions define.

use super::File;
use super::base::Base;
use super::joined::join;
use super::scope::{Expanded, Scope, lookup};
use crate::dockerfile::syntax::{Command, Instruction};
use crate::lint::span::Located;
use crate::scrub::Rule;

/// One stage.
pub struct Stage<'a> {
    /// Its place in the file.
    pub index: usize,
    /// Its name, lower-case.
    pub name: Option<String>,
    /// What it is built from.
    pub base: Base,
    /// The word after `FROM` as it is written.
    pub written_base: String,
    /// The same with variables put in.
    pub expanded_base: Expanded,
    /// `FROM` as one line.
    pub from: Located,
    /// Its instructions.
    pub instructions: &'a [Instruction],
    /// Each of them as one line.
    pub joined: Vec<Located>,
    /// Its files are those of the image.
    pub ships: bool,
    /// What shipping stages copy from it, as absolute patterns.
    pub copied: Vec<String>,
    /// What is left out of new layers.
    pub scrub: &'a [Rule],
    /// The working directory so far; none where it is not known.
    pub workdir: Option<String>,
    /// What `SHELL` says so far; none for the default.
    pub shell: Option<Vec<String>>,
    /// Whom commands run as so far.
    pub user: String,
    pub(super) scope: Scope,
}

impl<'a> Stage<'a> {
    /// The stage without its instructions; those above it are read.
    pub(super) fn read(file: &File<'a>, index: usize) -> Self {
        let syntax = &file.dockerfile.stages[index];
        let expanded = file.expand_global(&syntax.base);
        let base = base(file, &expanded, index);
        let above = match base {
            Base::Stage(above) => file.stages.get(above),
            _ => None,
        };
        let workdir = match (&base, above) {
            (_, Some(above)) => above.workdir.clone(),
            (Base::Scratch, _) => Some("/".to_owned()),
            _ => None,
        };
        Self {
            index,
            name: syntax.name.clone(),
            written_base: syntax.base.lossy().into_owned(),
            from: join(&file.table, syntax.lines, file.dockerfile.escape).0,
            instructions: &syntax.instructions,
            joined: Vec::new(),
            ships: false,
            copied: Vec::new(),
            scrub: &file.surroundings.scrub,
            workdir,
            shell: above.and_then(|above| above.shell.clone()),
            user: above.map(|above| above.user.clone()).unwrap_or_default(),
            scope: Scope::default(),
            expanded_base: expanded,
            base,
        }
    }
}

fn base(file: &File<'_>, expanded: &Expanded, index: usize) -> Base {
    let name = expanded.text.as_str();
    let lower = name.to_lowercase();
    let stage = file.stages[..index].iter().rev().find(|stage| stage.name.as_deref() == Some(&lower));
    match (expanded.is_dynamic, stage) {
        (true, _) => Base::Unknown,
        (false, Some(stage)) => Base::Stage(stage.index),
        (false, None) if name == "scratch" => Base::Scratch,
        (false, None) if file.is_context(name) => Base::Context,
        (false, None) => Base::Image(name.to_owned()),
    }
}

/// Takes in what the instruction at a place defines; those before it are taken in.
pub(super) fn take_in(file: &mut File<'_>, index: usize, position: usize) {
    let instruction = &file.dockerfile.stages[index].instructions[position];
    let text = join(&file.table, instruction.lines, file.dockerfile.escape).0;
    file.stages[index].joined.push(text);
    let known = |expanded: Expanded| (!expanded.is_dynamic).then_some(expanded.text);
    match &instruction.command {
        Command::Arg(arguments) => {
            for argument in arguments {
                let name = argument.name.lossy().into_owned();
                let given = file.surroundings.args.get(&name).cloned();
                // An ENV of the name stays in force.
                if lookup(file, index, position, &name).is_some() && argument.default.is_none() && given.is_none() {
                    continue;
                }
                let default = || argument.default.as_ref().and_then(|word| known(file.expand(index, position, word)));
                let value = given.or_else(default).or_else(|| file.global.get(&name).cloned().flatten());
                file.stages[index].scope.define(&name, position, value);
            }
        }
        Command::Env(pairs) => {
            for pair in pairs {
                let value = known(file.expand(index, position, &pair.value));
                file.stages[index].scope.define(&pair.key.lossy(), position, value);
            }
        }
        Command::Workdir(directory) => {
            let directory = known(file.expand(index, position, directory));
            let stage = &mut file.stages[index];
            stage.workdir = match (directory, &stage.workdir) {
                (Some(directory), _) if directory.starts_with('/') => Some(directory),
                (Some(directory), Some(above)) => Some(format!("{}/{directory}", above.trim_end_matches('/'))),
                _ => None,
            };
        }
        Command::Shell(words) => {
            file.stages[index].shell = Some(words.iter().map(|word| word.lossy().into_owned()).collect());
        }
        Command::User(user) => file.stages[index].user = file.expand(index, position, user).text,
        _ => {}
    }
}
