//! `RUN --mount=…`: the fields, and what they may hold for each type of mount.

use super::quote::quote;
use super::shell::ShellError;

/// What a mount shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MountKind {
    /// Files of the context, a stage or an image.
    #[default]
    Bind,
    /// A directory kept between builds.
    Cache,
    /// An empty directory in memory.
    Tmpfs,
    /// A secret of the person who builds.
    Secret,
    /// An SSH agent.
    Ssh,
}

impl MountKind {
    fn name(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Cache => "cache",
            Self::Tmpfs => "tmpfs",
            Self::Secret => "secret",
            Self::Ssh => "ssh",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Bind, Self::Cache, Self::Tmpfs, Self::Secret, Self::Ssh].into_iter().find(|kind| kind.name() == text)
    }
}

/// One `--mount`, variables expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount {
    /// `type`
    pub kind: MountKind,
    /// `from`: stage or image; empty for the context.
    pub from: String,
    /// `source`
    pub source: String,
    /// `target`
    pub target: String,
    /// `readonly`, or what the type implies.
    pub read_only: bool,
    /// `id`
    pub id: String,
    /// `sharing`, empty when not given.
    pub sharing: String,
    /// `required`
    pub required: bool,
    /// `env` of a secret.
    pub env: Option<String>,
    /// `mode`
    pub mode: Option<u32>,
    /// `uid`
    pub uid: Option<u32>,
    /// `gid`
    pub gid: Option<u32>,
    /// `size` of a tmpfs, in bytes.
    pub size: i64,
}

/// Checks what can be checked before variables have values: the quoting, and that `from` holds no variable.
pub(super) fn check_from(value: &str) -> Result<(), String> {
    for field in fields(value)? {
        let Some((key, value)) = field.split_once('=') else { continue };
        let variable = value.find('$').is_some_and(|at| at + 1 != value.len());
        if variable && key.to_lowercase() == "from" {
            return Err("'from' doesn't support variable expansion, define alias stage instead".to_owned());
        }
    }
    Ok(())
}

/// The stage or image that `from` names, before any variable is expanded.
pub(super) fn from_field(value: &str) -> String {
    let fields = fields(value).unwrap_or_default();
    let from =
        |field: &String| field.split_once('=').filter(|(key, _)| key.to_lowercase() == "from").map(|p| p.1.to_owned());
    fields.iter().filter_map(from).next_back().unwrap_or_default()
}

/// Reads a mount; `expand` replaces the variables of each value.
///
/// # Errors
/// What BuildKit refuses in a mount, or what `expand` refuses.
pub(super) fn read_mount(
    value: &str,
    expand: &mut dyn FnMut(&str) -> Result<String, ShellError>,
) -> Result<Mount, ShellError> {
    let syntax = ShellError::Syntax;
    let mut mount = Mount::default();
    let mut read_only = None;
    for field in fields(value).map_err(syntax)? {
        let Some((key, value)) = field.split_once('=') else {
            match field.to_lowercase().as_str() {
                "readonly" | "ro" => read_only = Some(true),
                "readwrite" | "rw" => read_only = Some(false),
                key @ "required" => {
                    mount.only_for(key, &[MountKind::Secret, MountKind::Ssh]).map_err(syntax)?;
                    mount.required = true;
                }
                _ => return Err(syntax(format!("invalid field '{field}' must be a key=value pair"))),
            }
            continue;
        };
        let value = expand(value)?;
        let key = key.to_lowercase();
        match key.as_str() {
            "readonly" | "ro" => read_only = Some(bool_value(&key, &value).map_err(syntax)?),
            "readwrite" | "rw" => read_only = Some(!bool_value(&key, &value).map_err(syntax)?),
            _ => mount.set(&key, value, &field).map_err(syntax)?,
        }
    }
    mount.finish(read_only).map_err(syntax)?;
    Ok(mount)
}

fn bool_value(key: &str, value: &str) -> Result<bool, String> {
    parse_bool(value).ok_or_else(|| format!("invalid value for {key}: {value}"))
}

impl Mount {
    fn only_for(&self, key: &str, kinds: &[MountKind]) -> Result<(), String> {
        if kinds.contains(&self.kind) {
            return Ok(());
        }
        Err(format!("unexpected key '{key}' for mount type '{}'", self.kind.name()))
    }

