//! One statement of a file as a document of its own, for readers that take a single envelope or a sigstore bundle.

use std::path::PathBuf;

use super::super::machine::Machine;
use super::error::AttestError;
use super::gather::{AttestSources, gather};
use crate::attest::bundle;
use crate::attest::envelope::Envelope;
use crate::attest::line::{Content, line_limits};
use crate::attest::statement::Statement;
use crate::status::Failure;
use crate::store;

/// Which statement is taken out, and in what form.
#[derive(Clone, Debug)]
pub struct AttestExtractOptions {
    /// Files of attestations.
    pub files: Vec<PathBuf>,
    /// The predicate type.
    pub predicate_type: &'static str,
    /// The line, counted over all files from 1; none where there is only one such statement.
    pub line: Option<usize>,
    /// Whether it becomes a sigstore bundle.
    pub is_bundle: bool,
    /// The file that gets it; none for stdout.
    pub output: Option<PathBuf>,
}

/// Takes a signed statement out of files; gives the document where no file was named.
pub fn attest_extract(machine: &Machine, options: &AttestExtractOptions) -> Result<Option<Vec<u8>>, Failure> {
    let mut found: Vec<(String, Envelope)> = Vec::new();
    let mut count = 0;
    let sources = AttestSources { files: options.files.clone(), from: Vec::new() };
    gather(machine, &sources, &[], &mut |gathered| {
        for (place, line) in gathered {
            count += 1;
            let Content::Envelope(envelope) = line.content else { continue };
            let statement = Statement::parse(&envelope.payload, &line_limits(&machine.limits));
            let is_signed = !envelope.signatures.is_empty();
            let is_meant = is_signed && options.line.is_none_or(|line| line == count);
            if is_meant && statement.is_ok_and(|statement| statement.predicate_type == options.predicate_type) {
                found.push((place, envelope));
            }
        }
    })?;
    let envelope = match &found[..] {
        [(_, envelope)] => envelope,
        several => {
            let places = several.iter().take(16).map(|(place, _)| place.clone()).collect();
            return Err(AttestError::NotOne { found: several.len(), wanted: options.predicate_type, places }.into());
        }
    };
    let mut document = match options.is_bundle {
        false => envelope.to_line(),
        true => bundle::of(envelope).ok_or_else(|| AttestError::NotSignable {
            place: found[0].0.clone(),
            reason: format!("{} signatures, a bundle has one", envelope.signatures.len()),
        })?,
    };
    document.push(b'\n');
    match &options.output {
        None => Ok(Some(document)),
        Some(output) => {
            store::replace_file(&machine.resolve(output), &document)?;
            Ok(None)
        }
    }
}
