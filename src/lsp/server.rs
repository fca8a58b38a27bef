//! The documents that are open, and the answer to each message.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidCloseTextDocument, DidOpenTextDocument, Notification as _, PublishDiagnostics,
};
use lsp_types::request::{CodeActionRequest, Initialize, Request as _, Shutdown};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionParams, CodeActionProviderCapability, Diagnostic,
    DidChangeTextDocumentParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams, InitializeResult,
    PositionEncodingKind, PublishDiagnosticsParams, ServerCapabilities, ServerInfo, TextDocumentSyncCapability,
    TextDocumentSyncKind, TextDocumentSyncOptions, Uri,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::actions::{actions, fix_all};
use super::diagnostics::{of_dockerfile, of_manifest};
use super::position::Lines;
use crate::manifest::FILE_NAME;
use crate::project::{Fixes, Machine, check_manifest, lint_document};

/// Documents that are open at most; those beyond are not looked at.
const DOCUMENTS: usize = 1000;

/// A document that is open.
struct Document {
    uri: Uri,
    text: String,
    version: i32,
}

/// One conversation with an editor.
pub struct Server {
    machine: Machine,
    documents: BTreeMap<String, Document>,
    is_initialized: bool,
    is_shut_down: bool,
}

impl Server {
    /// Before anything was said.
    pub fn new(machine: Machine) -> Self {
        Self { machine, documents: BTreeMap::new(), is_initialized: false, is_shut_down: false }
    }

    /// Bytes of a message that are read: a document whose every byte is escaped, and what is around it.
    pub fn message_limit(&self) -> u64 {
        self.machine.limits.dockerfile.max(self.machine.limits.manifest_file).saturating_mul(6).saturating_add(1 << 20)
    }

    /// Whether the editor has said that it will end.
    pub fn is_shut_down(&self) -> bool {
        self.is_shut_down
    }

    /// The answer to one message; none where the conversation ends.
    pub fn answer(&mut self, message: Message) -> Option<Vec<Message>> {
        match message {
            Message::Request(request) => Some(vec![self.request(request).into()]),
            Message::Notification(notification) if notification.method == "exit" => None,
            Message::Notification(notification) if self.is_initialized => {
                Some(self.notified(notification).into_iter().collect())
            }
            Message::Notification(_) | Message::Response(_) => Some(Vec::new()),
        }
    }

    fn request(&mut self, request: Request) -> Response {
        let Request { id, method, params } = request;
        let fail = |code: ErrorCode, message: &str| Response::new_err(id.clone(), code as i32, message.to_owned());
        match method.as_str() {
            _ if self.is_shut_down => fail(ErrorCode::InvalidRequest, "the server is shut down"),
            Initialize::METHOD if self.is_initialized => fail(ErrorCode::InvalidRequest, "it is initialized already"),
            Initialize::METHOD => {
                self.is_initialized = true;
                Response::new_ok(id, capabilities())
            }
            _ if !self.is_initialized => fail(ErrorCode::ServerNotInitialized, "`initialize` comes first"),
            Shutdown::METHOD => {
                self.is_shut_down = true;
                Response::new_ok(id, Value::Null)
            }
            CodeActionRequest::METHOD => match read::<CodeActionParams>(params) {
                Some(params) => Response::new_ok(id, self.actions(&params)),
                None => fail(ErrorCode::InvalidParams, "the parameters are none of `textDocument/codeAction`"),
            },
            _ => fail(ErrorCode::MethodNotFound, "the method is not known"),
        }
    }

    fn notified(&mut self, notification: Notification) -> Option<Message> {
        let Notification { method, params } = notification;
        match method.as_str() {
            DidOpenTextDocument::METHOD => {
                let opened = read::<DidOpenTextDocumentParams>(params)?.text_document;
                self.put(Document { uri: opened.uri, text: opened.text, version: opened.version })
            }
            DidChangeTextDocument::METHOD => {
                let changed = read::<DidChangeTextDocumentParams>(params)?;
                // The whole text is asked for: the last one is what stands there now.
                let text = changed.content_changes.into_iter().rfind(|change| change.range.is_none())?.text;
                let document = changed.text_document;
                self.documents.contains_key(document.uri.as_str()).then_some(())?;
                self.put(Document { uri: document.uri, text, version: document.version })
            }
            DidCloseTextDocument::METHOD => {
                let closed = read::<DidCloseTextDocumentParams>(params)?.text_document;
                self.documents.remove(closed.uri.as_str())?;
                Some(published(closed.uri, Vec::new(), None))
            }
            _ => None,
        }
    }

