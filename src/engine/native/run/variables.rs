//! The variables of a stage as RUN sees them: ENV and ARG in one list, in the order in which they were last set.

use crate::dockerfile::target::{Action, SETTINGS};

/// The variables of one stage after its instructions so far.
#[derive(Clone, Debug, Default)]
pub(in crate::engine::native) struct Variables {
    set: Vec<(Vec<u8>, Vec<u8>)>,
    /// Arguments in the order in which they were declared, with the value they were given then.
    declared: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Variables {
    /// The variables of an image's config.
    pub(in crate::engine::native) fn of_config<T: AsRef<[u8]>>(env: &[T]) -> Self {
        let mut variables = Self::default();
        for item in env {
            let item = item.as_ref();
            let end = item.iter().position(|byte| *byte == b'=').unwrap_or(item.len());
            variables.set(&item[..end], item.get(end + 1..).unwrap_or_default());
        }
        variables
    }

    /// Takes over what an instruction sets.
    pub(in crate::engine::native) fn apply(&mut self, action: &Action) {
        match action {
            Action::Env(pairs) => pairs.iter().for_each(|(name, value)| self.set(name.as_bytes(), value.as_bytes())),
            Action::Arg(arguments) => {
                for (name, value) in arguments {
                    let Some(value) = value else { continue };
                    if !SETTINGS.iter().any(|setting| setting.as_bytes() == &**name) {
                        self.set(name, value.as_bytes());
                    }
                    self.declare(name, value.as_bytes());
                }
            }
            _ => {}
        }
    }

    /// Sets a variable, which moves it to the end.
    pub(super) fn set(&mut self, name: &[u8], value: &[u8]) {
        self.set.retain(|(known, _)| known != name);
        self.set.push((name.to_vec(), value.to_vec()));
    }

    /// Sets a variable that is not there.
    pub(super) fn set_default(&mut self, name: &[u8], value: &[u8]) {
        if self.get(name).is_none() {
            self.set(name, value);
        }
    }

    fn get(&self, name: &[u8]) -> Option<&[u8]> {
        self.set.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_slice())
    }

    fn declare(&mut self, name: &[u8], value: &[u8]) {
        match self.declared.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = value.to_vec(),
            None => self.declared.push((name.to_vec(), value.to_vec())),
        }
    }

    /// `NAME=value` of the arguments, with the values that a step sees.
    pub(super) fn arguments(&self) -> Vec<Vec<u8>> {
        let item =
            |(name, value): &(Vec<u8>, Vec<u8>)| [name, b"=".as_slice(), self.get(name).unwrap_or(value)].concat();
        self.declared.iter().map(item).collect()
    }

    /// `NAME=value` of all.
    pub(super) fn environment(&self) -> Vec<Vec<u8>> {
        self.set.iter().map(|(name, value)| [name, b"=".as_slice(), value].concat()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dockerfile::text::Text;

    #[test]
    fn what_is_set_again_moves_to_the_end_and_the_later_of_env_and_arg_wins() {
        let env = |pairs: &[(&str, &str)]| {
            Action::Env(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
        };
        let arg = |name: &str, value: &str| Action::Arg(vec![(Text::from(name), Some(value.to_owned()))]);
        let mut variables = Variables::default();
        let steps =
            [env(&[("Z", "1"), ("A", "2")]), arg("M", "3"), env(&[("Y", "4")]), arg("A", "9"), env(&[("Z", "5")])];
        steps.iter().for_each(|step| variables.apply(step));
        let text = |items: Vec<Vec<u8>>| String::from_utf8(items.join(&b' ')).unwrap();
        assert_eq!(text(variables.environment()), "M=3 Y=4 A=9 Z=5");
        assert_eq!(text(variables.arguments()), "M=3 A=9");
        variables.apply(&env(&[("A", "10")]));
        assert_eq!(text(variables.arguments()), "M=3 A=10");
    }
}
