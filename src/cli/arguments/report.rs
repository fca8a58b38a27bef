//! `repro report`, as typed.

use std::path::PathBuf;

use clap::Args;

/// `repro report`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  repro diff first.tar second.tar --format json > diff.json
  repro report diff.json -o diff.html -o diff.md      a page for a browser and a comment for a pull request
  repro report diff.json --all                        the text that `repro diff` prints")]
pub struct ReportFile {
    /// A document that `repro diff --format json` printed
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Write a report: FILE ends with `.html`, `.md`, `.xml` (JUnit) or `.json`; without it the text is printed
    #[arg(short, long, value_name = "FILE")]
    pub output: Vec<PathBuf>,
    /// Tell every place, not the first ones of each cause
    #[arg(long)]
    pub all: bool,
}
