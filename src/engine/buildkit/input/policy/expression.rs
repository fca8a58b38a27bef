//! Identifiers as RE2 expressions and their replacements.

/// The RE2 expression that matches `text` and nothing else.
pub fn anchored(text: &str) -> String {
    format!("^{}$", quoted(text))
}

/// The RE2 expression that matches the beginning of everything that begins like the first `common` bytes of `prefix` and
/// not with all of it.
pub fn unlike(prefix: &str, common: usize) -> String {
    let each = prefix.char_indices().filter(|(at, _)| *at >= common).map(|(at, c)| {
        let before = quoted(&prefix[..at]);
        // What ends too early is unlike, too.
        format!("{before}(?:[^{}]|$)", quoted(c.encode_utf8(&mut [0; 4])))
    });
    each.collect::<Vec<_>>().join("|")
}

/// The RE2 expression of `text` itself.
pub fn quoted(text: &str) -> String {
    let mut expression = String::new();
    for c in text.chars() {
        if r"\.+*?()|[]{}^$".contains(c) {
            expression.push('\\');
        }
        expression.push(c);
    }
    expression
}

/// The replacement that stands for `text` literally.
pub fn template(text: &str) -> String {
    text.replace('$', "$$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_quoted_for_re2() {
        assert_eq!(anchored(r"a.b+c*d?(e)|[f]{g}^$\"), r"^a\.b\+c\*d\?\(e\)\|\[f\]\{g\}\^\$\\$");
        assert_eq!(template("a$1"), "a$$1");
    }
}
