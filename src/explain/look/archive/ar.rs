//! Static libraries and packages in `ar` form.

use super::super::bounds::{Bounds, LookError};
use super::super::cursor::Cursor;
use super::super::pair::{Found, Inner, Pair};
use super::super::reason::Reason;
use crate::explain::causes::Proof;

const MAGIC: &[u8] = b"!<arch>\n";
/// Members that index the others.
const INDEXES: &[&[u8]] = &[b"/", b"/SYM64/", b"__.SYMDEF", b"__.SYMDEF SORTED"];

struct Member<'a> {
    /// As the header has it, or from the table of long names.
    name: &'a [u8],
    /// Date, owner, group and mode: what C085 names.
    named: &'a [u8],
    content: &'a [u8],
    padding: &'a [u8],
}

/// C085 for dates, owners and modes in the heads of members; members whose bytes differ are looked into.
pub(super) fn look(pair: &Pair<'_>, _: &mut Bounds<'_>) -> Result<Option<Found>, LookError> {
    if !pair.start_with(MAGIC) {
        return Ok(None);
    }
    let Some([first, second]) = pair.parsed(members) else { return Ok(None) };
    let are_alike = first.len() == second.len()
        && first.iter().zip(&second).all(|(one, other)| (one.name, one.padding) == (other.name, other.padding));
    if !are_alike {
        return Ok(None);
    }
    let mut found = Found::default();
    if first.iter().zip(&second).any(|(one, other)| one.named != other.named) {
        found.reasons.push(Reason::new("C085", Proof::Proven));
    }
    for (one, other) in first.iter().zip(&second).filter(|(one, other)| one.content != other.content) {
        let name = one.name.strip_suffix(b"/").filter(|name| !name.is_empty()).unwrap_or(one.name).to_vec();
        found.inside.push(Inner { name, first: one.content.to_vec(), second: other.content.to_vec() });
    }
    if found.inside.iter().any(|inner| !is_index(&inner.name)) {
        // An index follows the members.
        found.inside.retain(|inner| !is_index(&inner.name));
    }
    Ok((!found.reasons.is_empty() || !found.inside.is_empty()).then_some(found))
}

fn is_index(name: &[u8]) -> bool {
    INDEXES.iter().any(|index| *index == name || index.strip_suffix(b"/") == Some(name))
}

fn members(bytes: &[u8]) -> Option<Vec<Member<'_>>> {
    let mut cursor = Cursor::from(bytes, MAGIC.len())?;
    let mut members = Vec::new();
    let mut long_names: &[u8] = b"";
    while !cursor.rest().is_empty() {
        let head = cursor.take(60)?;
        if !head.ends_with(b"`\n") {
            return None;
        }
        let size: usize = std::str::from_utf8(&head[48..58]).ok()?.trim_end().parse().ok()?;
        let content = cursor.take(size)?;
        let padding = if size % 2 == 1 { cursor.take(cursor.rest().len().min(1))? } else { b"" };
        let mut name = head[..16].trim_ascii_end();
        if name == b"//" {
            long_names = content;
        } else if let Some(at) =
            name.strip_prefix(b"/").and_then(|at| std::str::from_utf8(at).ok()?.parse::<usize>().ok())
        {
            name = Cursor::from(long_names, at)?.until(b'\n')?;
        }
        members.push(Member { name, named: &head[16..48], content, padding });
    }
    Some(members)
}

#[cfg(test)]
mod tests {
    use crate::explain::look::told;

    fn library(date: &str, mode: &str, members: &[(&str, &str)]) -> Vec<u8> {
        let mut out = b"!<arch>\n".to_vec();
        for (name, content) in members {
            let size = content.len();
            out.extend(format!("{name:<16}{date:<12}{:<6}{:<6}{mode:<8}{size:<10}`\n{content}", 0, 0).bytes());
            out.extend(std::iter::repeat_n(b'\n', size % 2));
        }
        out
    }

    #[test]
    fn heads_are_named_and_members_are_looked_into() {
        let members = [("a.o/", "one"), ("b.o/", "two!")];
        let base = library("5", "100644", &members);
        for (other, want) in [
            (library("6", "100644", &members), "C085 Proven"),
            (library("5", "100600", &members), "C085 Proven"),
            (library("6", "100644", &[("a.o/", "one"), ("b.o/", "twi!")]), "C120 Possible b.o"),
            (library("6", "100644", &[("b.o/", "two!"), ("a.o/", "one")]), "C120 Possible"),
            (library("6", "100644", &[("a.o/", "one"), ("c.o/", "two!")]), "C120 Possible"),
            (library("6", "100644", &members[..1]), "C120 Possible"),
        ] {
            assert_eq!(told("usr/lib/lib.a", &base, &other), want);
        }
    }

    #[test]
    fn long_names_count_and_an_index_follows_its_members() {
        let library = |names: &str, index: &str, content: &str| {
            library("0", "644", &[("/", index), ("//", names), ("/0", content)])
        };
        let base = library("a-long-name-of-a-member.o/\n", "1234", "x");
        assert_eq!(
            told("l.a", &base, &library("a-long-name-of-a-member.o/\n", "1235", "y")),
            "C120 Possible a-long-name-of-a-member.o"
        );
        assert_eq!(told("l.a", &base, &library("a-long-name-of-a-mumber.o/\n", "1234", "x")), "C120 Possible");
        assert_eq!(told("l.a", &base, &library("a-long-name-of-a-member.o/\n", "1235", "x")), "C120 Possible /");
    }
}
