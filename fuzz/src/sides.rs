//! What the fuzz target does with two lockfiles: the merge of both, and that it takes nothing from elsewhere.

use repro::parts::lockfile::{Lockfile, Merged, Pin, Side, merge};

/// Two lockfiles between which stands a NUL.
pub fn sides(data: &[u8]) {
    let limits = super::limits();
    let mut parts = data.splitn(2, |byte| *byte == 0).map(std::str::from_utf8);
    let (Some(Ok(ours)), Some(Ok(theirs))) = (parts.next(), parts.next()) else { return };
    let (Ok(one), Ok(other)) = (Lockfile::parse(ours, &limits), Lockfile::parse(theirs, &limits)) else { return };
    let conflict = |one: &Lockfile, other: &Lockfile| {
        format!("<<<<<<< ours\n{}=======\n{}>>>>>>> theirs\n", one.to_text(), other.to_text())
    };
    let same = merge(&conflict(&one, &one), None, &limits).expect("one lockfile on both sides");
    assert!(same.dropped_records.is_empty() || has_outdated_record(&one), "{:?}", same.dropped_records);
    let take = |side| merge(&conflict(&one, &other), Some(side), &limits).expect("a side was chosen");
    let (by_ours, by_theirs) = (take(Side::Ours), take(Side::Theirs));
    let turned = merge(&conflict(&other, &one), Some(Side::Theirs), &limits).expect("a side was chosen");
    let facts = |lockfile: &Lockfile| (lockfile.buildkit.clone(), lockfile.sources.clone(), lockfile.images.clone());
    assert_eq!(facts(&turned.lockfile), facts(&by_ours.lockfile), "the same choice, whichever stands first");
    assert_eq!(by_ours.chosen.len(), by_theirs.chosen.len());
    assert_eq!(merge(&conflict(&one, &other), None, &limits).is_err(), !by_ours.chosen.is_empty());
    for merged in [&by_ours, &by_theirs] {
        check(merged, &one, &other);
    }
}

/// What is in a merge comes from one of its sides, and can be read again.
fn check(merged: &Merged, one: &Lockfile, other: &Lockfile) {
    let limits = super::limits();
    let lockfile = &merged.lockfile;
    assert_eq!(Lockfile::parse(&lockfile.to_text(), &limits).expect("what was written"), *lockfile);
    let results = |lockfile: &Lockfile| lockfile.sources.iter().map(Pin::result).collect::<Vec<_>>();
    let known = [results(one), results(other)].concat();
    assert!(results(lockfile).iter().all(|result| known.contains(result)), "a pin from nowhere");
    for (name, image) in &lockfile.images {
        let Some(record) = &image.record else { continue };
        let of = |side: &Lockfile| side.images.get(name).and_then(|image| image.record.clone());
        let records = [of(one), of(other)];
        assert!(
            records.iter().all(|known| known.as_ref().is_none_or(|known| known == record)),
            "a record that differs"
        );
        assert_eq!(lockfile.pins_digest(name), Some(record.pins), "a record of other pins");
    }
}

fn has_outdated_record(lockfile: &Lockfile) -> bool {
    let records = lockfile.images.iter().filter_map(|(name, image)| Some((name, image.record.as_ref()?)));
    records.into_iter().any(|(name, record)| lockfile.pins_digest(name) != Some(record.pins))
}
