//! Progress on stderr: steps that collapse on a terminal, a line now and then elsewhere; warnings and notes always.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use anstyle::AnsiColor;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::report::error::label;
use super::at_work::{self, PAUSE, Running};
use crate::progress::Progress;

/// Draws what long work tells.
pub struct Terminal {
    quiet: bool,
    /// An engine's log is shown as it comes.
    logs: bool,
    bars: MultiProgress,
    open: Mutex<BTreeMap<String, ProgressBar>>,
    warned: Mutex<BTreeSet<String>>,
    /// Where there are no bars: what is at work.
    running: Arc<Mutex<BTreeMap<String, Running>>>,
    teller: Once,
}

impl Terminal {
    /// Steps are bars on terminals, and collapse to a line; with `--verbose` an engine's log appears in their place.
    pub fn new(quiet: bool, verbose: u8) -> Self {
        let logs = verbose > 0 && !quiet;
        let terminal = stderr().is_terminal() && !quiet;
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            quiet,
            logs,
            bars: MultiProgress::with_draw_target(target),
            open: Mutex::default(),
            warned: Mutex::default(),
            running: Arc::default(),
            teller: Once::new(),
        }
    }

    /// Removes all bars.
    pub fn clear(&self) {
        if let Ok(mut open) = self.open.lock() {
            open.clear();
        }
        if let Ok(mut running) = self.running.lock() {
            running.clear();
        }
        // Drawing failed, then there is nothing to clear.
        let _ = self.bars.clear();
    }

    fn say(&self, name: &str, color: AnsiColor, message: &str) {
        self.bars.suspend(|| label(name, color, message));
    }

    /// Whether somebody who sees no bars is told now and then what is at work; a log says that itself.
    fn tells(&self) -> bool {
        self.bars.is_hidden() && !self.quiet && !self.logs
    }

    /// Notes a step for those who see no bars, and tells them from now on.
    fn note_step(&self, what: &str, change: impl FnOnce(&mut Running)) {
        if !self.tells() {
            return;
        }
        if let Ok(mut running) = self.running.lock() {
            let new = || Running { since: Instant::now(), state: String::new(), count: (0, None) };
            change(running.entry(what.to_owned()).or_insert_with(new));
        }
        let running = Arc::downgrade(&self.running);
        self.teller.call_once(move || {
            thread::spawn(move || {
                loop {
                    thread::sleep(PAUSE);
                    let Some(running) = running.upgrade() else { return };
                    let line = running.lock().ok().and_then(|running| at_work::line(&running, Instant::now()));
                    if let Some(line) = line {
                        anstream::eprintln!("{line}");
                    }
                }
            });
        });
    }
}

impl Progress for Terminal {
    fn step(&self, what: &str, done: u64, total: Option<u64>) {
        self.note_step(what, |step| step.count = (done, total));
        // A bar that nobody sees would tick all the same, on a thread of its own.
        if self.bars.is_hidden() {
            return;
        }
        let Ok(mut open) = self.open.lock() else { return };
        let bar = open.entry(what.to_owned()).or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new_spinner());
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed:>4}") {
                bar.set_style(style);
            }
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        if let Some(total) = total
            && bar.length() != Some(total)
        {
            bar.set_length(total);
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {percent:>3} %") {
                bar.set_style(style);
            }
        }
        bar.set_position(done);
    }

    fn state(&self, what: &str, state: &str) {
        self.note_step(what, |step| state.clone_into(&mut step.state));
        if self.bars.is_hidden() {
            return;
        }
        self.step(what, 0, None);
        if let Ok(open) = self.open.lock()
            && let Some(bar) = open.get(what)
        {
            bar.set_message(format!("{what}: {state}"));
        }
    }

    fn end(&self, what: &str) {
        if let Ok(mut running) = self.running.lock() {
            running.remove(what);
        }
        if let Ok(mut open) = self.open.lock()
            && let Some(bar) = open.remove(what)
        {
            bar.finish_and_clear();
        }
    }

    fn finished(&self, what: &str, how: &str) {
        self.end(what);
        if !self.bars.is_hidden() && !self.logs {
            self.bars.suspend(|| anstream::eprintln!(" => {what}  {how}"));
        }
    }

    fn log(&self, line: &str) {
        if self.logs {
            self.bars.suspend(|| anstream::eprintln!("{line}"));
        }
    }

    fn warn(&self, message: &str) {
        // A Dockerfile is read anew whenever more is known of its bases; once is enough for people.
        let is_new = self.warned.lock().map_or(true, |mut warned| warned.insert(message.to_owned()));
        if is_new {
            self.say("warning", AnsiColor::Yellow, message);
        }
    }

    fn note(&self, message: &str) {
        if !self.quiet {
            self.say("note", AnsiColor::Green, message);
        }
    }
}