    fn set(&mut self, key: &str, value: String, field: &str) -> Result<(), String> {
        let number = |radix: u32| parse_u32(&value, radix).ok_or_else(|| format!("invalid value {value} for {key}"));
        match key {
            "type" => {
                let kind = MountKind::parse(&value.to_lowercase());
                self.kind = kind.ok_or_else(|| format!("unsupported mount type {}", quote(value.as_bytes())))?;
            }
            "from" => self.from = value,
            "source" | "src" => self.source = value,
            "target" | "dst" | "destination" => self.target = value,
            "required" => {
                self.only_for(key, &[MountKind::Secret, MountKind::Ssh])?;
                self.required = bool_value(key, &value)?;
            }
            "size" => {
                self.only_for(key, &[MountKind::Tmpfs])?;
                self.size = parse_size(&value).ok_or_else(|| format!("invalid value for {key}: {value}"))?;
            }
            "id" => self.id = value,
            "sharing" => {
                let sharing = value.to_lowercase();
                if !matches!(sharing.as_str(), "shared" | "private" | "locked") {
                    return Err(format!("unsupported sharing value {}", quote(value.as_bytes())));
                }
                self.sharing = sharing;
            }
            "mode" => self.mode = Some(number(8)?),
            "uid" => self.uid = Some(number(10)?),
            "gid" => self.gid = Some(number(10)?),
            "env" => self.env = Some(value),
            _ => return Err(format!("unexpected key '{key}' in '{field}'")),
        }
        Ok(())
    }

    fn finish(&mut self, read_only: Option<bool>) -> Result<(), String> {
        let kind = self.kind;
        let name = kind.name();
        if matches!(kind, MountKind::Bind | MountKind::Tmpfs) {
            for (key, value) in [("mode", self.mode), ("uid", self.uid), ("gid", self.gid)] {
                if value.is_some() {
                    return Err(format!("{key} not allowed for \"{name}\" type mounts"));
                }
            }
        }
        self.read_only = read_only.unwrap_or(!matches!(kind, MountKind::Cache | MountKind::Tmpfs));
        if kind == MountKind::Secret {
            let refuse = |message: &str| Err(message.to_owned());
            if !self.from.is_empty() {
                return refuse("secret mount should not have a from");
            }
            if !self.sharing.is_empty() {
                return refuse("secret mount should not define sharing");
            }
            if self.source.is_empty() && self.target.is_empty() && self.id.is_empty() {
                return refuse("invalid secret mount. one of source, target required");
            }
            if !self.source.is_empty() && !self.id.is_empty() {
                return refuse("both source and id can't be set");
            }
        }
        if !self.sharing.is_empty() && kind != MountKind::Cache {
            return Err(format!("invalid cache sharing set for {name} mount"));
        }
        Ok(())
    }
}

fn fields(value: &str) -> Result<Vec<String>, String> {
    csv_fields(value).map_err(|error| format!("failed to parse csv mounts: {error}"))
}

/// The fields of one CSV record.
pub(super) fn csv_fields(line: &str) -> Result<Vec<String>, String> {
    let error = |at: usize, problem: &str| Err(format!("parse error on line 1, column {}: {problem}", at + 1));
    let line = line.strip_suffix("\r\n").or_else(|| line.strip_suffix('\n')).unwrap_or(line);
    if line.is_empty() {
        return Err("EOF".to_owned());
    }
    let mut fields = Vec::new();
    let mut at = 0;
    loop {
        let rest = &line[at..];
        let Some(mut quoted) = rest.strip_prefix('"') else {
            let end = rest.find(',');
            let field = &rest[..end.unwrap_or(rest.len())];
            if let Some(quote) = field.find('"') {
                return error(at + quote, "bare \" in non-quoted-field");
            }
            fields.push(field.to_owned());
            match end {
                Some(end) => at += end + 1,
                None => return Ok(fields),
            }
            continue;
        };
        let mut field = String::new();
        loop {
            let here = line.len() - quoted.len();
            let Some((inside, after)) = quoted.split_once('"') else {
                return error(here, "extraneous or missing \" in quoted-field");
            };
            field.push_str(inside);
            quoted = after;
            if let Some(tail) = after.strip_prefix('"') {
                field.push('"');
                quoted = tail;
                continue;
            }
            break;
        }
        fields.push(field);
        if quoted.is_empty() {
            return Ok(fields);
        }
        let here = line.len() - quoted.len();
        match quoted.strip_prefix(',') {
            Some(tail) => at = line.len() - tail.len(),
            None => return error(here - 1, "extraneous or missing \" in quoted-field"),
        }
    }
}

