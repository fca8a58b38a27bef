//! `ADD` and `COPY`: which of their sources are files, URLs and repositories.

use super::checks::{check_digest, check_mode};
use super::git::{self, GitWord};
use super::graph::Graph;
use super::paths;
use super::steps::{Action, Body, Location, TransferSource, TransferStep};
use super::url::Url;
use crate::dockerfile::error::DockerfileError;
use crate::dockerfile::quote::quote;
use crate::dockerfile::syntax::{Add, Copy, Instruction, Transfer};
use crate::dockerfile::text::lossy;

type Outcome<T> = Result<T, DockerfileError>;

fn wrong<T>(message: impl Into<String>) -> Outcome<T> {
    Err(DockerfileError::convert(message))
}

/// What is special to the instruction.
struct Options {
    is_add: bool,
    parents: bool,
    from: Location,
    unpack: Option<bool>,
    keep_git_dir: Option<bool>,
    checksum: String,
}

impl Graph<'_> {
    pub(super) fn evaluate_add(&mut self, id: usize, instruction: &Instruction, add: &Add) -> Outcome<Action> {
        let mut step = self.expand_transfer(id, instruction, &add.transfer, Some(&add.checksum))?;
        let options = Options {
            is_add: true,
            parents: false,
            from: Location::Context,
            unpack: add.unpack,
            keep_git_dir: add.keep_git_dir,
            checksum: std::mem::take(&mut step.checksum),
        };
        let words = step.words.clone();
        let step = self.evaluate_transfer(id, add.transfer.clone(), step, options)?;
        for word in words.iter().filter(|word| !word.starts_with("http://") && !word.starts_with("https://")) {
            self.states[id].evaluation.context_paths.insert(paths::join(&["/", word]));
        }
        Ok(Action::Transfer(Box::new(step)))
    }

    pub(super) fn evaluate_copy(
        &mut self,
        id: usize,
        instruction: &Instruction,
        copy: &Copy,
        source: Option<usize>,
    ) -> Outcome<Action> {
        let step = self.expand_transfer(id, instruction, &copy.transfer, None)?;
        if source.is_some_and(|source| !self.states[source].progress.is_done) {
            let (from, name) = (quote(copy.from.as_bytes()), quote(self.states[id].name.as_bytes()));
            return wrong(format!("cannot copy from stage {from}, it needs to be defined before current stage {name}"));
        }
        let options = Options {
            is_add: false,
            parents: copy.parents,
            from: source.map_or(Location::Context, Location::Stage),
            unpack: None,
            keep_git_dir: None,
            checksum: String::new(),
        };
        let words = step.words.clone();
        let step = self.evaluate_transfer(id, copy.transfer.clone(), step, options)?;
        let taken = words.iter().map(|word| paths::join(&["/", word]));
        match source.map(|source| self.chain_start(source)) {
            Some(root) => self.states[root].evaluation.used_paths.extend(taken),
            None => self.states[id].evaluation.context_paths.extend(taken),
        }
        Ok(Action::Transfer(Box::new(step)))
    }

    /// Expands in BuildKit's order, so that the first mistake is the same.
    fn expand_transfer(
        &mut self,
        id: usize,
        instruction: &Instruction,
        transfer: &Transfer,
        checksum: Option<&str>,
    ) -> Outcome<Expanded> {
        let mut expand = |word: &[u8]| self.expand(id, instruction, word);
        let chown = expand(transfer.chown.as_bytes())?;
        let chmod = expand(transfer.chmod.as_bytes())?;
        let checksum = checksum.map(|checksum| expand(checksum.as_bytes())).transpose()?.unwrap_or_default();
        let words = transfer.sources.iter().map(|word| expand(word)).collect::<Outcome<_>>()?;
        let destination = expand(&transfer.destination)?;
        let mut files = Vec::with_capacity(transfer.files.len());
        for file in &transfer.files {
            let bytes = match file.expand {
                true => self.expand_body(id, instruction, &file.body)?,
                false => file.body.to_vec(),
            };
            files.push(Body { name: file.name.clone(), bytes });
        }
        Ok(Expanded { chown, chmod, checksum, words, destination, files })
    }

    fn evaluate_transfer(
        &mut self,
        id: usize,
        transfer: Transfer,
        expanded: Expanded,
        mut options: Options,
    ) -> Outcome<TransferStep> {
        let rules = self.path_rules(id);
        let workdir = &self.states[id].evaluation.workdir;
        let destination = rules.destination(workdir, &expanded.destination).map_err(DockerfileError::convert)?;
        if !expanded.chmod.is_empty() {
            check_mode(&expanded.chmod).map_err(DockerfileError::convert)?;
        }
        if !options.checksum.is_empty() {
            let [only] = expanded.words.as_slice() else {
                return wrong("checksum can't be specified for multiple sources");
            };
            if !is_url(only) && !matches!(git::read(only), GitWord::Reference(_) | GitWord::LooksLocal) {
                return wrong("checksum requires HTTP(S) or Git sources");
            }
        }
        let mut sources = Vec::with_capacity(expanded.words.len());
        for word in expanded.words {
            let source = read_source(word, &mut options)?;
            if let TransferSource::Path { written } = &source {
                let path =
                    if options.parents { written.split_once("/./").map_or("/", |(parent, _)| parent) } else { written };
                rules
                    .normalize("/", path, false)
                    .map_err(|error| DockerfileError::convert(format!("removing drive letter: {error}")))?;
            }
            sources.push(source);
        }
        Ok(TransferStep {
            is_add: options.is_add,
            from: options.from,
            sources,
            files: expanded.files,
            written_destination: expanded.destination,
            destination,
            chown: expanded.chown,
            chmod: expanded.chmod,
            link: transfer.link,
            parents: options.parents,
            exclude: transfer.exclude,
            unpack: options.unpack,
        })
    }
}

