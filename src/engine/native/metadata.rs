//! Instructions that change the config only, and the history of all of them.

use super::path;
use super::words;
use crate::dockerfile::syntax::CommandLine;
use crate::dockerfile::target::{Action, TransferStep};
use crate::epoch::Epoch;
use crate::image::Config;
use crate::image::config::{Healthcheck, HistoryItem};
use crate::image::time::Time;
use crate::json::{Text, lossy};
use crate::platform::Platform;

const COMMENT: &[u8] = b"buildkit.dockerfile.v0";
const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The config of a stage while its instructions are carried out.
#[derive(Clone, Debug)]
pub(super) struct StageConfig {
    pub(super) config: Config,
    /// The base image's history as it was, none if there is no base image.
    pub(super) base_history: Option<Vec<HistoryItem>>,
    has_cmd: bool,
    epoch: Epoch,
}

impl StageConfig {
    /// The config on which `FROM scratch` starts.
    pub(super) fn from_scratch(platform: &Platform, epoch: Epoch) -> Self {
        let mut config = Config {
            architecture: platform.architecture.clone(),
            os: platform.os.clone(),
            variant: platform.variant.clone().unwrap_or_default(),
            ..Config::default()
        };
        config.run.working_dir = b"/".to_vec();
        config.run.env = vec![PATH.into()];
        Self { config, base_history: None, has_cmd: false, epoch }
    }

    /// The config on which `FROM image` starts.
    pub(super) fn from_image(base: &Config, epoch: Epoch) -> Self {
        let mut config = base.clone();
        config.created = None;
        config.diff_ids.clear();
        config.run.on_build.clear();
        let base_history = Some(base.history.clone());
        let mut stage = Self { config, base_history, has_cmd: false, epoch };
        stage.complete();
        stage
    }

    /// The config on which `FROM stage` starts.
    pub(super) fn child(&self) -> Self {
        let mut child = Self { has_cmd: false, ..self.clone() };
        child.config.run.on_build.clear();
        child.complete();
        child
    }

    /// What every stage has from the start: a PATH, and an absolute working directory if any.
    fn complete(&mut self) {
        let run = &mut self.config.run;
        let is_path = |item: &Text| item == b"PATH" || item.starts_with(b"PATH=");
        if !run.env.iter().any(is_path) {
            run.env.push(PATH.into());
        }
        if !run.working_dir.is_empty() && !run.working_dir.starts_with(b"/") {
            run.working_dir = path::join(&path::join(b"/", &run.working_dir), &run.working_dir);
        }
    }

    /// Carries out an instruction that makes no layer; false if it is another one.
    pub(super) fn apply(&mut self, action: &Action) -> bool {
        let run = &mut self.config.run;
        let created_by = match action {
            Action::Arg(arguments) => {
                let argument = |(name, value): &(_, Option<String>)| {
                    let name: &crate::dockerfile::text::Text = name;
                    match value {
                        Some(value) => [name, b"=".as_slice(), value.as_bytes()].concat(),
                        None => name.to_vec(),
                    }
                };
                let arguments: Vec<Vec<u8>> = arguments.iter().map(argument).collect();
                [b"ARG ".as_slice(), &arguments.join(&b' ')].concat()
            }
            Action::Env(pairs) => {
                for (name, value) in pairs {
                    set_variable(&mut run.env, name, value);
                }
                pairs_text("ENV", pairs)
            }
            Action::Label(pairs) => {
                run.labels
                    .extend(pairs.iter().map(|(key, value)| (Text::from(key.as_str()), Text::from(value.as_str()))));
                pairs_text("LABEL", pairs)
            }
            Action::Cmd(line) => {
                run.cmd = command_line(line, &run.shell);
                run.args_escaped = true;
                self.has_cmd = true;
                [b"CMD ".as_slice(), &words::quoted(&run.cmd)].concat()
            }
            Action::Entrypoint(line) => {
                run.entrypoint = command_line(line, &run.shell);
                if !self.has_cmd {
                    run.cmd.clear();
                }
                [b"ENTRYPOINT ".as_slice(), &words::quoted(&run.entrypoint)].concat()
            }
            Action::Expose(ports) => {
                run.exposed_ports.extend(ports.iter().map(|port| Text::from(port.as_str())));
                [b"EXPOSE ".as_slice(), &words::plain(ports)].concat()
            }
            Action::Healthcheck(check) => {
                let check = Healthcheck {
                    test: check.test.iter().map(|word| word.to_vec()).collect(),
                    interval: check.interval,
                    timeout: check.timeout,
                    start_period: check.start_period,
                    start_interval: check.start_interval,
                    retries: i64::from(check.retries),
                };
                let text = [b"HEALTHCHECK ".as_slice(), &words::healthcheck(&check)].concat();
                run.healthcheck = Some(check);
                text
            }
            Action::Maintainer(maintainer) => {
                self.config.author = maintainer.to_vec();
                [b"MAINTAINER ".as_slice(), maintainer].concat()
            }
            Action::Shell(shell) => {
                run.shell = shell.iter().map(|word| word.to_vec()).collect();
                [b"SHELL ".as_slice(), &words::plain(&run.shell)].concat()
            }
            Action::Stopsignal(signal) => {
                run.stop_signal = signal.as_str().into();
                format!("STOPSIGNAL {signal}").into_bytes()
            }
            Action::User(user) => {
                run.user = user.as_str().into();
                format!("USER {user}").into_bytes()
            }
            Action::Volume(volumes) => {
                run.volumes.extend(volumes.iter().map(|volume| Text::from(volume.as_str())));
                [b"VOLUME ".as_slice(), &words::plain(volumes)].concat()
            }
            Action::Onbuild(trigger) => {
                run.on_build.push(trigger.to_vec());
                return true;
            }
            Action::Transfer(_) | Action::Run(_) | Action::Workdir(_) => return false,
        };
        self.commit(&created_by, false);
        true
    }

