//! The Dockerfile as which an image of layers is built, so that everything else is as for any other image.
//!
//! Its text is one of the frozen byte forms (`docs/formats.md`): the record holds its digest.

use std::fmt::Write;

use super::layers::{Layer, LayerPath, Layers, Paths};
use crate::platform::Platform;
use crate::reference::Reference;

/// A Dockerfile, and which lines of the manifest its lines come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The Dockerfile.
    pub text: String,
    /// For each of its lines, that of the manifest; both begin at 1.
    pub lines: Vec<u32>,
}

impl Layers {
    /// The Dockerfile of this image, which is made for `platforms`.
    pub fn dockerfile(&self, platforms: &[Platform]) -> Written {
        let mut written = Written::default();
        let base = self.base.as_deref().and_then(|base| base.parse::<Reference>().ok());
        let from = base.map_or_else(|| "scratch".to_owned(), |base| base.with_default_tag().to_string());
        if self.layers.iter().any(Layer::is_apart) {
            for platform in platforms {
                written.line(self.line, &format!("FROM {from} AS {}", stage(platform)));
                self.layers.iter().for_each(|layer| written.copy(layer, layer.paths(platform)));
            }
            written.line(self.line, "FROM layers-$TARGETOS-$TARGETARCH$TARGETVARIANT");
        } else {
            written.line(self.line, &format!("FROM {from}"));
            for layer in &self.layers {
                // The same for all platforms.
                if let Paths::Common(paths) = &layer.paths {
                    written.copy(layer, paths);
                }
            }
        }
        self.write_config(&mut written);
        written
    }

    fn write_config(&self, written: &mut Written) {
        let config = &self.config;
        let mut line = |instruction: &str, value: Option<String>| {
            if let Some(value) = value {
                written.line(config.line, &format!("{instruction} {value}"));
            }
        };
        let variables = config.env.iter().map(|(name, value)| format!("{name}={}", quoted(value)));
        line("ENV", joined(variables));
        line("EXPOSE", joined(config.exposed_ports.iter().cloned()));
        line("VOLUME", Some(&config.volumes).filter(|volumes| !volumes.is_empty()).map(|volumes| words(volumes)));
        line("WORKDIR", config.workdir.clone());
        line("USER", config.user.clone());
        line("STOPSIGNAL", config.stop_signal.clone());
        line("ENTRYPOINT", config.entrypoint.as_deref().map(words));
        line("CMD", config.cmd.as_deref().map(words));
    }
}

/// The stage of a platform whose files are its own.
fn stage(platform: &Platform) -> String {
    let variant = platform.variant.as_deref().unwrap_or_default();
    format!("layers-{}-{}{variant}", platform.os, platform.architecture)
}

impl Written {
    fn line(&mut self, of_manifest: u32, instruction: &str) {
        self.text.push_str(instruction);
        self.text.push('\n');
        self.lines.push(of_manifest);
    }

    fn copy(&mut self, layer: &Layer, paths: &[LayerPath]) {
        let mut instruction = String::from("COPY --parents");
        // Writing to a `String` can't fail.
        if layer.owner != (0, 0) {
            let _ = write!(instruction, " --chown={}:{}", layer.owner.0, layer.owner.1);
        }
        if let Some(mode) = layer.mode {
            let _ = write!(instruction, " --chmod={}", symbols(mode));
        }
        let to = if layer.to == "/" { "/".to_owned() } else { format!("{}/", layer.to) };
        let all: Vec<String> = paths.iter().map(source).chain([to]).collect();
        let _ = write!(instruction, " {}", words(&all));
        self.line(layer.line, &instruction);
    }
}

/// A path so that what stands before `/./` is left out of its place in the image.
fn source(path: &LayerPath) -> String {
    if path.path.is_empty() {
        return "*".to_owned();
    }
    if path.is_content {
        return format!("{}/./*", path.path);
    }
    match path.path.rsplit_once('/') {
        Some((directory, name)) => format!("{directory}/./{name}"),
        None => path.path.clone(),
    }
}

/// Permission bits in the symbols of `chmod(1)`: whoever may read may execute what anybody could, and enter directories.
fn symbols(mode: u16) -> String {
    let class = |name: char, shift: u16| {
        let bits = mode >> shift & 7;
        let mut text = format!("{name}=");
        for (bit, letter) in [(4, 'r'), (2, 'w'), (1, 'x')] {
            if bits & bit != 0 {
                text.push(letter);
            }
        }
        if bits & 5 == 4 {
            text.push('X');
        }
        text
    };
    [class('u', 6), class('g', 3), class('o', 0)].join(",")
}

fn joined(values: impl Iterator<Item = String>) -> Option<String> {
    let values: Vec<String> = values.collect();
    Some(values.join(" ")).filter(|joined| !joined.is_empty())
}

/// The JSON form of words.
fn words(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| serde_json::Value::from(word.as_str()).to_string()).collect();
    format!("[{}]", words.join(","))
}

