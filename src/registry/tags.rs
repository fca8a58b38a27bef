//! The tags of a repository.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Registry, RegistryError};
use crate::http::HttpError;
use crate::limits::LimitExceeded;
use crate::reference::Reference;

/// Tags of one repository.
const MOST: usize = 100_000;

#[derive(Deserialize)]
struct Page {
    tags: Option<Vec<String>>,
}

impl Registry {
    /// The tags of the reference's repository, sorted.
    pub fn tags(&self, reference: &Reference) -> Result<BTreeSet<String>, RegistryError> {
        let object = format!("tags of `{}`", reference.name());
        let (tags, _) = self.try_upstream(reference, "tags", |endpoint| {
            let mut tags = BTreeSet::new();
            let url = endpoint.url("tags", "list")?.with_parameter("n", "1000");
            let is_there = self.pages(endpoint, url, &object, |bytes, from| {
                let page: Page = crate::json::parse(&bytes, self.limits()).map_err(|error| {
                    RegistryError::Nonsense { object: object.clone(), url: from.to_owned(), reason: error.to_string() }
                })?;
                tags.extend(page.tags.unwrap_or_default());
                if tags.len() > MOST {
                    let exceeded = LimitExceeded { name: "tags", limit: MOST as u64, object: object.clone() };
                    return Err(HttpError::from(exceeded).into());
                }
                Ok(())
            })?;
            match is_there {
                true => Ok(tags),
                false => Err(RegistryError::NotFound {
                    object: object.clone(),
                    url: endpoint.origin(),
                    detail: String::new(),
                }),
            }
        })?;
        Ok(tags)
    }
}