    /// Adds an item to the history; the text takes a trip through JSON.
    pub(super) fn commit(&mut self, created_by: &[u8], makes_layer: bool) {
        self.config.history.push(HistoryItem {
            created: Some(Time::from(self.epoch)),
            created_by: lossy(created_by).into_owned(),
            author: Text::new(),
            comment: COMMENT.to_vec(),
            empty_layer: !makes_layer,
        });
    }

    /// Adds the history item of a COPY or ADD.
    pub(super) fn commit_transfer(&mut self, step: &TransferStep) {
        let mut text = if step.is_add { b"ADD".to_vec() } else { b"COPY".to_vec() };
        let mut word = |prefix: &str, word: &[u8]| {
            text.push(b' ');
            text.extend_from_slice(prefix.as_bytes());
            text.extend_from_slice(word);
        };
        if step.parents {
            word("--parents", b"");
        }
        if !step.chown.is_empty() {
            word("--chown=", step.chown.as_bytes());
        }
        if !step.chmod.is_empty() {
            word("--chmod=", step.chmod.as_bytes());
        }
        for source in &step.sources {
            word("", source.written().as_bytes());
        }
        for file in &step.files {
            word("<<", &file.name);
        }
        word("", step.written_destination.as_bytes());
        text.extend_from_slice(b" # buildkit");
        self.commit(&text, true);
    }
}

/// Replaces a variable in its place, or appends it.
fn set_variable(env: &mut Vec<Text>, name: &str, value: &str) {
    let item = format!("{name}={value}").into_bytes();
    let is_it = |item: &&mut Text| item.split(|byte| *byte == b'=').next() == Some(name.as_bytes());
    match env.iter_mut().find(is_it) {
        Some(place) => *place = item,
        None => env.push(item),
    }
}

fn pairs_text(instruction: &str, pairs: &[(String, String)]) -> Vec<u8> {
    let pairs: String = pairs.iter().map(|(key, value)| format!(" {key}={value}")).collect();
    format!("{instruction}{pairs}").into_bytes()
}

/// The words of a command; the shell form gets the shell in front.
fn command_line(line: &CommandLine, shell: &[Text]) -> Vec<Text> {
    let words = line.words.iter().map(|word| word.to_vec());
    if !line.shell {
        return words.collect();
    }
    let words: Vec<Text> = words.collect();
    let shell = if shell.is_empty() { vec![b"/bin/sh".to_vec(), b"-c".to_vec()] } else { shell.to_vec() };
    shell.into_iter().chain([words.join(&b' ')]).collect()
}
