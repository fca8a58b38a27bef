//! Progress on stderr: bars on a terminal, nothing elsewhere; warnings and notes always.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{IsTerminal, stderr};
use std::sync::Mutex;
use std::time::Duration;

use anstyle::AnsiColor;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::report::error::label;
use crate::progress::Progress;

/// Draws what long work tells.
pub struct Terminal {
    quiet: bool,
    logs: bool,
    bars: MultiProgress,
    open: Mutex<BTreeMap<String, ProgressBar>>,
    warned: Mutex<BTreeSet<String>>,
}

impl Terminal {
    /// Bars and an engine's log appear on terminals; with `--verbose` the log appears everywhere.
    pub fn new(quiet: bool, verbose: u8) -> Self {
        let terminal = stderr().is_terminal() && !quiet;
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self {
            quiet,
            logs: !quiet && (terminal || verbose > 0),
            bars: MultiProgress::with_draw_target(target),
            open: Mutex::default(),
            warned: Mutex::default(),
        }
    }

    /// Removes all bars.
    pub fn clear(&self) {
        if let Ok(mut open) = self.open.lock() {
            open.clear();
        }
        // Drawing failed, then there is nothing to clear.
        let _ = self.bars.clear();
    }

    fn say(&self, name: &str, color: AnsiColor, message: &str) {
        self.bars.suspend(|| label(name, color, message));
    }
}

impl Progress for Terminal {
    fn step(&self, what: &str, done: u64, total: Option<u64>) {
        // A bar that nobody sees would tick all the same, on a thread of its own.
        if self.bars.is_hidden() {
            return;
        }
        let Ok(mut open) = self.open.lock() else { return };
        let bar = open.entry(what.to_owned()).or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new_spinner());
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
        self.step(what, 0, None);
        if let Ok(open) = self.open.lock()
            && let Some(bar) = open.get(what)
        {
            bar.set_message(format!("{what}: {state}"));
        }
    }

    fn end(&self, what: &str) {
        if let Ok(mut open) = self.open.lock()
            && let Some(bar) = open.remove(what)
        {
            bar.finish_and_clear();
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
