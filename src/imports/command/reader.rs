//! Options that were given become a requested build.

use std::collections::BTreeSet;

use super::flag::Meaning;
use super::values;
use super::words::Given;
use crate::epoch::Epoch;
use crate::imports::requested::{RequestError, RequestedBuild, RequestedNetwork};

/// Options that were given, one after another.
pub(super) struct Reader<'a> {
    pub build: RequestedBuild,
    pub files: Vec<String>,
    pub epochs: BTreeSet<Epoch>,
    /// `os`, `arch` and `variant`, where one is given.
    parts: [Option<String>; 3],
    argument_epoch: Option<String>,
    silent: BTreeSet<String>,
    pub now: u64,
    pub program: &'a str,
}

impl<'a> Reader<'a> {
    pub fn new(program: &'a str, now: u64) -> Self {
        let build = RequestedBuild { from: format!("the command line of `{program}`"), ..RequestedBuild::default() };
        let (files, epochs, parts, silent) = (Vec::new(), BTreeSet::new(), [None, None, None], BTreeSet::new());
        Self { build, files, epochs, parts, argument_epoch: None, silent, now, program }
    }

    /// Takes what an option asks for.
    pub fn take(&mut self, given: Given) -> Result<(), RequestError> {
        let shown = format!("--{}", given.long);
        if given.is_nothing {
            return Ok(());
        }
        let value = given.value;
        match given.meaning {
            Meaning::File => self.files.push(value),
            Meaning::Target => self.build.target = Some(value).filter(|target| !target.is_empty()),
            Meaning::Argument => self.argument(&value)?,
            Meaning::Label => {
                let (key, value) = value.split_once('=').unwrap_or((&value, ""));
                if key.is_empty() {
                    return Err(RequestError::new("a label has no name: expected KEY=VALUE"));
                }
                self.build.labels.insert(key.to_owned(), value.to_owned());
            }
            Meaning::Annotation if self.program == "docker" => values::annotation(&mut self.build, &value)?,
            Meaning::Annotation => {
                let (key, value) = value.split_once('=').unwrap_or((&value, ""));
                self.build.annotations.insert(key.to_owned(), value.to_owned());
            }
            Meaning::Platform => values::platforms(&shown, &value, &mut self.build.platforms)?,
            Meaning::PlatformPart => {
                let at = ["os", "arch", "variant"].iter().position(|part| *part == given.long).unwrap_or_default();
                self.parts[at] = Some(value);
            }
            Meaning::Context => self.context(&value)?,
            Meaning::Secret => drop(self.build.secrets.insert(values::secret(&value)?)),
            Meaning::Agent => drop(self.build.ssh.insert(values::agent(&value))),
            Meaning::Network => self.network(&value),
            Meaning::Name => self.build.names.push(values::name(&shown, &value)?),
            Meaning::Output => values::output(&mut self.build, &value)?,
            Meaning::Epoch => {
                self.epochs.insert(values::epoch(&shown, &value, self.now)?);
                self.build.note(&shown, "becomes `source-date-epoch`");
            }
            Meaning::Format => match value.as_str() {
                "docker" => self.build.media_types = Some("docker"),
                "oci" => self.build.media_types = Some("oci"),
                _ => return Err(RequestError::new(format!("`--format`: `{value}` is neither docker nor oci"))),
            },
            Meaning::Call if matches!(value.as_str(), "build" | "false") => {}
            Meaning::Call => {
                return Err(RequestError::new(format!(
                    "`{shown}` asks a question about the Dockerfile, and builds nothing"
                ))
                .with_hint("`repro sources` and `repro lock` read the Dockerfile, and say what is wrong with it"));
            }
            Meaning::Silent => drop(self.silent.insert(shown)),
            Meaning::Left(why) => self.build.note(shown, why),
            Meaning::Refused(hint) => {
                return Err(
                    RequestError::new(format!("`{shown}` asks for something else than a build")).with_hint(hint)
                );
            }
        }
        Ok(())
    }

