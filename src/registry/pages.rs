//! Lists that come in pages: `Link: <…>; rel="next"` leads to the next.

use super::endpoint::Endpoint;
use super::{Registry, RegistryError, refuse};
use crate::http::{Request, Response, Url};
use crate::limits::LimitExceeded;

/// Pages of one list.
const MOST: u64 = 1000;

impl Registry {
    /// Reads a list of the endpoint page by page until there is none or `page` says to stop; false if there is no such list.
    pub(super) fn pages(
        &self,
        endpoint: &Endpoint,
        first: Url,
        object: &str,
        mut page: impl FnMut(Vec<u8>, &str) -> Result<(), RegistryError>,
    ) -> Result<bool, RegistryError> {
        let mut url = first;
        for number in 0..MOST {
            let response = self.ask(endpoint, &Request::get(url))?;
            match response.status {
                200 => {}
                404 | 405 | 501 if number == 0 => return Ok(false),
                _ => return Err(refuse(response, object)),
            }
            let next = next(&response);
            let from = response.url.shown();
            let bytes = response.into_bytes("json-bytes", self.limits().json_bytes)?;
            page(bytes, &from)?;
            match next {
                Some(next) => url = next,
                None => return Ok(true),
            }
        }
        let exceeded = LimitExceeded { name: "list-pages", limit: MOST, object: object.to_owned() };
        Err(crate::http::HttpError::from(exceeded).into())
    }
}

/// Where the next page is: only path and query count, it is asked for from who gave this one.
fn next(response: &Response) -> Option<Url> {
    let link = response.headers("link").flat_map(|link| link.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|one| matches!(one.trim(), "rel=\"next\"" | "rel=next"));
        is_next.then_some(target)
    })?;
    let target = response.url.join(link).ok()?;
    Url::parse(&format!("{}{}", response.url.origin(), target.target())).ok()
}
