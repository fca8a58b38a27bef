//! What tools note about their own work: logs, caches, stamps. Known by their paths; proven where only dates differ.

use std::ops::Range;

use super::by_path::ByPath;
use super::mask::equal_outside;
use super::pair::{Found, Pair};
use super::text::{Also, pieces};

/// Files by their paths, with the cause.
static FILES: ByPath<&str> = ByPath::new(&[
    ("/**/var/log/apt/**", "C061"),
    ("/**/var/log/dpkg.log", "C061"),
    ("/**/var/log/alternatives.log", "C061"),
    ("/**/var/log/bootstrap.log", "C061"),
    ("/**/var/log/fontconfig.log", "C061"),
    ("/**/var/log/dnf*", "C061"),
    ("/**/var/log/yum.log", "C061"),
    ("/**/var/log/hawkey.log", "C061"),
    ("/**/var/log/pacman.log", "C061"),
    ("/**/var/log/apk.log", "C061"),
    ("/**/var/log/zypper.log", "C061"),
    ("/**/var/log/zypp/history", "C061"),
    ("/**/var/cache/apt/pkgcache.bin", "C062"),
    ("/**/var/cache/apt/srcpkgcache.bin", "C062"),
    ("/**/var/lib/apt/lists/**", "C063"),
    ("/**/history.sqlite", "C067"),
    ("/**/history.sqlite-shm", "C067"),
    ("/**/history.sqlite-wal", "C067"),
    ("/**/transaction_history.sqlite", "C067"),
    ("/**/transaction_history.sqlite-shm", "C067"),
    ("/**/transaction_history.sqlite-wal", "C067"),
    ("/**/countme", "C067"),
    ("/**/var/cache/dnf/**", "C067"),
    ("/**/var/cache/libdnf5/**", "C067"),
    ("/**/var/lib/dnf/**", "C067"),
    ("/**/fontconfig/*.cache-*", "C072"),
    ("/**/fontconfig/.uuid", "C072"),
    ("/**/usr/share/fonts/**/.uuid", "C072"),
    ("/**/usr/share/mime/mime.cache", "C073"),
    ("/**/icon-theme.cache", "C073"),
    ("/**/gschemas.compiled", "C073"),
    ("/**/gdk-pixbuf-2.0/*/loaders.cache", "C073"),
    ("/**/gtk-*/*/immodules.cache", "C073"),
    ("/**/usr/lib/locale/locale-archive", "C073"),
    ("/**/var/cache/man/**/index.db", "C073"),
    ("/**/var/cache/man/index.db", "C073"),
    ("/**/etc/.updated", "C078"),
    ("/**/var/.updated", "C078"),
    ("/**/perllocal.pod", "C078"),
    ("/**/conda-meta/history", "C078"),
    ("/**/.wget-hsts", "C078"),
    ("/**/.npm/_logs/**", "C078"),
    ("/**/resolver-status.properties", "C078"),
    ("/**/tmp/hsperfdata_*/*", "C078"),
    ("/**/etc/mdadm/mdadm.conf", "C079"),
    ("/**/etc/aliases.db", "C079"),
    ("/**/var/lib/rkhunter/db/**", "C079"),
    ("/**/node-compile-cache/**", "C092"),
    ("/**/go/telemetry/**", "C093"),
    ("/**/node_modules/.modules.yaml", "C094"),
    ("/**/node_modules/.pnpm-workspace-state*.json", "C094"),
    ("/**/pnpm/pnpm-state.json", "C094"),
    ("/**/pnpm/store/v*/index/**", "C094"),
    ("/**/pnpm/store/v*/index.db", "C094"),
    ("/**/.cache/pnpm/**", "C094"),
    ("/**/var/lib/zypp/AutoInstalled", "C095"),
]);
const FONT_CACHES: &[&[u8]] = &[b"\x04\xfc\x02\xfc", b"\xfc\x02\xfc\x04"];
/// The file id in a page of a Berkeley DB hash that describes one, which is made of its inode and the time.
const FILE_ID: Range<usize> = 52..78;
/// Where such a page gives its size; the first describes the file, the third the one table in it.
const PAGE_SIZE: Range<usize> = 20..24;
/// The key under which postfix notes when it made the table. Ten digits and one byte stand before it.
const MADE: &[u8] = b"YP_LAST_MODIFIED";
/// Causes of files that a program reads: only the bytes themselves can prove them.
const STRICT: &[&str] = &["C079", "C095"];
const ALL_DATES: Also = Also { times: true, numbers: true };

/// The cause of a file with that path.
pub(super) fn code(path: &[u8]) -> Option<&'static str> {
    FILES.first(path).copied()
}

