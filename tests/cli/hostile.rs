//! `repro inspect` on the hostile image archives of `tests/cases/hostile`: each through the binary, as an archive, from a
//! pipe and as a layout, within the corpus's own budget of time and memory; and on the smaller changes of
//! `tests/variants`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tempfile::TempDir;

/// Where the generators are: the committed corpus, or another one of the same kind.
fn corpus() -> PathBuf {
    match std::env::var_os("HOSTILE_CORPUS") {
        Some(directory) => directory.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/hostile"),
    }
}

#[derive(Deserialize)]
struct Corpus {
    budget: Budget,
    cases: Vec<Case>,
}

/// One archive that `tests/variants/write.py` writes.
#[derive(Deserialize)]
struct Variant {
    name: String,
    file: String,
    status: i32,
}

#[derive(Deserialize)]
struct Budget {
    seconds: u64,
    rss_mib: u64,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    file: String,
    expect: String,
    #[serde(default)]
    also: Vec<String>,
    reason: String,
    #[serde(default)]
    limits: BTreeMap<String, u64>,
    sha256: String,
}

impl Case {
    /// Whether the exit status is the expected outcome; 6 stands for invalid and for unsafe.
    fn allows(&self, status: i32) -> bool {
        let mut outcomes = std::iter::once(&self.expect).chain(&self.also);
        match status {
            0 => outcomes.any(|outcome| outcome == "valid"),
            6 => outcomes.any(|outcome| outcome != "valid"),
            _ => false,
        }
    }
}

/// How the archive reaches the program.
#[derive(Clone, Copy, Debug)]
enum Way {
    File,
    Pipe,
    Layout,
    Json,
}

/// Runs the binary on a case with the address space that the budget allows.
fn inspect(case: &Case, archives: &Path, way: Way, budget: &Budget) -> Option<Output> {
    let archive = match way {
        Way::Layout => archives.join(format!("{}.layout", case.name)),
        _ => archives.join(&case.file),
    };
    if !archive.exists() {
        assert!(matches!(way, Way::Layout), "{} is missing", archive.display());
        return None;
    }
    let mut command = Command::new("sh");
    let limit = format!("ulimit -v {} && ulimit -t {} && exec \"$@\"", budget.rss_mib * 1024, budget.seconds);
    command.args(["-c", &limit, "sh", env!("CARGO_BIN_EXE_repro"), "inspect"]);
    let mut cat = None;
    match way {
        Way::Pipe => {
            let mut child =
                Command::new("cat").arg(&archive).stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
            command.arg("-").stdin(child.stdout.take().unwrap());
            cat = Some(child);
        }
        _ => drop(command.arg(&archive).stdin(Stdio::null())),
    }
    if matches!(way, Way::Json) {
        command.args(["--format", "json"]);
    }
    for (name, value) in &case.limits {
        command.args(["--limit", &format!("{}={value}", name.replace('_', "-"))]);
    }
    let output = command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).output().unwrap();
    // Its own end is of no interest: nobody may be there to read what it writes.
    drop(command);
    if let Some(mut cat) = cat {
        cat.wait().unwrap();
    }
    Some(output)
}

/// Whether a character may move a terminal's cursor.
fn is_control(c: char) -> bool {
    c != '\n' && c.is_control()
}

/// What is wrong with the outcome of one case.
fn complaint(case: &Case, archives: &Path, way: Way, budget: &Budget) -> Option<String> {
    let start = Instant::now();
    let output = inspect(case, archives, way, budget)?;
    let took = start.elapsed();
    let status = output.status.code().unwrap_or(-1);
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let what = if !case.allows(status) {
        format!("ended with {status}")
    } else if took > Duration::from_secs(budget.seconds) * 10 {
        // The budget is one of the processor's time; this is for what hangs, whatever else the machine does.
        format!("took {took:?}")
    } else if [&stdout, &stderr].iter().any(|text| text.chars().any(is_control)) {
        "printed control characters".to_owned()
    } else if status == 6 && !stderr.starts_with("error: ") {
        "says nothing on stderr".to_owned()
    } else if stdout.contains("reproduced") {
        "speaks of `reproduced`".to_owned()
    } else if matches!(way, Way::Json) {
        let document = crate::schema::check("inspect", &stdout);
        let is_told = document["status"] == status && (document["faults"] == serde_json::json!([])) == (status == 0);
        if is_told { return None } else { format!("tells another outcome: {}", document["faults"]) }
    } else {
        return None;
    };
    Some(format!("{} ({way:?}; {}; {}): {what}\n{stderr}", case.name, case.expect, case.reason))
}

#[test]
fn every_case_has_its_expected_outcome_within_the_budget() {
    let directory = TempDir::new().unwrap();
    let corpus = corpus();
    let set = if corpus.join("generate_held_back.py").exists() { "all" } else { "open" };
    let set = std::env::var("HOSTILE_SET").unwrap_or_else(|_| set.to_owned());
    let generated = Command::new("python3")
        .arg(corpus.join("generate.py"))
        .arg(directory.path())
        .args(["--set", &set, "--layouts"])
        .output()
        .unwrap();
    assert!(generated.status.success(), "{}", String::from_utf8_lossy(&generated.stderr));
    let list = File::open(directory.path().join("cases.json")).unwrap();
    let list: Corpus = serde_json::from_reader(list).unwrap();
    assert!(list.cases.len() >= 249, "the corpus is not whole: {} cases", list.cases.len());
    let next = AtomicUsize::new(0);
    let complaints = Mutex::new(Vec::new());
    let work = || {
        while let Some(case) = list.cases.get(next.fetch_add(1, Ordering::Relaxed)) {
            let bytes = fs::read(directory.path().join(&case.file)).unwrap();
            assert_eq!(repro::parts::digest::Digest::of(&bytes).hex(), case.sha256, "{} is another archive", case.name);
            for way in [Way::File, Way::Pipe, Way::Layout, Way::Json] {
                if let Some(complaint) = complaint(case, directory.path(), way, &list.budget) {
                    complaints.lock().unwrap().push(complaint);
                }
            }
        }
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..4).map(|_| scope.spawn(work)).collect();
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    let complaints = complaints.into_inner().unwrap();
    assert!(complaints.is_empty(), "{} wrong:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn what_differs_from_a_right_archive_in_one_small_thing_has_its_status() {
    let directory = TempDir::new().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/variants/write.py");
    let written = Command::new("python3").arg(script).arg(directory.path()).output().unwrap();
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    let list = File::open(directory.path().join("list.json")).unwrap();
    let list: Vec<Variant> = serde_json::from_reader(list).unwrap();
    assert!(list.len() >= 500 && list.iter().filter(|variant| variant.status == 0).count() >= 30);
    let next = AtomicUsize::new(0);
    let complaints = Mutex::new(Vec::new());
    let work = || {
        while let Some(variant) = list.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut command = Command::new(env!("CARGO_BIN_EXE_repro"));
            command.arg("inspect").arg(directory.path().join(&variant.file)).stdin(Stdio::null()).env_clear();
            let output = command.output().unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            let is_told = told.starts_with("error: ") == (variant.status == 6);
            if output.status.code() != Some(variant.status) || !is_told || told.chars().any(is_control) {
                let what = format!("{}: {:?}, expected {}\n{told}", variant.name, output.status, variant.status);
                complaints.lock().unwrap().push(what);
            }
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    let complaints = complaints.into_inner().unwrap();
    assert!(complaints.is_empty(), "{} wrong:\n{}", complaints.len(), complaints.join("\n"));
}