    /// A build argument; that of the epoch is none.
    pub fn argument(&mut self, text: &str) -> Result<(), RequestError> {
        let (name, value) = values::argument(text)?;
        match name.as_str() {
            "SOURCE_DATE_EPOCH" => self.argument_epoch = Some(value),
            _ => drop(self.build.args.insert(name, value)),
        }
        Ok(())
    }

    fn context(&mut self, text: &str) -> Result<(), RequestError> {
        let (name, value) = text
            .split_once('=')
            .filter(|(name, _)| !name.is_empty())
            .ok_or_else(|| RequestError::new("`--build-context` has no name: expected NAME=VALUE"))?;
        // podman's own word for an image.
        let image = value.strip_prefix("container-image://").map(|image| format!("docker-image://{image}"));
        self.build.contexts.insert(name.to_owned(), image.unwrap_or_else(|| value.to_owned()));
        Ok(())
    }

    fn network(&mut self, value: &str) {
        self.build.network = match value {
            "none" => RequestedNetwork::None,
            "" | "default" => RequestedNetwork::Default,
            _ => RequestedNetwork::Other,
        };
    }

    /// The epoch of options or arguments; two that differ are refused. None if nothing says one.
    pub fn epoch(&mut self) -> Result<Option<Epoch>, RequestError> {
        if let Some(text) = self.argument_epoch.take() {
            if text.is_empty() {
                self.build.note("source-date-epoch", "SOURCE_DATE_EPOCH is empty: the commit's time is taken");
            } else {
                self.epochs.insert(values::epoch("SOURCE_DATE_EPOCH", &text, self.now)?);
            }
        }
        if self.epochs.len() > 1 {
            let all: Vec<String> = self.epochs.iter().map(Epoch::to_string).collect();
            return Err(RequestError::new(format!("more than one epoch is given: {}", all.join(", "))));
        }
        Ok(self.epochs.first().copied())
    }

    /// What is left once every option was taken: the platform's parts, and one note for what says nothing of the image.
    pub fn finish(&mut self) -> Result<(), RequestError> {
        if self.parts.iter().any(Option::is_some) {
            let [os, arch, variant] = std::mem::take(&mut self.parts);
            let (os, arch) = (os.unwrap_or_else(|| "linux".to_owned()), arch.unwrap_or_else(|| "amd64".to_owned()));
            let variant = variant.filter(|variant| !variant.is_empty()).map(|variant| format!("/{variant}"));
            let platform = format!("{os}/{arch}{}", variant.unwrap_or_default());
            if self.build.platforms.is_empty() {
                values::platforms("--os, --arch, --variant", &platform, &mut self.build.platforms)?;
            } else {
                self.build.note("--os, --arch, --variant", "beside `--platform`, which counts");
            }
        }
        if !self.silent.is_empty() {
            let names: Vec<String> = std::mem::take(&mut self.silent).into_iter().collect();
            self.build.note(names.join(", "), "how a run looks and what it leaves behind says nothing of the image");
        }
        Ok(())
    }
}

/// A context that is no directory here.
pub(in crate::imports) fn local_context(text: &str) -> Result<(), RequestError> {
    let shown = crate::http::without_user(text);
    if text == "-" {
        return Err(RequestError::new("the context comes from standard input: expected a directory")
            .with_hint("unpack it here; a manifest stands in the files themselves"));
    }
    let is_scp = || {
        let word = |text: &str| !text.is_empty() && !text.contains('/');
        text.split_once('@')
            .and_then(|(user, rest)| Some((user, rest.split_once(':')?.0)))
            .is_some_and(|(user, host)| word(user) && word(host))
    };
    if text.contains("://") || text.starts_with("github.com/") || is_scp() {
        return Err(RequestError::new(format!("the context is the URL `{shown}`: expected a directory"))
            .with_hint("check it out here and name the directory; a manifest stands in the files themselves"));
    }
    if text.is_empty() {
        return Err(RequestError::new("the context is empty: expected a directory"));
    }
    Ok(())
}
