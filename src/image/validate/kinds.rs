//! What kind of document it is: the one that its descriptor says, and no other (rule V4).

use super::fields::Fields;
use crate::escape;
use crate::image::findings::Findings;

/// The version of all documents of today.
pub(super) fn schema_version(fields: &Fields<'_>, object: &str, findings: &mut Findings) {
    if let Some(version) = fields.required_integer("V4", "schemaVersion", findings).filter(|version| *version != 2) {
        findings.violation("V4", format!("{object} schemaVersion"), format!("expected 2, found {version}"));
    }
}

/// No member of another kind of document (CVE-2021-41190).
pub(super) fn one_kind(fields: &Fields<'_>, object: &str, others: &[&str], findings: &mut Findings) -> bool {
    let found: Vec<_> = others.iter().filter(|name| fields.has(name)).map(|name| format!("`{name}`")).collect();
    if !found.is_empty() {
        let what = format!("{} belongs to another kind of document than its descriptor says", found.join(", "));
        findings.violation("V4", object, what);
    }
    found.is_empty()
}

/// The document and its descriptor say different things.
pub(super) fn differing_types(object: &str, inner: &str, outer: &str, findings: &mut Findings) {
    let (inner, outer) = (escape::text(inner), escape::text(outer));
    findings.violation("V4", object, format!("`mediaType` inside is `{inner}`, the descriptor says `{outer}`"));
}
