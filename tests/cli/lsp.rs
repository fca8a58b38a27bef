//! `repro lsp`, spoken to as an editor does.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use serde_json::{Value, json};

use crate::project::Project;

const BASE: &str = "FROM debian:12.5-slim@sha256:5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c5f3c\n";

/// An editor that has started the server.
struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    id: i32,
}

impl Editor {
    fn start(project: &Project) -> Self {
        let mut command = project.command(&["lsp"]);
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (input, output) = (server.stdin.take().unwrap(), BufReader::new(server.stdout.take().unwrap()));
        Self { server, input, output, id: 0 }
    }

    fn open(project: &Project) -> Self {
        let mut editor = Self::start(project);
        let told = editor.ask("initialize", &json!({ "processId": null, "rootUri": null, "capabilities": {} }));
        assert_eq!(told["result"]["capabilities"]["positionEncoding"], "utf-16");
        assert_eq!(told["result"]["capabilities"]["textDocumentSync"]["change"], 1);
        editor.tell("initialized", &json!({}));
        editor
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn tell(&mut self, method: &str, params: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.id += 1;
        let id = self.id;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        let answer = self.read();
        assert_eq!(answer["id"], id, "{answer}");
        answer
    }

    fn read(&mut self) -> Value {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).unwrap();
            match line.trim_end().split_once(": ") {
                Some((_, value)) => length = value.parse().unwrap(),
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// Opens a document and gives what is found: code and range.
    fn show(&mut self, uri: &str, text: &str) -> Vec<String> {
        let document = json!({ "uri": uri, "languageId": "dockerfile", "version": 1, "text": text });
        self.tell("textDocument/didOpen", &json!({ "textDocument": document }));
        self.published(uri)
    }

    fn published(&mut self, uri: &str) -> Vec<String> {
        let told = self.read();
        assert_eq!((&told["method"], &told["params"]["uri"]), (&"textDocument/publishDiagnostics".into(), &uri.into()));
        let diagnostics = told["params"]["diagnostics"].as_array().unwrap();
        let place = |place: &Value| format!("{}:{}", place["line"], place["character"]);
        let line = |one: &Value| {
            format!(
                "{} {}-{}",
                one["code"].as_str().unwrap_or("-"),
                place(&one["range"]["start"]),
                place(&one["range"]["end"])
            )
        };
        diagnostics.iter().map(line).collect()
    }

    fn end(mut self) -> i32 {
        assert_eq!(self.ask("shutdown", &Value::Null)["result"], Value::Null);
        self.tell("exit", &Value::Null);
        self.server.wait().unwrap().code().unwrap()
    }
}

fn uri(project: &Project, name: &str) -> String {
    format!("file://{}/{name}", project.path().display())
}

#[test]
fn findings_are_told_while_somebody_types() {
    let project = Project::bare();
    let mut editor = Editor::open(&project);
    let uri = uri(&project, "Dockerfile");
    // The place is counted in UTF-16: the clef has two units.
    let text = format!("{BASE}RUN --network=none : \u{1d11e}é && date > /a\n");
    assert_eq!(editor.show(&uri, &text), ["R040 1:28-1:32"]);
    let change =
        |text: &str| json!({ "textDocument": { "uri": uri, "version": 2 }, "contentChanges": [{ "text": text }] });
    editor.tell("textDocument/didChange", &change(&format!("{BASE}COPY a /\n")));
    assert_eq!(editor.published(&uri), Vec::<String>::new());
    editor.tell("textDocument/didChange", &change(&format!("{BASE}FOO a /\n")));
    assert_eq!(editor.published(&uri), ["- 1:0-1:7"]);
    editor.tell("textDocument/didClose", &json!({ "textDocument": { "uri": uri } }));
    assert_eq!(editor.published(&uri), Vec::<String>::new());
    assert_eq!(editor.end(), 0);
}

#[test]
fn fixes_are_offered_where_the_finding_stands_and_all_at_once() {
    let project = Project::bare();
    let mut editor = Editor::open(&project);
    let uri = uri(&project, "Dockerfile");
    editor.show(&uri, &format!("{BASE}RUN --network=none gzip /a\nRUN --network=none xz /b\n"));
    let mut actions = |line: u32, only: &Value| {
        let place = json!({ "line": line, "character": 20 });
        let range = json!({ "start": place, "end": place });
        let context =
            if only.is_null() { json!({ "diagnostics": [] }) } else { json!({ "diagnostics": [], "only": only }) };
        let params = json!({ "textDocument": { "uri": uri }, "range": range, "context": context });
        editor.ask("textDocument/codeAction", &params)["result"].clone()
    };
    let at_gzip = actions(1, &Value::Null);
    assert_eq!(at_gzip.as_array().unwrap().len(), 1, "{at_gzip}");
    assert_eq!((&at_gzip[0]["title"], &at_gzip[0]["kind"]), (&"R072: add `-n`".into(), &"quickfix".into()));
    let edit = &at_gzip[0]["edit"]["changes"][&uri][0];
    assert_eq!((&edit["newText"], &edit["range"]["start"]), (&" -n".into(), &json!({ "line": 1, "character": 23 })));
    assert_eq!(actions(0, &Value::Null), json!([]));
    assert_eq!(actions(1, &json!(["refactor"])), json!([]));
    let all = actions(0, &json!(["source.fixAll"]));
    let text = all[0]["edit"]["changes"][&uri][0]["newText"].as_str().unwrap();
    assert_eq!(text, format!("{BASE}RUN --network=none gzip -n /a\nRUN --network=none xz -T1 /b\n"));
    assert_eq!(editor.end(), 0);
}

#[test]
fn a_manifest_is_checked_and_judges_its_dockerfile() {
    let project = Project::bare();
    project.write(
        "repro.toml",
        "version = 1\n[image.app]\nrun-env = { SOURCE_DATE_EPOCH = \"epoch\" }\nscrub = [\"shadow-backup\"]\n",
    );
    let mut editor = Editor::open(&project);
    let dockerfile = format!("{BASE}RUN --network=none useradd -u 1000 app\n");
    project.write("Dockerfile", &dockerfile);
    assert_eq!(editor.show(&uri(&project, "Dockerfile"), &dockerfile), Vec::<String>::new());
    let told = editor.show(&uri(&project, "other/Dockerfile"), &dockerfile);
    assert!(told.iter().any(|line| line.starts_with("R046")), "{told:?}");
    let told = editor.show(&uri(&project, "repro.toml"), "version = 1\n[image.app]\ncontxt = \".\"\n");
    assert_eq!(told, ["- 2:0-2:6"]);
    assert_eq!(editor.end(), 0);
}

#[test]
fn what_is_no_message_or_too_long_ends_or_is_left_out() {
    let project = Project::bare();
    let mut editor = Editor::start(&project);
    assert_eq!(editor.ask("textDocument/codeAction", &json!({}))["error"]["code"], -32002);
    editor.ask("initialize", &json!({ "capabilities": {} }));
    assert_eq!(editor.ask("textDocument/hover", &json!({}))["error"]["code"], -32601);
    assert_eq!(editor.ask("textDocument/codeAction", &json!({ "x": 1 }))["error"]["code"], -32602);
    editor.tell("textDocument/didOpen", &json!({ "x": 1 }));
    editor.input.write_all(b"Content-Length: 3\r\n\r\n{x}").unwrap();
    let text = format!("{BASE}RUN {}\n", "true && ".repeat(20_000));
    editor.show(&uri(&project, "Dockerfile"), &text);
    editor.input.write_all(b"Content-Length: 99999999999\r\n\r\n").unwrap();
    assert_eq!(editor.server.wait().unwrap().code(), Some(6));
    let mut editor = Editor::open(&project);
    editor.tell("exit", &Value::Null);
    assert_eq!(editor.server.wait().unwrap().code(), Some(1));
}
