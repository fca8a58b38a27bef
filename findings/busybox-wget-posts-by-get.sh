#!/usr/bin/env bash
# busybox wget of Debian bookworm (busybox-static 1.35.0). Guess: `--post-data` sends a POST, with a proxy or without. Seen: with `http_proxy` set the
# same command sends a GET that has a body, so the origin answers another question, and a cache may answer it with what a GET got before.
set -euo pipefail
work=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
server=
apt-get download -qq busybox-static 2>/dev/null
dpkg -x busybox-static_*.deb .
wget=./bin/busybox
"$wget" | sed -n 1p
cat > server.py <<'PY'
import http.server, socketserver
class Tell(http.server.BaseHTTPRequestHandler):
    def tell(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        text = f"{self.command} {body.decode()}\n".encode()
        self.send_response(200); self.send_header("Content-Length", str(len(text))); self.end_headers(); self.wfile.write(text)
    do_GET = do_POST = tell
    def log_message(self, *words): pass
with socketserver.TCPServer(("127.0.0.1", 0), Tell) as server:
    open("port", "w").write(str(server.server_address[1])); server.serve_forever()
PY
python3 server.py &
server=$!
until [ -s port ]; do sleep 0.1; done
"$wget" wget -q -O - --post-data a=b "http://127.0.0.1:$(cat port)/form" | tee direct
http_proxy=http://127.0.0.1:$(cat port) "$wget" wget -q -O - --post-data a=b http://origin.example/form | tee proxied
[ "$(cat direct)" = "POST a=b" ]
[ "$(cat proxied)" = "GET a=b" ]