struct Expanded {
    chown: String,
    chmod: String,
    checksum: String,
    words: Vec<String>,
    destination: String,
    files: Vec<Body>,
}

fn is_url(word: &str) -> bool {
    word.starts_with("http://") || word.starts_with("https://")
}

/// What a source word is; options that a git address sets hold for the words after it too.
fn read_source(written: String, options: &mut Options) -> Outcome<TransferSource> {
    match git::read(&written) {
        GitWord::Wrong(message) => return wrong(message),
        GitWord::Reference(mut git) => {
            if !options.is_add {
                return wrong("source can't be a git ref for COPY");
            }
            if let (Some(flag), Some(query)) = (options.keep_git_dir, git.keep_git_dir)
                && flag != query
            {
                return wrong("inconsistent keep-git-dir configuration");
            }
            options.keep_git_dir = git.keep_git_dir.or(options.keep_git_dir);
            if let Some(query) = &git.checksum {
                if !options.checksum.is_empty() && options.checksum != *query {
                    let (flag, query) = (quote(options.checksum.as_bytes()), quote(query.as_bytes()));
                    return wrong(format!("checksum mismatch {flag} != {query}"));
                }
                options.checksum.clone_from(query);
            }
            git.checksum = Some(options.checksum.clone()).filter(|checksum| !checksum.is_empty());
            // The frontend passes everything on but the file times.
            git.mtime = None;
            let keep_git_dir = options.keep_git_dir == Some(true);
            return Ok(TransferSource::Git { written, git, keep_git_dir });
        }
        GitWord::No | GitWord::LooksLocal => {}
    }
    if !is_url(&written) {
        return Ok(TransferSource::Path { written });
    }
    if !options.is_add {
        return wrong("source can't be a URL for COPY");
    }
    let path = Url::parse(&written).map(|url| lossy(&url.path).into_owned()).unwrap_or_default();
    let file_name = match paths::base(&path) {
        "." | "/" => "__unnamed__".to_owned(),
        name => name.to_owned(),
    };
    let checksum = Some(options.checksum.clone()).filter(|checksum| !checksum.is_empty());
    if let Some(checksum) = &checksum {
        check_digest(checksum).map_err(DockerfileError::convert)?;
    }
    Ok(TransferSource::Http { written, checksum, file_name })
}
