//! Options among the words of a command.

use super::command::{Command, Word};

impl Command {
    /// The words that are no options, values of options among them.
    pub fn operands(&self) -> impl Iterator<Item = &Word> {
        let mut ended = false;
        self.words.iter().filter(move |word| {
            let was_ended = ended;
            ended |= word.text() == "--";
            was_ended || !word.is_option() && word.text() != "--"
        })
    }

    /// The words that are no options and no values of these options, which take the next word.
    pub fn operands_without(&self, values: &[&str]) -> Vec<&Word> {
        let mut found = Vec::new();
        let (mut skip, mut ended) = (false, false);
        for word in &self.words {
            let text = word.text();
            if std::mem::take(&mut skip) {
                continue;
            }
            if ended || !word.is_option() {
                found.push(word);
            } else if text == "--" {
                ended = true;
            } else {
                skip = values.contains(&text) || last_takes_value(text, values);
            }
        }
        found
    }

    /// The first word that is no option and no value of these options: the subcommand.
    pub fn subcommand(&self, values: &[&str]) -> &str {
        self.operands_without(values).first().map_or("", |word| word.text())
    }

    /// It has the long option, with or without `=value`.
    pub fn long(&self, name: &str) -> bool {
        self.long_word(name).is_some()
    }

    fn long_word(&self, name: &str) -> Option<usize> {
        let is =
            |word: &Word| word.text().strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
        self.before_end().position(is)
    }

    /// It has one of the long options.
    pub fn any_long(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.long(name))
    }

    /// The value of an option, from the same word or the next; `name` is `-x` or `--xyz`.
    pub fn value(&self, name: &str) -> Option<&Word> {
        let at = self.before_end().position(|word| word.text() == name)?;
        self.words.get(at + 1)
    }

    /// The value of an option as text: `--name value`, `--name=value`, `-n value`, `-nvalue`.
    pub fn text_of(&self, names: &[&str]) -> Option<&str> {
        for name in names {
            if let Some(word) = self.value(name) {
                return Some(word.text());
            }
            let joined = |word: &'_ Word| -> Option<usize> {
                let rest = word.text().strip_prefix(name)?;
                match name.starts_with("--") {
                    true => rest.starts_with('=').then_some(name.len() + 1),
                    false => (!rest.is_empty()).then_some(name.len()),
                }
            };
            if let Some((word, cut)) = self.before_end().find_map(|word| joined(word).map(|cut| (word, cut))) {
                return Some(&word.text()[cut..]);
            }
        }
        None
    }

    /// It has the short option, alone or in a cluster; the letters in `takes` end a cluster with their value.
    pub fn short(&self, letter: char, takes: &str) -> bool {
        self.before_end().any(|word| has_letter(word.text(), letter, takes))
    }

    /// It has this very word.
    pub fn word(&self, text: &str) -> bool {
        self.words.iter().any(|word| word.text() == text)
    }

    /// The words before `--`.
    fn before_end(&self) -> impl Iterator<Item = &Word> {
        self.words.iter().take_while(|word| word.text() != "--")
    }

    /// The command in one line, for messages: the name and its first operand.
    pub fn brief(&self, values: &[&str]) -> String {
        let sub = self.subcommand(values);
        if sub.is_empty() { self.name.clone() } else { format!("{} {sub}", self.name) }
    }
}

fn has_letter(text: &str, letter: char, takes: &str) -> bool {
    let Some(cluster) = text.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else { return false };
    for each in cluster.chars() {
        if each == letter {
            return true;
        }
        if takes.contains(each) || !each.is_ascii_alphanumeric() {
            return false;
        }
    }
    false
}

/// `-qo`: a cluster whose last letter takes the next word.
fn last_takes_value(text: &str, values: &[&str]) -> bool {
    let Some(cluster) = text.strip_prefix('-').filter(|rest| !rest.starts_with('-') && rest.len() > 1) else {
        return false;
    };
    let plain = cluster.chars().all(|c| c.is_ascii_alphabetic());
    plain
        && cluster.chars().last().is_some_and(|last| {
            values.iter().any(|value| value.strip_prefix('-') == Some(last.encode_utf8(&mut [0; 4])))
        })
        && !cluster
            .chars()
            .rev()
            .skip(1)
            .any(|each| values.iter().any(|value| value.strip_prefix('-') == Some(each.encode_utf8(&mut [0; 4]))))
}
