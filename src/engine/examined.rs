//! What is found of one engine on this machine.

/// One engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    /// Its name, as `--engine` takes it.
    pub engine: &'static str,
    /// Programs and daemons, with what they say of themselves.
    pub found: Vec<(String, String)>,
    /// What it builds here.
    pub can: Vec<String>,
    /// What it does not.
    pub cannot: Vec<String>,
    /// What it lacks; with nothing it can be used.
    pub missing: Vec<Missing>,
}

/// Something that an engine lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What.
    pub what: String,
    /// How to get it.
    pub fix: String,
}

impl Examined {
    /// Nothing is known yet.
    pub fn new(engine: &'static str) -> Self {
        Self { engine, ..Self::default() }
    }

    /// Adds something that was found.
    pub fn found(&mut self, what: impl Into<String>, value: impl Into<String>) {
        self.found.push((what.into(), value.into()));
    }

    /// Adds what it builds.
    pub fn can(&mut self, what: impl Into<String>) {
        self.can.push(what.into());
    }

    /// Adds what it does not build.
    pub fn cannot(&mut self, what: impl Into<String>) {
        self.cannot.push(what.into());
    }

    /// Adds what it lacks, and how to get it.
    pub fn missing(&mut self, what: impl Into<String>, fix: impl Into<String>) {
        self.missing.push(Missing { what: what.into(), fix: fix.into() });
    }
}
