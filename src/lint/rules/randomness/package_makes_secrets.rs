//! R067: installing a package makes keys or a machine's identity.

use super::super::managers::{Manager, installs, package_name, packages};
use super::super::removed::is_gone;
use crate::finding::Severity;
use crate::lint::file::File;
use crate::lint::rule::{Findings, Lock, Rule};

/// The rule.
pub static RULE: Rule = Rule {
    code: "R067",
    name: "package-makes-secrets",
    severity: Severity::Error,
    lock: Lock::No,
    ships: true,
    summary: "installing a package makes keys or a machine's identity",
    why: "Its scripts generate them while the image is built, so every container has the same, and every build another.",
    quiet: "removed or emptied later in the RUN; libraries without the service; apk and pacman, whose packages make them at first start",
    help: "remove them in the same RUN and create them at first start; `: > /etc/machine-id`",
    check,
};

fn check(file: &File<'_>, findings: &mut Findings) {
    for run in &file.runs {
        for (index, command) in run.numbered() {
            if !matches!(installs(command), Some(Manager::Apt | Manager::Rpm | Manager::Zypper)) {
                continue;
            }
            for word in packages(command) {
                let name = package_name(word.text());
                let left = makes(name)
                    .iter()
                    .any(|path| file.stages[run.stage].ships_path(path) && !is_gone(run, index, path));
                if left {
                    findings.add(word.span, format!("installing `{name}` creates keys or a machine id in the layer"));
                }
            }
        }
    }
}

/// Files with secrets that a package makes.
fn makes(package: &str) -> &'static [&'static str] {
    match package {
        "openssh-server" | "ssh" => &["/etc/ssh/ssh_host_rsa_key"],
        "dropbear" | "dropbear-bin" | "dropbear-run" => &["/etc/dropbear/dropbear_rsa_host_key"],
        "ssl-cert" => &["/etc/ssl/private/ssl-cert-snakeoil.key"],
        "dbus" => &["/var/lib/dbus/machine-id", "/etc/machine-id"],
        "systemd" => &["/etc/machine-id"],
        "rabbitmq-server" => &["/var/lib/rabbitmq/.erlang.cookie"],
        "postgresql" => &["/var/lib/postgresql/main/PG_VERSION"],
        "mariadb-server" | "mysql-server" => &["/var/lib/mysql/ibdata1"],
        "xrdp" => &["/etc/xrdp/rsakeys.ini"],
        "slapd" => &["/var/lib/ldap/data.mdb"],
        "popularity-contest" => &["/etc/popularity-contest.conf"],
        "bind9" => &["/etc/bind/rndc.key"],
        _ if package
            .strip_prefix("postgresql-")
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit())) =>
        {
            &["/var/lib/postgresql/main/PG_VERSION"]
        }
        _ => &[],
    }
}
