//! Commands that make accounts.

use crate::lint::file::{File, Run};
use crate::lint::shell::Command;

use super::managers::is_alpine;

/// What a command makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Made {
    User,
    Group,
}

const VALUES: &[&str] = &[
    "-b",
    "-c",
    "-d",
    "-e",
    "-f",
    "-g",
    "-G",
    "-h",
    "-k",
    "-K",
    "-p",
    "-P",
    "-R",
    "-s",
    "-u",
    "-Z",
    "--base-dir",
    "--comment",
    "--home-dir",
    "--home",
    "--expiredate",
    "--inactive",
    "--gid",
    "--groups",
    "--skel",
    "--key",
    "--password",
    "--root",
    "--prefix",
    "--shell",
    "--uid",
    "--gecos",
    "--ingroup",
    "--firstuid",
    "--lastuid",
    "--firstgid",
    "--lastgid",
    "--conf",
    "--users",
];

/// The account or group that a command makes; none for those that only change one, or add a user to a group.
pub(super) fn made(command: &Command) -> Option<Made> {
    if command.any_long(&["--help", "--version", "--defaults"]) {
        return None;
    }
    let operands = command.operands_without(VALUES).len();
    match command.name.as_str() {
        "useradd" if !command.short('D', "bcdefgGkKpRPsuZ") => Some(Made::User),
        "adduser" if operands == 1 && command.long("--group") && !command.long("--system") => Some(Made::Group),
        "adduser" if operands == 1 => Some(Made::User),
        "groupadd" => Some(Made::Group),
        "addgroup" if operands == 1 => Some(Made::Group),
        _ => None,
    }
}

/// The literal name of the account that a command makes.
pub(super) fn name_of(command: &Command) -> Option<&str> {
    let operand = *command.operands_without(VALUES).first()?;
    let is_name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    Some(operand.text()).filter(|text| !text.is_empty() && is_name(text))
}

/// The command writes the day into `/etc/shadow`.
pub(super) fn sets_day(command: &Command) -> bool {
    match command.name.as_str() {
        "useradd" | "adduser" => made(command) == Some(Made::User),
        "chpasswd" | "newusers" => !command.any_long(&["--help"]),
        "passwd" => {
            let other = ['l', 'u', 'd', 'S', 'e', 'n', 'x', 'w', 'i'].iter().any(|letter| command.short(*letter, ""));
            !other
                && !command.any_long(&[
                    "--lock",
                    "--unlock",
                    "--delete",
                    "--status",
                    "--expire",
                    "--help",
                    "--mindays",
                    "--maxdays",
                    "--warndays",
                    "--inactive",
                ])
        }
        "usermod" => command.short('p', "cdefgGlLmRsuZ") || command.long("--password"),
        _ => false,
    }
}

/// The tool is BusyBox's, which never reads SOURCE_DATE_EPOCH.
pub(super) fn is_busybox(file: &File<'_>, run: &Run, command: &Command) -> bool {
    let by_wrapper = command.wrappers.iter().any(|wrapper| wrapper == "busybox");
    let by_option = command.name == "adduser" && (command.short('D', "hgsGuk") || command.short('H', "hgsGuk"));
    let shared = command.is(&["adduser", "addgroup", "chpasswd", "passwd"]);
    // With the package `shadow` Alpine has these from shadow too, but not adduser.
    let has_shadow = command.name != "adduser"
        && file
            .runs_before(run)
            .flat_map(|run| &run.commands)
            .chain(&run.commands)
            .any(|command| command.name == "apk" && command.word("shadow"));
    by_wrapper || by_option || shared && is_alpine(file, run.stage) && !has_shadow
}
