//! Arguments, labels and annotations that a manifest can hold.

use std::collections::BTreeMap;

use super::note::{Note, has_credentials};
use super::table::{Entry, Table};

/// Arguments that every build gets from the machine that it runs on.
const PROXIES: [&str; 5] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];

/// Puts the pairs into a table of the manifest (`args`, `labels`), but for those that its reader refuses, and those whose
/// value is nobody else's business: they are named, and their values never shown.
pub(super) fn put_pairs<'p>(
    table: &mut Table,
    notes: &mut Vec<Note>,
    key: &str,
    pairs: impl IntoIterator<Item = (&'p str, &'p str)>,
) {
    let mut kept = BTreeMap::new();
    for (name, value) in pairs {
        let shown = format!("{key}.{name}");
        let is_proxy = key == "args" && PROXIES.contains(&name.to_ascii_uppercase().as_str());
        if is_proxy {
            let why = "a proxy belongs to the machine, not to the image: not carried over, its value is not shown";
            notes.push(Note::new(shown, why));
            continue;
        }
        if has_credentials(value) {
            notes.push(Note::new(shown, "its value has credentials in an address: not carried over, and not shown"));
            continue;
        }
        let pair = Entry::Pairs(BTreeMap::from([(name.to_owned(), value.to_owned())]));
        match Table::of(key, pair).check() {
            Ok(()) => drop(kept.insert(name.to_owned(), value.to_owned())),
            Err(problem) => notes.push(Note::new(shown, format!("not carried over: {problem}"))),
        }
    }
    if !kept.is_empty() {
        table.put(key, Entry::Pairs(kept));
    }
}