    /// Keeps a document and tells what is found in it.
    fn put(&mut self, document: Document) -> Option<Message> {
        let key = document.uri.as_str().to_owned();
        if self.documents.len() >= DOCUMENTS && !self.documents.contains_key(&key) {
            return None;
        }
        let message = published(document.uri.clone(), self.diagnostics(&document), Some(document.version));
        self.documents.insert(key, document);
        Some(message)
    }

    fn diagnostics(&self, document: &Document) -> Vec<Diagnostic> {
        let lines = Lines::of(&document.text);
        let path = path_of(document.uri.as_str());
        if is_manifest(&path) {
            let checked = check_manifest(&self.machine, &path, &document.text);
            return checked.err().map(|errors| of_manifest(&lines, &errors)).unwrap_or_default();
        }
        let linted = lint_document(&self.machine, &path, document.text.as_bytes(), Fixes::Told);
        linted.map(|file| of_dockerfile(&lines, &file)).unwrap_or_default()
    }

    fn actions(&self, params: &CodeActionParams) -> Value {
        let uri = &params.text_document.uri;
        let path = path_of(uri.as_str());
        let document = self.documents.get(uri.as_str()).filter(|_| !is_manifest(&path));
        let found = document.and_then(|document| {
            let fixes = if params.context.only.is_some() { Fixes::Tried } else { Fixes::Told };
            let file = lint_document(&self.machine, &path, document.text.as_bytes(), fixes).ok()?;
            Some(actions(uri, &Lines::of(&document.text), &file, params.range, &params.context))
        });
        serde_json::to_value(found.unwrap_or_default()).unwrap_or_default()
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Option<T> {
    serde_json::from_value(params).ok()
}

fn capabilities() -> Value {
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::FULL),
        ..TextDocumentSyncOptions::default()
    };
    let actions = CodeActionOptions {
        code_action_kinds: Some(vec![CodeActionKind::QUICKFIX, fix_all()]),
        ..CodeActionOptions::default()
    };
    let result = InitializeResult {
        capabilities: ServerCapabilities {
            position_encoding: Some(PositionEncodingKind::UTF16),
            text_document_sync: Some(TextDocumentSyncCapability::Options(sync)),
            code_action_provider: Some(CodeActionProviderCapability::Options(actions)),
            ..ServerCapabilities::default()
        },
        server_info: Some(ServerInfo { name: "repro".to_owned(), version: Some(env!("CARGO_PKG_VERSION").to_owned()) }),
    };
    serde_json::to_value(result).unwrap_or_default()
}

fn published(uri: Uri, diagnostics: Vec<Diagnostic>, version: Option<i32>) -> Message {
    let params = PublishDiagnosticsParams { uri, diagnostics, version };
    Notification::new(PublishDiagnostics::METHOD.to_owned(), params).into()
}

fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == FILE_NAME)
}

/// The path that a `file:` URI names; of others, what stands behind the scheme, as a path that is not there.
fn path_of(uri: &str) -> PathBuf {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = rest.find('/').map_or(rest, |at| &rest[at..]);
    let mut bytes = Vec::with_capacity(path.len());
    let mut left = path.as_bytes();
    while let [first, rest @ ..] = left {
        let pair = rest.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                left = &rest[2..];
            }
            None => {
                bytes.push(*first);
                left = rest;
            }
        }
    }
    PathBuf::from(OsString::from_vec(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_path() {
        for (uri, path) in [
            ("file:///a/Dockerfile", "/a/Dockerfile"),
            ("file://host/a%20b/%C3%A9", "/a b/é"),
            ("untitled:Untitled-1", "untitled:Untitled-1"),
            ("file:///a%2", "/a%2"),
        ] {
            assert_eq!(path_of(uri), PathBuf::from(path), "{uri}");
        }
    }
}
