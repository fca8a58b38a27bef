//! Tables by patterns of paths, as `scrub` reads them: each pattern is read once.

use std::sync::OnceLock;

use crate::scrub::Rule;

/// Rows that each belong to a pattern of paths; `/**/` at its start stands for the image's root and any root below it.
pub(crate) struct ByPath<T: 'static> {
    rows: &'static [(&'static str, T)],
    rules: OnceLock<Vec<Option<Rule>>>,
}

impl<T> ByPath<T> {
    /// The table with these rows.
    pub(crate) const fn new(rows: &'static [(&'static str, T)]) -> Self {
        Self { rows, rules: OnceLock::new() }
    }

    /// What belongs to the patterns that name the path, in the order of the table.
    pub(crate) fn all<'a>(&'a self, path: &'a [u8]) -> impl Iterator<Item = &'static T> + 'a {
        let rules = self.rules.get_or_init(|| self.rows.iter().map(|(pattern, _)| Rule::parse(pattern).ok()).collect());
        let rows = self.rows.iter().zip(rules);
        let named = rows.filter(move |(_, rule)| rule.as_ref().is_some_and(|rule| rule.matches(path)));
        named.map(|((_, value), _)| value)
    }

    /// What belongs to the first pattern that names the path.
    pub(crate) fn first(&self, path: &[u8]) -> Option<&'static T> {
        self.all(path).next()
    }

    /// The patterns that can't be read.
    #[cfg(test)]
    pub(crate) fn unreadable(&self) -> Vec<&'static str> {
        self.rows.iter().map(|(pattern, _)| *pattern).filter(|pattern| Rule::parse(pattern).is_err()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_row_whose_pattern_names_the_path_is_given() {
        static TABLE: ByPath<u8> = ByPath::new(&[("/**/etc/a", 1), ("/**/*.b", 2), ("/etc/*", 3), ("x", 4)]);
        assert_eq!(TABLE.unreadable(), ["x"]);
        for (path, want) in [("etc/a", &[1, 3][..]), ("root/etc/a", &[1]), ("etc/x.b", &[2, 3]), ("x", &[])] {
            assert_eq!(TABLE.all(path.as_bytes()).copied().collect::<Vec<u8>>(), want);
            assert_eq!(TABLE.first(path.as_bytes()), want.first());
        }
    }
}