/// A value between double quotes, in which a shell's three special characters are escaped.
fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for c in value.chars() {
        if matches!(c, '"' | '$' | '\\') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::{Manifest, Recipe};
    use super::*;
    use crate::dockerfile::parse;
    use crate::dockerfile::shell::{Budget, Lexer, Unset};
    use crate::dockerfile::syntax::{Command, Escape};
    use crate::limits::Limits;

    fn written(table: &str) -> Written {
        let text = format!("version = 1\n[image.a]\n{table}\n");
        let manifest = Manifest::parse(&text, Path::new("/r/repro.toml"), Path::new("/r"));
        let manifest = manifest.unwrap_or_else(|errors| panic!("{table}: {errors}"));
        let image = &manifest.images["a"];
        let Recipe::Layers(layers) = &image.files.recipe else { panic!("{table}: no layers") };
        let written = layers.dockerfile(&image.platforms);
        assert_eq!(written.text.lines().count(), written.lines.len());
        assert!(
            parse(written.text.as_bytes(), &Limits::default()).is_ok_and(|dockerfile| dockerfile.syntax.is_none()),
            "{}",
            written.text
        );
        written
    }

    #[test]
    fn layers_become_the_documented_dockerfile() {
        let table = [
            "platforms = [\"linux/amd64\", \"linux/arm/v7\"]",
            "base = \"debian:13\"",
            "layers = [",
            "    { paths = [\"etc/\", \"share/man\"], to = \"/usr//local/\", owner = \"7:8\", mode = \"0640\" },",
            "    { paths.\"linux/amd64\" = [\"x\"], paths.\"linux/arm/v7\" = [\"y\"], to = \"/\" },",
            "]",
            "[image.a.config]",
            "env = { B = \"1\", A = \"\\\"$x\\\\\" }",
            "exposed-ports = [\"80\", \"53/udp\"]",
            "volumes = [\"/v\"]",
            "workdir = \"/w\"",
            "user = \"u:1\"",
            "stop-signal = \"SIGINT\"",
            "entrypoint = [\"/b\", \"a\\nb\"]",
            "cmd = []",
        ];
        let copies = |own: &str| {
            "COPY --parents --chown=7:8 --chmod=u=rwX,g=rX,o= [\"etc/./*\",\"share/./man\",\"/usr/local/\"]\n"
                .to_owned()
                + &format!("COPY --parents [\"{own}\",\"/\"]\n")
        };
        let want = [
            "FROM docker.io/library/debian:13 AS layers-linux-amd64\n",
            &copies("x"),
            "FROM docker.io/library/debian:13 AS layers-linux-armv7\n",
            &copies("y"),
            "FROM layers-$TARGETOS-$TARGETARCH$TARGETVARIANT\n",
            "ENV A=\"\\\"\\$x\\\\\" B=\"1\"\n",
            "EXPOSE 80 53/udp\nVOLUME [\"/v\"]\nWORKDIR /w\nUSER u:1\nSTOPSIGNAL SIGINT\n",
            "ENTRYPOINT [\"/b\",\"a\\nb\"]\nCMD []\n",
        ];
        let written = written(&table.join("\n"));
        assert_eq!(written.text, want.concat());
        assert_eq!(written.lines, [4, 6, 7, 4, 6, 7, 4, 9, 9, 9, 9, 9, 9, 9, 9]);
    }

    #[test]
    fn an_image_that_is_the_same_everywhere_has_one_stage() {
        let table = "platforms = [\"linux/amd64\", \"linux/arm64\"]\nlayers = [{ paths = [\".\"], to = \"/\" }]";
        assert_eq!(written(table).text, "FROM scratch\nCOPY --parents [\"*\",\"/\"]\n");
    }

    #[test]
    fn modes_keep_what_is_executable_so() {
        for (mode, want) in [
            (0o644, "u=rwX,g=rX,o=rX"),
            (0o755, "u=rwx,g=rx,o=rx"),
            (0o600, "u=rwX,g=,o="),
            (0o111, "u=x,g=x,o=x"),
            (0o420, "u=rX,g=w,o="),
        ] {
            assert_eq!(symbols(mode), want, "{mode:o}");
        }
    }

    #[test]
    fn a_value_comes_back_as_it_was() {
        for value in ["", " a  b ", "$A ${B} \\$", "it's \"it\"", "\\", "a\\", "\\\\n", "#<<EOF", "`é\tü`"] {
            let text = format!("FROM scratch\nENV A={}\n", quoted(value));
            let dockerfile =
                parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{text}: {error}"));
            let Command::Env(pairs) = &dockerfile.stages[0].instructions[0].command else { panic!("{text}") };
            let expanded = Lexer::new(Escape::Backslash).expand(&pairs[0].value, &Unset, &Budget::default());
            assert_eq!(expanded.map(|expansion| expansion.word).as_deref(), Ok(value), "{text}");
        }
    }
}
