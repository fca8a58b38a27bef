#!/usr/bin/env python3
"""A web server on loopback for tests: files with chosen misbehaviour, or git repositories.

    serve.py files FOLDER PORT
    serve.py git FOLDER PORT

Files: `GET /a/b` gives FOLDER/a/b; Last-Modified is the file's mtime, ETag its digest. A file `b.serve` beside it, JSON, changes
the answer; it is read at every request, so a test can change it at any time:

    delay     seconds to wait before the answer
    fail      how many requests get `status` before the file is given (counted anew when b.serve changes); -1: all
    status    what those requests get, 503 if not said
    headers   object: headers to add or replace; null takes one away
    cut       bytes of the body after which the connection is closed
    modified  seconds since 1970 for Last-Modified; null: no Last-Modified

Git: smart HTTP by git's own http-backend, read only: `http://…/NAME.git` is the repository FOLDER/NAME.git (bare or not). Any commit
may be asked for by its hash. Standard library only.
"""

import email.utils
import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse

PIECE = 1 << 16


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = ""

    def log_message(self, template, *values):
        sys.stderr.write("%s %s\n" % (self.log_date_time_string(), template % values))
        sys.stderr.flush()

    def local_path(self):
        """The file that a request names, or None if it leaves the folder."""
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        found = os.path.realpath(os.path.join(self.folder, path.lstrip("/")))
        return found if found.startswith(os.path.realpath(self.folder) + os.sep) else None

    def refuse(self, status, headers=()):
        body = ("%d\n" % status).encode()
        self.send_response(status)
        for name, value in dict({"Content-Type": "text/plain", "Content-Length": str(len(body))}, **dict(headers)).items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Files(Answer):
    counts = {}
    lock = threading.Lock()

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.local_path()
        if path is None or not os.path.isfile(path) or path.endswith(".serve"):
            return self.refuse(404)
        rules, version = read_rules(path + ".serve")
        time.sleep(rules.get("delay", 0))
        if self.fails(path, version, rules.get("fail", 0)):
            return self.refuse(rules.get("status", 503), rules.get("headers", {}))
        with open(path, "rb") as source:
            status = os.fstat(source.fileno())
            digest = hashlib.file_digest(source, "sha256").hexdigest()
            source.seek(0)
            modified = rules.get("modified", status.st_mtime)
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(status.st_size),
                "ETag": '"%s"' % digest,
                "Last-Modified": None if modified is None else email.utils.formatdate(modified, usegmt=True),
            }
            headers.update(rules.get("headers", {}))
            if headers["ETag"] is not None and self.headers.get("If-None-Match") == headers["ETag"]:
                headers["Content-Length"] = None
                self.send_response(304)
                self.command = "HEAD"
            else:
                self.send_response(200)
            for name, value in headers.items():
                if value is not None:
                    self.send_header(name, str(value))
            self.end_headers()
            if self.command != "HEAD":
                self.give(source, rules.get("cut"))

    def fails(self, path, version, wanted):
        with self.lock:
            given = self.counts.get((path, version), 0)
            self.counts[path, version] = given + 1
        return wanted < 0 or given < wanted

    def give(self, source, cut):
        left = cut
        while piece := source.read(PIECE if left is None else min(PIECE, left)):
            self.wfile.write(piece)
            if left is not None:
                left -= len(piece)
        if cut is not None:
            self.close_connection = True


def read_rules(path):
    """The rules for one file and what tells this version of them from the next."""
    try:
        with open(path, "rb") as source:
            text = source.read()
            return json.loads(text), (text, os.fstat(source.fileno()).st_mtime_ns)
    except FileNotFoundError:
        return {}, None


class Git(Answer):
    def do_GET(self):
        self.run(b"")

    def do_POST(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            self.run(self.read_chunks())
        else:
            self.run(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def read_chunks(self):
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def run(self, body):
        if self.local_path() is None:
            return self.refuse(404)
        url = urllib.parse.urlsplit(self.path)
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self.folder,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            # Repositories that tests make belong to whoever runs them; every commit may be asked for by its hash.
            "GIT_CONFIG_COUNT": "3",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_CONFIG_KEY_1": "uploadpack.allowAnySHA1InWant",
            "GIT_CONFIG_VALUE_1": "true",
            "GIT_CONFIG_KEY_2": "http.receivepack",
            "GIT_CONFIG_VALUE_2": "false",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": urllib.parse.unquote(url.path),
            "QUERY_STRING": url.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=environment)
        sys.stderr.write(done.stderr.decode(errors="replace"))
        head, _, answer = done.stdout.partition(b"\r\n\r\n")
        if not head:
            return self.refuse(500)
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        """A client that went away is no event."""


def main():
    kind, Answer.folder, port = sys.argv[1:]
    server = Server(("127.0.0.1", int(port)), {"files": Files, "git": Git}[kind])
    server.serve_forever()


if __name__ == "__main__":
    main()
