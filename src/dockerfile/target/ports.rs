//! Ports of `EXPOSE`.

use std::net::IpAddr;

use crate::dockerfile::quote::quote;

/// The ports that the words of an `EXPOSE` stand for, as `80/tcp`, in order and with repetitions.
///
/// # Errors
/// BuildKit's message about the first word that is wrong.
pub(super) fn read_ports(words: &[String]) -> Result<Vec<String>, String> {
    let mut ports = Vec::new();
    for word in words {
        read_port(word, &mut ports)?;
    }
    Ok(ports)
}

/// `[[ip:]host:]container[/protocol]`; ip and host are only checked.
fn read_port(word: &str, ports: &mut Vec<String>) -> Result<(), String> {
    let (rest, container) = word.rsplit_once(':').unwrap_or(("", word));
    let (ip, host) = rest.rsplit_once(':').unwrap_or(("", rest));
    let (container, protocol) = container.split_once('/').unwrap_or((container, ""));
    let invalid = |problem: String| Err(format!("invalid port: {}: {problem}", quote(word.as_bytes())));
    if container.is_empty() {
        return invalid("no port specified".to_owned());
    }
    let lower = protocol.to_lowercase();
    let protocol = match lower.as_str() {
        "" => "tcp",
        known @ ("tcp" | "udp" | "sctp") => known,
        _ => return invalid(format!("invalid proto: {protocol}")),
    };
    check_ip(ip)?;
    let Some((start, end)) = read_range(container) else {
        return Err(format!("invalid containerPort: {container}"));
    };
    if !host.is_empty() {
        let Some((first, last)) = read_range(host) else { return Err(format!("invalid hostPort: {host}")) };
        if end - start != last - first && end != start {
            return Err(format!("invalid ranges specified for container and host Ports: {container} and {host}"));
        }
    }
    ports.extend((start..=end).map(|port| format!("{port}/{protocol}")));
    Ok(())
}

fn check_ip(ip: &str) -> Result<(), String> {
    let address = match ip.strip_prefix('[') {
        None => ip,
        Some(rest) => match rest.split_once(']') {
            Some((address, "")) if !address.contains('[') => address,
            Some((_, tail)) if tail.starts_with(':') => return Err(wrong_ip(ip, "too many colons in address")),
            Some(_) => return Err(wrong_ip(ip, "missing port in address")),
            None => return Err(wrong_ip(ip, "missing ']' in address")),
        },
    };
    if ip.is_empty() || address.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err(format!("invalid IP address: {address}"))
}

fn wrong_ip(ip: &str, problem: &str) -> String {
    format!("invalid IP address {ip}: address {ip}:: {problem}")
}

fn read_range(text: &str) -> Option<(u32, u32)> {
    let (start, end) = text.split_once('-').map_or((text, None), |(start, end)| (start, Some(end)));
    let start_port = read_number(start)?;
    match end {
        Some(end) if end != start => {
            let end = read_number(end)?;
            (start_port <= end).then_some((start_port, end))
        }
        _ => Some((start_port, start_port)),
    }
}

/// A number from 0 to 65535; a sign is allowed.
fn read_number(text: &str) -> Option<u32> {
    let number: i64 = text.parse().ok()?;
    u16::try_from(number).ok().map(u32::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_expanded_and_checked() {
        for (word, want) in [
            ("80", Ok(vec!["80/tcp"])),
            ("+081/UDP", Ok(vec!["81/udp"])),
            ("8000-8001", Ok(vec!["8000/tcp", "8001/tcp"])),
            ("127.0.0.1:80:81", Ok(vec!["81/tcp"])),
            ("[::1]:80:81", Ok(vec!["81/tcp"])),
            ("::1:80:81", Ok(vec!["81/tcp"])),
            ("80-81:90", Ok(vec!["90/tcp"])),
            ("80-81:90-92", Err("invalid ranges specified for container and host Ports: 90-92 and 80-81")),
            ("80/foo", Err("invalid port: \"80/foo\": invalid proto: foo")),
            ("/tcp", Err("invalid port: \"/tcp\": no port specified")),
            ("x", Err("invalid containerPort: x")),
            ("65536", Err("invalid containerPort: 65536")),
            ("2-1", Err("invalid containerPort: 2-1")),
            ("x:80", Err("invalid hostPort: x")),
            ("x:80:81", Err("invalid IP address: x")),
        ] {
            let want = want.map(|ports| ports.into_iter().map(str::to_owned).collect()).map_err(str::to_owned);
            assert_eq!(read_ports(&[word.to_owned()]), want, "{word}");
        }
    }
}