/// Go's spellings of a truth value.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

fn parse_u32(text: &str, radix: u32) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| u32::from_str_radix(text, radix).ok())?
}

/// Bytes with an optional binary unit: `64m`, `1.5 GiB`.
fn parse_size(text: &str) -> Option<i64> {
    let last = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')?;
    let (number, unit) = match text.as_bytes()[last] {
        b' ' => (&text[..last], &text[last + 1..]),
        _ => text.split_at(last + 1),
    };
    let plain = |c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-' | 'e' | 'E');
    let number: f64 = number.chars().all(plain).then(|| number.parse().ok())?.filter(|number| *number >= 0.0)?;
    let unit = unit.to_ascii_lowercase();
    let factor = match unit.strip_suffix("ib").or_else(|| unit.strip_suffix('b')).unwrap_or(&unit) {
        "" if unit != "ib" => 1_u64,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        "p" => 1 << 50,
        _ => return None,
    };
    Some((number * factor as f64) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_fields_are_cut_like_go_csv() {
        for (line, want) in [
            ("a,b=c", Ok(vec!["a", "b=c"])),
            ("\"a,b\",c", Ok(vec!["a,b", "c"])),
            ("\"a\"\"b\"", Ok(vec!["a\"b"])),
            ("a,", Ok(vec!["a", ""])),
            ("", Err("EOF")),
            ("a\"b", Err("parse error on line 1, column 2: bare \" in non-quoted-field")),
            ("\"a\"b", Err("parse error on line 1, column 3: extraneous or missing \" in quoted-field")),
            ("\"a", Err("parse error on line 1, column 2: extraneous or missing \" in quoted-field")),
        ] {
            let want = want.map(|fields| fields.into_iter().map(str::to_owned).collect()).map_err(str::to_owned);
            assert_eq!(csv_fields(line), want, "{line}");
        }
    }

    #[test]
    fn each_type_of_mount_takes_its_own_keys() {
        let read = |value: &str| match read_mount(value, &mut |value| Ok(value.to_owned())) {
            Ok(mount) => format!("{:?} ro={}", mount.kind, mount.read_only),
            Err(error) => error.to_string(),
        };
        for (value, want) in [
            ("target=/x", "Bind ro=true"),
            ("type=cache,target=/x,sharing=locked", "Cache ro=false"),
            ("rw,target=/x", "Bind ro=false"),
            ("TYPE=TMPFS,target=/x,size=1g", "Tmpfs ro=false"),
            ("size=1g,type=tmpfs,target=/x", "unexpected key 'size' for mount type 'bind'"),
            ("type=tmpfs,size=x", "invalid value for size: x"),
            ("type=secret", "invalid secret mount. one of source, target required"),
            ("type=secret,id=a,src=b", "both source and id can't be set"),
            ("type=secret,from=a,id=b", "secret mount should not have a from"),
            ("type=ssh,required", "Ssh ro=true"),
            ("required,target=/x", "unexpected key 'required' for mount type 'bind'"),
            ("uid=1,target=/x", "uid not allowed for \"bind\" type mounts"),
            ("type=cache,uid=-1", "invalid value -1 for uid"),
            ("foo,target=/x", "invalid field 'foo' must be a key=value pair"),
            ("foo=1,target=/x", "unexpected key 'foo' in 'foo=1'"),
            ("type=volume", "unsupported mount type \"volume\""),
            ("type=,target=/x", "unsupported mount type \"\""),
        ] {
            assert_eq!(read(value), want, "{value}");
        }
        assert_eq!(check_from("from=a$b").map_err(|e| e.len()), Err(69));
        assert_eq!(check_from("from=a$"), Ok(()));
        assert_eq!(from_field("from=a,target=/x,FROM=b"), "b");
    }

    #[test]
    fn sizes_have_binary_units() {
        for (text, want) in [
            ("64", Some(64)),
            ("64m", Some(64 << 20)),
            ("1.5 GiB", Some(3 << 29)),
            ("1kb", Some(1024)),
            ("1b", Some(1)),
            ("1ib", None),
            ("1xb", None),
            ("m", None),
            ("-1", None),
        ] {
            assert_eq!(parse_size(text), want, "{text}");
        }
    }
}
