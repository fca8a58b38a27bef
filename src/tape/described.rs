//! What a tape holds of the head of a response.

use super::cookie::{self, Cookie};
use super::entry::Recorded;
use super::headers::spelled;
use super::signature;
use crate::http::{Response, Url, date};

const LONGEST: usize = 4096;

/// The response without its body: the headers that are kept, `Location` as it was sent; and the cookies that it sets.
///
/// # Errors
/// A header that no client could do without, or one with a login in it, is not of a form that a tape can hold.
pub(super) fn described(response: &Response, url: &Url) -> Result<(Recorded, Vec<Cookie>), String> {
    let status = response.status;
    let is_good = |value: &str| !value.is_empty() && !value.chars().any(char::is_control);
    let text = |name: &str| {
        let values: Vec<&str> = response.headers(name).map(str::trim).filter(|value| !value.is_empty()).collect();
        Some(values.join(", ")).filter(|value| is_good(value))
    };
    let short = |name: &str| text(name).filter(|value| value.len() <= LONGEST);
    let unfit =
        |name: &str| format!("`{}` sent the header `{}`, which is too long or no text", url.shown(), spelled(name));
    // What decides about the body, its name, or what the client does next.
    let needed = |name: &'static str| match response.has_header(name).then(|| text(name)) {
        None => Ok(None),
        Some(Some(value)) if signature::strip_location(&value).len() <= LONGEST => Ok(Some(value)),
        Some(None)
            if response.headers(name).all(|value| value.trim().is_empty()) && response.header(name).is_some() =>
        {
            Ok(None)
        }
        Some(_) => Err(unfit(name)),
    };
    let location = needed("location")?.filter(|_| matches!(status, 300..=399));
    if location.as_deref().is_some_and(holds_login) {
        return Err(format!("`{}` leads to a URL with a login in it, which is not written down", url.shown()));
    }
    let now = response.header("date").and_then(date::parse);
    let read = |value| Cookie::read(url.host(), value, now);
    let cookies: Vec<Cookie> = response.headers("set-cookie").filter_map(read).take(cookie::MOST + 1).collect();
    if !response.is_text("set-cookie")
        || cookies.len() > cookie::MOST
        || cookies.iter().any(|cookie| cookie.handed_out.len() > LONGEST)
    {
        return Err(unfit("set-cookie"));
    }
    let recorded = Recorded {
        challenge: needed("www-authenticate")?.filter(|_| status == 401),
        cookies: cookies.iter().map(|cookie| cookie.handed_out.clone()).collect(),
        disposition: needed("content-disposition")?,
        encoding: needed("content-encoding")?.filter(|coding| !coding.eq_ignore_ascii_case("identity")),
        etag: short("etag"),
        link: needed("link")?,
        location,
        modified: response.header("last-modified").and_then(date::parse).filter(|seconds| *seconds < 1 << 33),
        content_type: short("content-type"),
        ..Recorded::bare(status)
    };
    Ok((recorded, cookies))
}

/// Whether a `Location` has a user or password.
fn holds_login(location: &str) -> bool {
    let after = location.strip_prefix("//").or_else(|| location.split_once("://").map(|(_, rest)| rest));
    let Some(rest) = after else { return false };
    rest.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_told_from_an_at_sign_elsewhere() {
        for (location, want) in [
            ("https://u:p@h.example/", true),
            ("//u@h.example", true),
            ("https://h.example/@types/node", false),
            ("/a//b@c", false),
            ("/@scope/x", false),
            ("https://h.example?m=a@b", false),
        ] {
            assert_eq!(holds_login(location), want, "{location}");
        }
    }
}
