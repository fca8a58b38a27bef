//! `--chmod`: octal numbers and the symbols of `chmod(1)`.
//!
//! The symbols are read as BSD's `setmode` reads them, which is what BuildKit uses; the umask is taken as zero.

use super::problem::{Problem, failed};

const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const STICKY: u32 = 0o1000;

/// A change of permission bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Chmod {
    /// Exactly these bits.
    Octal(u32),
    /// Changes to the bits that are there.
    Symbolic(Vec<Step>),
}

/// One step of a symbolic change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Sets bits.
    Set(u32),
    /// Clears bits.
    Clear(u32),
    /// Sets execute bits on directories and on what somebody can execute already.
    SetExecute(u32),
    /// Copies the bits of one class (by its shift) to the classes in the mask.
    Copy { shift: u32, operator: u8, mask: u32 },
}

impl Chmod {
    /// Reads the flag's value; both forms are refused with BuildKit's words.
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        let refused =
            || failed(format!("invalid chmod parameter: '{text}'. it should be octal string and between 0 and 07777"));
        if !text.is_empty() && text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
            return match u32::from_str_radix(text, 8) {
                Ok(mode) if mode <= 0o7777 => Ok(Self::Octal(mode)),
                _ => refused(),
            };
        }
        if text.starts_with(|c: char| c.is_ascii_digit()) {
            return refused();
        }
        let mut reader = Reader { rest: text.as_bytes(), steps: Vec::new() };
        match reader.read() {
            Some(()) => Ok(Self::Symbolic(reader.steps)),
            None => failed("invalid syntax"),
        }
    }

    /// The bits after the change of an inode that has `mode`.
    pub(super) fn apply(&self, mode: u32, is_directory: bool) -> u32 {
        let steps = match self {
            Self::Octal(mode) => return *mode,
            Self::Symbolic(steps) => steps,
        };
        let mut new = mode;
        for step in steps {
            match *step {
                Step::Set(bits) => new |= bits,
                Step::Clear(bits) => new &= !bits,
                Step::SetExecute(bits) => {
                    if mode & 0o111 != 0 || is_directory {
                        new |= bits;
                    }
                }
                Step::Copy { shift, operator, mask } => {
                    let class = (new >> shift) & 7;
                    let everywhere = (class << 6 | class << 3 | class) & mask & 0o777;
                    match operator {
                        b'+' => new |= everywhere,
                        b'-' => new &= !everywhere,
                        _ => new = new & !(mask & 0o777) | everywhere,
                    }
                }
            }
        }
        new
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    steps: Vec<Step>,
}

impl Reader<'_> {
    fn take(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    /// Reads clauses to the end; nothing on a syntax error.
    fn read(&mut self) -> Option<()> {
        // As in setmode, one `=` without permissions clears only if no earlier `=` of the same clause did something.
        loop {
            let who = self.who()?;
            loop {
                let operator = self.take()?;
                if !b"+-=".contains(&operator) {
                    return None;
                }
                self.permissions(operator, who);
                match self.rest.first() {
                    None => return Some(()),
                    Some(b',') => break,
                    Some(_) => {}
                }
            }
            self.take();
        }
    }

    fn who(&mut self) -> Option<u32> {
        let mut who = 0;
        loop {
            who |= match self.rest.first()? {
                b'a' => SETUID | SETGID | 0o777,
                b'u' => SETUID | 0o700,
                b'g' => SETGID | 0o070,
                b'o' => 0o007,
                _ => return Some(who),
            };
            self.take();
        }
    }

    fn permissions(&mut self, operator: u8, who: u32) {
        let mut who = who;
        let (mut bits, mut execute) = (0, 0);
        let mut assigned = operator != b'=';
        let not_only_others = who == 0 || who & !0o007 != 0;
        loop {
            match self.rest.first() {
                Some(b'r') => bits |= 0o444,
                Some(b'w') => bits |= 0o222,
                Some(b'x') => bits |= 0o111,
                Some(b'X') if operator == b'-' => bits |= 0o111,
                Some(b'X') => execute = 0o111,
                Some(b's') if not_only_others => bits |= SETUID | SETGID,
                Some(b't') if not_only_others => {
                    who |= STICKY;
                    bits |= STICKY;
                }
                Some(b's' | b't') => {}
                Some(class @ (b'u' | b'g' | b'o')) => {
                    let shift = match class {
                        b'u' => 6,
                        b'g' => 3,
                        _ => 0,
                    };
                    if bits != 0 {
                        self.push(operator, who, bits);
                        bits = 0;
                    }
                    if operator == b'=' {
                        assigned = true;
                    }
                    if execute != 0 {
                        self.steps.push(Step::SetExecute(limit(who, execute)));
                        execute = 0;
                    }
                    let mask = if who == 0 { 0o777 } else { who };
                    self.steps.push(Step::Copy { shift, operator, mask });
                }
                _ => {
                    if bits != 0 || !assigned {
                        self.push(operator, who, bits);
                    }
                    if execute != 0 {
                        self.steps.push(Step::SetExecute(limit(who, execute)));
                    }
                    return;
                }
            }
            self.take();
        }
    }

    fn push(&mut self, operator: u8, who: u32, bits: u32) {
        match operator {
            b'+' => self.steps.push(Step::Set(limit(who, bits))),
            b'-' => self.steps.push(Step::Clear(limit(who, bits))),
            _ => {
                let all = if who == 0 { SETUID | SETGID | 0o777 } else { who };
                self.steps.push(Step::Clear(all));
                self.steps.push(Step::Set(limit(who, bits)));
            }
        }
    }
}

/// The bits that a clause for `who` may touch; nobody named is everybody.
fn limit(who: u32, bits: u32) -> u32 {
    if who == 0 { bits } else { bits & who }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(text: &str, mode: u32, is_directory: bool) -> u32 {
        Chmod::parse(text).unwrap().apply(mode, is_directory)
    }

    #[test]
    fn symbols_change_the_bits_that_are_there() {
        for (text, mode, is_directory, want) in [
            ("0640", 0o777, false, 0o640),
            ("4755", 0, false, 0o4755),
            ("u+x", 0o644, false, 0o744),
            ("go-rwx", 0o755, false, 0o700),
            ("a=r", 0o755, false, 0o444),
            ("+X", 0o644, false, 0o644),
            ("+X", 0o644, true, 0o755),
            ("u=rwX,go=rX", 0o700, false, 0o755),
            ("g=u", 0o640, false, 0o660),
            ("o=g-w", 0o660, false, 0o664),
            ("+t", 0o755, true, 0o1755),
            ("u+s,g+s", 0o755, false, 0o6755),
            ("a=", 0o755, false, 0),
            ("=", 0o4755, false, 0),
        ] {
            assert_eq!(changed(text, mode, is_directory), want, "{text} on {mode:o}");
        }
    }

    #[test]
    fn other_values_are_refused() {
        for text in ["", "8", "10000", "0o7", "755x", "u", "u~x", "rwx", "u+x,", "a+x;", "7777777777777"] {
            assert!(Chmod::parse(text).is_err(), "{text}");
        }
    }
}
