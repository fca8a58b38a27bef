//! What attestations say, whoever signed them.

use super::super::machine::Machine;
use super::gather::{AttestSources, gather};
use crate::attest::built::{self, Built};
use crate::attest::line::{Content, line_limits};
use crate::attest::statement::{Statement, Subject};
use crate::attest::summary::{self, Summary};
use crate::digest::Digest;
use crate::status::Failure;

/// What one line says.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Where it stands.
    pub place: String,
    /// What its signatures name their keys by, which nobody checked; none where it is not signed.
    pub signed_by: Option<Vec<Option<String>>>,
    /// Digest of the statement's bytes.
    pub payload: Option<Digest>,
    /// What it is about.
    pub subjects: Vec<Subject>,
    /// The predicate type.
    pub predicate_type: Option<String>,
    /// What the predicate says.
    pub predicate: Option<ShownPredicate>,
    /// Why nothing more is told.
    pub refused: Option<String>,
}

/// What a predicate says.
#[derive(Clone, Debug)]
pub enum ShownPredicate {
    /// A verification summary.
    Summary(Summary),
    /// A provenance, also one of BuildKit.
    Provenance(Built),
}

/// Reads attestations, without asking who signed them; where images are, those of every image.
pub fn attest_show(machine: &Machine, sources: &AttestSources) -> Result<Vec<Shown>, Failure> {
    let mut all = Vec::new();
    let asked = sources.images(machine)?;
    gather(machine, sources, &asked, &mut |gathered| {
        all.extend(gathered.into_iter().map(|(place, line)| shown(place, line.content, machine)));
    })?;
    Ok(all)
}

fn shown(place: String, content: Content, machine: &Machine) -> Shown {
    let empty = Shown {
        place,
        signed_by: None,
        payload: None,
        subjects: Vec::new(),
        predicate_type: None,
        predicate: None,
        refused: None,
    };
    let (signed_by, payload) = match content {
        Content::Envelope(envelope) => {
            let signed_by = envelope.signatures.into_iter().map(|signature| signature.key_id).collect();
            (Some(signed_by), envelope.payload)
        }
        Content::Statement(payload) => (None, payload),
        Content::Refused(reason) => return Shown { refused: Some(reason.to_string()), ..empty },
        Content::Unrecognised => return Shown { refused: Some("no attestation".to_owned()), ..empty },
    };
    let known = Shown { signed_by, payload: Some(Digest::of(&payload)), ..empty };
    let statement = match Statement::parse_shown(&payload, &line_limits(&machine.limits)) {
        Ok(statement) => statement,
        Err(error) => return Shown { refused: Some(error.to_string()), ..known },
    };
    let (predicate, refused) = match statement.predicate_type.as_str() {
        summary::TYPE => match Summary::read(&statement.predicate) {
            Ok(summary) => (Some(ShownPredicate::Summary(summary)), None),
            Err(error) => (None, Some(error.to_string())),
        },
        kind if kind.starts_with(built::TYPES) => {
            (Some(ShownPredicate::Provenance(Built::read(&statement.predicate))), None)
        }
        _ => (None, None),
    };
    Shown { subjects: statement.subjects, predicate_type: Some(statement.predicate_type), predicate, refused, ..known }
}
