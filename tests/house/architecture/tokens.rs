//! Rust's text as words and signs: without comments, what strings hold, and items for tests only.

/// The tokens of a file. A string is `""`, a path's separator `::`, everything else a word or one character.
pub fn tokens(code: &str) -> Vec<String> {
    let text: Vec<char> = code.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let next = |ahead: usize| text.get(at + ahead).copied().unwrap_or(' ');
        match text[at] {
            '/' if next(1) == '/' => at += text[at..].iter().take_while(|c| **c != '\n').count(),
            '/' if next(1) == '*' => at = after(&text, at + 2, &['*', '/']),
            '"' => {
                at = string(&text, at + 1);
                tokens.push("\"\"".to_owned());
            }
            '\'' if next(1) == '\\' => at = after(&text, at + 3, &['\'']),
            '\'' if next(2) == '\'' => at += 3,
            ':' if next(1) == ':' => {
                tokens.push("::".to_owned());
                at += 2;
            }
            c if c.is_alphanumeric() || c == '_' => {
                let word: String = text[at..].iter().take_while(|c| c.is_alphanumeric() || **c == '_').collect();
                at += word.chars().count();
                let marks = text[at..].iter().take_while(|c| **c == '#').count();
                match (word.as_str(), text.get(at + marks)) {
                    ("r" | "br", Some('"')) => {
                        let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', marks)).collect();
                        at = after(&text, at + marks + 1, &end);
                        tokens.push("\"\"".to_owned());
                    }
                    _ => tokens.push(word),
                }
            }
            c => {
                if !c.is_whitespace() {
                    tokens.push(c.to_string());
                }
                at += 1;
            }
        }
    }
    without_tests(&tokens)
}

/// The place behind the next `end`.
fn after(text: &[char], from: usize, end: &[char]) -> usize {
    (from..text.len()).find(|at| text[*at..].starts_with(end)).map_or(text.len(), |at| at + end.len())
}

fn string(text: &[char], mut at: usize) -> usize {
    while at < text.len() && text[at] != '"' {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

const FOR_TESTS: [&str; 7] = ["#", "[", "cfg", "(", "test", ")", "]"];

/// Leaves out what follows `#[cfg(test)]`, up to its last brace or its semicolon.
fn without_tests(tokens: &[String]) -> Vec<String> {
    let mut left = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !tokens[at..].iter().map(String::as_str).take(FOR_TESTS.len()).eq(FOR_TESTS) {
            left.push(tokens[at].clone());
            at += 1;
            continue;
        }
        at += FOR_TESTS.len();
        let mut depth = 0;
        while at < tokens.len() {
            at += 1;
            match tokens[at - 1].as_str() {
                "{" | "[" | "(" => depth += 1,
                closing @ ("}" | "]" | ")") => {
                    depth -= 1;
                    if depth == 0 && closing == "}" {
                        break;
                    }
                }
                ";" if depth == 0 => break,
                _ => {}
            }
        }
    }
    left
}

#[test]
fn comments_strings_and_tests_are_left_out() {
    let code = r####"
        use a::b; // crate::c
        /* crate::d */ fn f<'x>() { g("crate::e \" {", r#"crate::f"#, '"', '\'', b'{'); }
        #[cfg(test)]
        mod tests { fn h() { crate::i() } }
        #[cfg(test)]
        mod more;
        fn j() {}
    "####;
    let text = tokens(code).join(" ");
    assert_eq!(text, "use a :: b ; fn f < ' x > ( ) { g ( \"\" , \"\" , , , b ) ; } fn j ( ) { }");
}
