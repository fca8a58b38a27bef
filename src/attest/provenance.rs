//! A build as provenance (SLSA v1): what it was asked, what it was made of, who ran it and when.
//!
//! No member beyond the standard outside the parameters, since readers are strict there. What isn't known is left out.

use std::collections::BTreeMap;

use super::written::{WrittenSubject, object, statement};
use crate::json::Value;

/// The predicate type.
pub const TYPE: &str = "https://slsa.dev/provenance/v1";
/// What kind of build it is: `repro build` with these parameters (`docs/attest.md`).
pub const BUILD_TYPE: &str = "https://repro.example.org/buildtypes/image/v1";
/// Who built, where nobody says.
pub const UNIDENTIFIED: &str = "https://repro.example.org/builders/unidentified/v1";

/// A build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// What came out.
    pub subjects: Vec<WrittenSubject>,
    /// What the build was asked, by name, in the order written.
    pub external: Vec<(&'static str, String)>,
    /// Build arguments.
    pub arguments: BTreeMap<String, String>,
    /// How it was built, by name, in the order written.
    pub internal: Vec<(&'static str, String)>,
    /// What it was made of.
    pub dependencies: Vec<Dependency>,
    /// Whether RUN could reach everything, so that nobody knows what it took from there.
    pub has_open_network: bool,
    /// Who built, a URI that the operator chose.
    pub builder: String,
    /// A random name of the run.
    pub invocation: String,
    /// When it began and ended, in RFC 3339.
    pub times: [String; 2],
}

/// Something that a build was made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dependency {
    /// Where it comes from.
    pub uri: String,
    /// What it is to the build.
    pub name: String,
    /// Digests by algorithm, without the algorithm's name in them.
    pub digests: BTreeMap<&'static str, String>,
    /// What else is known.
    pub annotations: BTreeMap<&'static str, String>,
}

impl Provenance {
    /// The statement's bytes.
    pub fn to_statement(&self) -> Vec<u8> {
        let texts = |pairs: &[(&'static str, String)]| {
            pairs.iter().map(|(name, value)| (*name, Some(Value::string(value)))).collect::<Vec<_>>()
        };
        let mut external = texts(&self.external);
        external.push(("buildArgs", Some(Value::map(&self.arguments))));
        let mut dependencies: Vec<&Dependency> = self.dependencies.iter().collect();
        dependencies.sort();
        let unrecorded = self.has_open_network.then(|| Dependency {
            uri: "about:unrecorded".to_owned(),
            name: "unrecorded-network".to_owned(),
            digests: BTreeMap::new(),
            annotations: BTreeMap::new(),
        });
        dependencies.extend(&unrecorded);
        let [started, finished] = &self.times;
        let version = object(vec![("repro", Some(Value::string(env!("CARGO_PKG_VERSION"))))]);
        let predicate = object(vec![
            (
                "buildDefinition",
                Some(object(vec![
                    ("buildType", Some(Value::string(BUILD_TYPE))),
                    ("externalParameters", Some(object(external))),
                    ("internalParameters", Some(object(texts(&self.internal)))),
                    ("resolvedDependencies", Some(Value::Array(dependencies.into_iter().map(dependency).collect()))),
                ])),
            ),
            (
                "runDetails",
                Some(object(vec![
                    (
                        "builder",
                        Some(object(vec![("id", Some(Value::string(&self.builder))), ("version", Some(version))])),
                    ),
                    (
                        "metadata",
                        Some(object(vec![
                            ("invocationId", Some(Value::string(&self.invocation))),
                            ("startedOn", Some(Value::string(started))),
                            ("finishedOn", Some(Value::string(finished))),
                        ])),
                    ),
                ])),
            ),
        ]);
        statement(&self.subjects, TYPE, predicate)
    }
}

fn dependency(dependency: &Dependency) -> Value {
    let Dependency { uri, name, digests, annotations } = dependency;
    object(vec![
        ("name", Some(Value::string(name))),
        ("uri", Some(Value::string(uri))),
        ("digest", (!digests.is_empty()).then(|| Value::map(digests))),
        ("annotations", (!annotations.is_empty()).then(|| Value::map(annotations))),
    ])
}
