//! What every RUN is given beyond what the image says: variables and files that leave no trace in any layer.
//!
//! They come as secret mounts of the staged Dockerfile, which neither config nor history nor layers show. The manifest's
//! `run-env` names some; a build whose network is a tape needs others, so that programs accept an index whose validity
//! has run out and the certificate of BuildKit's proxy.

use super::Plan;
use crate::manifest::Network;

/// The certificate of BuildKit's proxy, through which everything goes; `/dev` is no part of a layer.
const CERTIFICATE: &str = "/dev/.repro/proxy.pem";

/// One variable that a RUN is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    /// The variable's name.
    pub variable: String,
    /// Its value.
    pub value: String,
    /// The file that comes along, at the path that is the value unless [`Injection::path`] says another one.
    pub file: Option<Content>,
    /// Who asked for it.
    pub reason: Reason,
}

/// What a file holds that a RUN is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// This text.
    Text(&'static str),
    /// The certificate of BuildKit's proxy, in PEM: each daemon has one of its own, so only the build knows it.
    Certificate,
    /// What leads a JVM to the proxy, which Java looks for in no variable (`agent/Agent.java`).
    Agent,
}

impl Content {
    /// The bytes, where they are the same in every build.
    pub fn bytes(self) -> Option<&'static [u8]> {
        match self {
            Self::Text(text) => Some(text.as_bytes()),
            Self::Certificate => None,
            Self::Agent => Some(AGENT),
        }
    }
}

impl Injection {
    /// Where the file lies.
    pub fn path(&self) -> &str {
        if self.file == Some(Content::Agent) { AGENT_PATH } else { &self.value }
    }

    /// Whether a RUN with this text is given it: an agent is for those that call a JVM, and would end one without the
    /// module for agents.
    pub fn is_for(&self, run: &[u8]) -> bool {
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._".contains(byte);
        let mut words = run.split(|byte| !is_name(byte));
        self.file != Some(Content::Agent) || words.any(|word| JVM.iter().any(|name| name.as_bytes() == word))
    }
}

/// The agent, and where RUN finds it.
const AGENT: &[u8] = include_bytes!("agent/agent.jar");
const AGENT_PATH: &str = "/dev/.repro/jvm.jar";
/// Programs that are a JVM, or start one.
const JVM: [&str; 15] = [
    "ant", "clojure", "coursier", "gradle", "gradlew", "groovy", "java", "jbang", "kotlin", "lein", "mvn", "mvnd",
    "mvnw", "sbt", "scala",
];

/// Why a variable is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The manifest's `run-env`.
    RunEnv,
    /// A build from a tape; a variable of this kind that the Dockerfile sets itself is left alone.
    Tape,
}

/// The variables of builds whose network is the tape: name, value, and the file that the value names.
///
/// BuildKit adds its certificate to the base's trust store for the time of a step. That does not reach programs with a
/// store of their own, nor a step that installs the store first (`apt-get install ca-certificates curl && curl …`).
const OF_TAPE: [(&str, &str, Option<Content>); 11] = [
    (
        "APT_CONFIG",
        "/dev/.repro/apt.conf",
        Some(Content::Text(
            "Acquire::Check-Valid-Until \"false\";\nAcquire::https::CaInfo \"/dev/.repro/proxy.pem\";\n",
        )),
    ),
    ("CARGO_HTTP_CAINFO", CERTIFICATE, Some(Content::Certificate)),
    ("CURL_CA_BUNDLE", CERTIFICATE, Some(Content::Certificate)),
    ("GIT_SSL_CAINFO", CERTIFICATE, Some(Content::Certificate)),
    ("JAVA_TOOL_OPTIONS", "-javaagent:/dev/.repro/jvm.jar=/dev/.repro/proxy.pem", Some(Content::Agent)),
    ("NODE_EXTRA_CA_CERTS", CERTIFICATE, Some(Content::Certificate)),
    ("PIP_CERT", CERTIFICATE, Some(Content::Certificate)),
    ("REQUESTS_CA_BUNDLE", CERTIFICATE, Some(Content::Certificate)),
    ("SSL_CERT_FILE", CERTIFICATE, Some(Content::Certificate)),
    ("UV_NATIVE_TLS", "1", None),
    ("WGETRC", "/dev/.repro/wgetrc", Some(Content::Text("ca_certificate = /dev/.repro/proxy.pem\n"))),
];

/// The variables that `plan` gives to its RUN instructions, sorted by name; the manifest's win over the tape's.
pub fn injected(plan: &Plan) -> Vec<Injection> {
    let of_manifest = plan.run.variables.iter().map(|(name, value)| Injection {
        variable: name.clone(),
        value: value.clone(),
        file: None,
        reason: Reason::RunEnv,
    });
    let mut all: Vec<Injection> = of_manifest.collect();
    if plan.run.network == Network::Locked {
        all.extend(of_tape().filter(|injection| !plan.run.variables.contains_key(&injection.variable)));
    }
    all.sort_by(|one, other| one.variable.cmp(&other.variable));
    all
}

/// What a tape needs, sorted by name.
pub fn of_tape() -> impl Iterator<Item = Injection> {
    OF_TAPE.iter().map(|&(name, value, file)| Injection {
        variable: name.to_owned(),
        value: value.to_owned(),
        file,
        reason: Reason::Tape,
    })
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_agent_is_for_runs_that_call_a_jvm() {
        let agent = of_tape().find(|injection| injection.file == Some(Content::Agent)).unwrap();
        assert_eq!(agent.path(), AGENT_PATH);
        for (run, want) in [
            ("RUN ./mvnw -B package", true),
            ("RUN cd /a && \\\n  /opt/gradle/bin/gradle build", true),
            ("RUN [\"java\", \"-jar\", \"a.jar\"]", true),
            ("RUN apt-get install openjdk-17-jre-headless java-common", false),
            ("RUN echo javascript > /java.txt", false),
        ] {
            assert_eq!(agent.is_for(run.as_bytes()), want, "{run}");
        }
        assert!(of_tape().filter(|other| *other != agent).all(|other| other.is_for(b"RUN true")));
    }

    /// Needs JDK 17, whose compiler made it.
    #[test]
    #[allow(clippy::disallowed_macros, reason = "a test says what it has not tried")]
    fn the_agent_is_made_of_its_source() {
        let compiler = Command::new("javac").arg("-version").output();
        if !compiler.is_ok_and(|output| output.stdout.starts_with(b"javac 17.")) {
            println!("not run: no JDK 17");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let jar = directory.path().join("agent.jar");
        assert!(Command::new("src/build/agent/make").arg(&jar).status().unwrap().success());
        assert!(std::fs::read(jar).unwrap() == AGENT, "make it again: src/build/agent/make src/build/agent/agent.jar");
    }
}
