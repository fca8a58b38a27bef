//! One request, as it is asked for.

use std::sync::Arc;

use super::upload::Upload;
use crate::http::secret::Secret;
use crate::http::url::Url;

/// What a request asks for, or brings.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    Get,
    Head,
    Form(Secret),
    Post,
    Put(Upload),
    Patch(Upload),
    /// Any method, with a body if it is not empty; sent once.
    Other(String, Arc<[u8]>),
}

impl Kind {
    pub(super) fn method(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Form(_) | Self::Post => "POST",
            Self::Put(_) => "PUT",
            Self::Patch(_) => "PATCH",
            Self::Other(method, _) => method,
        }
    }

    pub(super) fn is_reading(&self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) url: Url,
    pub(super) kind: Kind,
    pub(super) headers: Vec<(String, String)>,
    pub(super) authorization: Option<Secret>,
    pub(super) declared: Option<Url>,
    pub(super) of_a_build: bool,
    pub(super) any_coding: bool,
    pub(super) once: bool,
}

impl Request {
    fn new(url: Url, kind: Kind) -> Self {
        Self {
            url,
            kind,
            headers: Vec::new(),
            authorization: None,
            declared: None,
            of_a_build: false,
            any_coding: false,
            once: false,
        }
    }

    /// Asks for what is at `url`, which a person or a reference named.
    pub fn get(url: Url) -> Self {
        Self::new(url, Kind::Get)
    }

    /// Says that a step of a build named this URL: its host must be public, or one that the user's configuration names.
    ///
    /// Plain HTTP is allowed, as the step would use it; redirects are not followed and content codings left as they are.
    #[must_use]
    pub fn of_a_build(mut self) -> Self {
        self.of_a_build = true;
        self.any_coding = true;
        self
    }

    /// Takes a response with a content coding, whose body is what was sent.
    #[must_use]
    pub fn any_coding(mut self) -> Self {
        self.any_coding = true;
        self
    }

    /// Is not repeated when the server is not reached: there is another one to ask.
    #[must_use]
    pub fn once(mut self) -> Self {
        self.once = true;
        self
    }

    /// Asks for the headers only.
    pub fn head(url: Url) -> Self {
        Self::new(url, Kind::Head)
    }

    /// Sends a form; never redirected.
    pub fn post_form(url: Url, form: Secret) -> Self {
        Self::new(url, Kind::Form(form))
    }

    /// Brings a part of a body; never redirected. [`Client::send`] does not repeat it by itself.
    pub fn patch(url: Url, upload: Upload) -> Self {
        Self::new(url, Kind::Patch(upload))
    }

    /// Asks for something to be begun; never redirected.
    pub fn post(url: Url) -> Self {
        Self::new(url, Kind::Post)
    }

    /// Brings a body; never redirected. [`Client::send`] does not repeat it by itself.
    pub fn put(url: Url, upload: Upload) -> Self {
        Self::new(url, Kind::Put(upload))
    }

    /// Says that only a response from `declared` named this URL: its address must be public, or on that same host.
    #[must_use]
    pub fn named_by(mut self, declared: &Url) -> Self {
        self.declared = Some(declared.clone());
        self
    }

    /// Sends `body` by any `method`; never redirected and never repeated.
    pub fn by(method: &str, url: Url, body: Arc<[u8]>) -> Self {
        Self::new(url, Kind::Other(method.to_owned(), body))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends `Authorization`, to this scheme, host and port only.
    #[must_use]
    pub fn authorization(mut self, value: Option<Secret>) -> Self {
        self.authorization = value;
        self
    }
}
