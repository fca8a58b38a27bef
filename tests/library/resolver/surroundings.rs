//! Clients and resolvers with short waits, and what they warned about.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use repro::parts::cancel::Cancel;
use repro::parts::config::Config;
use repro::parts::http::{Client, Offline, Proxies, Retry, Settings, Timeouts};
use repro::parts::limits::Limits;
use repro::parts::process::{Environment, Programs};
use repro::parts::progress::Progress;
use repro::parts::registry::{Logins, Registry};
use repro::parts::resolve::{Git, Resolver};
use repro::parts::store::Cache;

/// Keeps what people would read.
#[derive(Default)]
pub struct Told(Mutex<Vec<String>>);

impl Told {
    pub fn all(&self) -> String {
        self.0.lock().unwrap().join("\n")
    }
}

impl Progress for Told {
    fn step(&self, _what: &str, _done: u64, _total: Option<u64>) {}
    fn end(&self, _what: &str) {}
    fn log(&self, _line: &str) {}
    fn warn(&self, message: &str) {
        self.0.lock().unwrap().push(format!("warning: {message}"));
    }
    fn note(&self, message: &str) {
        self.0.lock().unwrap().push(format!("note: {message}"));
    }
}

pub struct Surroundings {
    pub config: String,
    pub logins: Option<String>,
    pub limits: Limits,
    pub cancel: Cancel,
    pub told: Arc<Told>,
    pub retry: Retry,
    pub directory: tempfile::TempDir,
    pub ages: bool,
    pub offline: bool,
}

impl Surroundings {
    pub fn new() -> Self {
        Self::with_config("")
    }

    pub fn with_config(config: &str) -> Self {
        Self {
            config: config.to_owned(),
            logins: None,
            limits: Limits::default(),
            cancel: Cancel::default(),
            told: Arc::default(),
            retry: Retry { first: Duration::from_millis(2), ..Retry::default() },
            directory: tempfile::tempdir().unwrap(),
            ages: false,
            offline: false,
        }
    }

    pub fn with_logins(mut self, json: &str) -> Self {
        self.logins = Some(json.to_owned());
        self
    }

    pub fn client(&self) -> Client {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/library/resolver/config.toml");
        Client::new(Settings {
            config: Arc::new(Config::parse(&self.config, &tests).unwrap()),
            proxies: Proxies::default(),
            limits: self.limits.clone(),
            timeouts: Timeouts {
                connect: Duration::from_secs(5),
                response: Duration::from_millis(1500),
                idle: Duration::from_millis(500),
            },
            retry: self.retry,
            offline: if self.offline { Offline::Asked } else { Offline::No },
            cancel: self.cancel.clone(),
            progress: self.told.clone(),
        })
    }

    pub fn registry(&self) -> Registry {
        let mut logins = Logins::default();
        if let Some(json) = &self.logins {
            let file = self.directory.path().join("config.json");
            std::fs::write(&file, json).unwrap();
            logins.files.push(file);
        }
        Registry::new(self.client(), logins)
    }

    pub fn cache(&self) -> Cache {
        Cache::new(&self.directory.path().join("cache"))
    }

    pub fn resolver(&self) -> Resolver {
        let path = std::env::var_os("PATH").unwrap();
        let home = self.directory.path().as_os_str().to_owned();
        let environment =
            Environment::new([("PATH".into(), path.clone()), ("HOME".into(), home)] as [(std::ffi::OsString, _); 2]);
        Resolver {
            registry: self.registry(),
            cache: self.cache(),
            git: Git::find(&Programs::from_path(&path), &environment),
            layouts: Default::default(),
            bundles: Default::default(),
            ages: self.ages,
        }
    }
}