/// The cause that the path names; proven where only dates differ.
pub(super) fn look(pair: &Pair<'_>) -> Option<Found> {
    let code = code(pair.path)?;
    let is_font_cache = |content: &[u8]| FONT_CACHES.iter().any(|magic| content.starts_with(magic));
    let is_uuid = pair.name() == b".uuid";
    if code == "C072" && !is_uuid && !pair.both().into_iter().all(is_font_cache) {
        return None;
    }
    if code == "C063" && pair.has_suffix(&["Release"]) {
        let [first, second] = pair.both().map(date_of_release);
        return (first.is_some() && second.is_some() && first != second).then(|| Found::proven(code));
    }
    let is_text = pair.both().iter().all(|content| !content.contains(&0));
    let differs_by_date = is_text && pieces(pair.first, ALL_DATES) == pieces(pair.second, ALL_DATES);
    if differs_by_date || pair.name() == b"aliases.db" && equal_outside(pair.first, pair.second, &stamps(pair.first)) {
        return Some(Found::proven(code));
    }
    (!STRICT.contains(&code)).then(|| Found::likely(code))
}

/// Where postfix's table of aliases holds what follows from when and where it was made.
fn stamps(table: &[u8]) -> Vec<Range<usize>> {
    let size = table.get(PAGE_SIZE).and_then(|size| Some(u32::from_le_bytes(size.try_into().ok()?)));
    let third = size.and_then(|size| usize::try_from(size).ok()?.checked_mul(2)).unwrap_or_default();
    let inner = third.checked_add(FILE_ID.start).zip(third.checked_add(FILE_ID.end));
    let made = table.windows(MADE.len()).position(|part| part == MADE).and_then(|at| Some(at.checked_sub(11)?..at - 1));
    [Some(FILE_ID), inner.map(|(start, end)| start..end), made].into_iter().flatten().collect()
}

fn date_of_release(content: &[u8]) -> Option<&[u8]> {
    content.split(|&byte| byte == b'\n').find_map(|line| line.strip_prefix(b"Date:"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::explain::look::told;

    #[test]
    fn every_pattern_can_be_read() {
        assert!(FILES.unreadable().is_empty());
    }

    #[test]
    fn dates_in_a_log_are_proven_and_the_rest_is_likely() {
        for (path, first, second, want) in [
            ("var/log/dpkg.log", "2023-11-14 22:13:20 install a\n", "2023-11-15 08:01:02 install a\n", "C061 Proven"),
            ("var/log/dpkg.log", "2023-11-14 22:13:20 install a\n", "2023-11-15 08:01:02 install b\n", "C061 Likely"),
            ("var/cache/apt/pkgcache.bin", "\0a", "\0b", "C062 Likely"),
            ("var/lib/apt/lists/x_Release", "Date: a\nS: 1\n", "Date: b\nS: 2\n", "C063 Proven"),
            ("var/lib/apt/lists/x_Release", "Date: a\nS: 1\n", "Date: a\nS: 2\n", "C120 Possible"),
            ("var/lib/apt/lists/x_Packages", "P: a\n", "P: b\n", "C063 Likely"),
            ("var/cache/fontconfig/0-le64.cache-9", "\u{4}\u{fc}", "x", "C120 Possible"),
            ("root/.wget-hsts", "a\t0\t1\t1700000000\t5\n", "a\t0\t1\t1700086400\t5\n", "C078 Proven"),
            ("root/.wget-hsts", "a\t0\t1\t1700000000\t5\n", "b\t0\t1\t1700086400\t5\n", "C078 Likely"),
            ("tmp/node-compile-cache/v24-x64/1/a", "\0a", "\0b", "C092 Likely"),
            ("etc/mdadm/mdadm.conf", "# made 2023-11-14\nA x\n", "# made 2023-11-15\nA x\n", "C079 Proven"),
            ("etc/mdadm/mdadm.conf", "# made 2023-11-14\nA x\n", "# made 2023-11-15\nA y\n", "C120 Possible"),
            ("tmp/hsperfdata_root/7", "\0a", "\0b", "C078 Likely"),
            ("opt/dpkg.log", "2023-11-14 a\n", "2023-11-15 a\n", "C087 Likely"),
        ] {
            assert_eq!(told(path, first.as_bytes(), second.as_bytes()), want, "{path} {second}");
        }
    }

    #[test]
    fn a_table_of_aliases_is_benign_but_for_its_aliases() {
        let table = |id: u8, made: &str, target: &str| {
            let mut table = vec![0; 1536];
            table[PAGE_SIZE].copy_from_slice(&512_u32.to_le_bytes());
            for page in [0, 1024] {
                table[page + FILE_ID.start..page + FILE_ID.start + 20].fill(id);
            }
            let end = [target, "\u{1}postmaster\u{1}", made, "\u{1}YP_LAST_MODIFIED"].concat();
            table[1024 - end.len()..1024].copy_from_slice(end.as_bytes());
            table
        };
        let base = table(1, "1700000000", "root");
        for (other, want) in
            [(table(2, "1700086400", "root"), "C079 Proven"), (table(2, "1700086400", "evil"), "C120 Possible")]
        {
            assert_eq!(told("etc/aliases.db", &base, &other), want);
        }
    }
}
