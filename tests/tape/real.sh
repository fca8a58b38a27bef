#!/usr/bin/env bash
# Real Dockerfiles, unmodified: locked once, then verified twice with nothing but loopback in reach.
#
#     eval "$(RIG_PARTS="registry buildkit" tests/rig/up)" && tests/rig/base debian && tests/tape/real.sh [NAME…]
#
# Takes mirrors and indexes as this machine has them: those that apt, pip, npm, cargo and go are configured to use here.
# Needs root, `unshare`, `ip`, `docker-registry` and the rig. Prints a line for each Dockerfile; ends with 1 if any failed.
# REPRO names the binary, REAL_KEEP a folder that is kept.
set -u
repro=${REPRO:-$(dirname "$0")/../../target/debug/repro}
repro=$(realpath "$repro")
: "${RIG_REGISTRY:?start the rig first}"
work=${REAL_KEEP:-$(mktemp -d)}
mkdir -p "$work"
[ -n "${REAL_KEEP:-}" ] || trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache REPRO_CONFIG=$work/config.toml
unset BUILDKIT_HOST
npm_registry=$(npm config get registry 2>/dev/null)
npm_registry=${npm_registry%/}
go_proxy=$(go env GOPROXY 2>/dev/null)
go_proxy=${go_proxy%%,*}
packages="bc binutils bzip2 ca-certificates cpio curl dos2unix ed file gawk gettext-base git gnupg hostname jq less lsof m4 make
    man-db nano netcat-openbsd openssl patch procps psmisc python3-minimal rsync sqlite3 strace tree unzip vim-tiny wget xz-utils zip"

# dockerfile NAME: the Dockerfile on stdout, further files into the current folder.
dockerfile() {
    echo "FROM registry.example/debian:bookworm"
    case $1 in
    apt) echo "RUN apt-get update && apt-get install -y --no-install-recommends ${packages//$'\n'/} && rm -rf /var/lib/apt/lists/*" ;;
    pip)
        echo "RUN apt-get update && apt-get install -y --no-install-recommends python3-pip"
        echo "RUN pip install --break-system-packages flask requests"
        ;;
    venv)
        printf 'click\npyyaml\n' >requirements.txt
        echo "RUN apt-get update && apt-get install -y --no-install-recommends python3-venv"
        echo "COPY requirements.txt /"
        echo "RUN python3 -m venv /venv && /venv/bin/pip install -r /requirements.txt"
        ;;
    npm)
        echo '{"name":"app","version":"1.0.0","dependencies":{"express":"4.18.2"}}' >package.json
        npm install --package-lock-only --ignore-scripts --silent >/dev/null
        echo "RUN apt-get update && apt-get install -y --no-install-recommends npm"
        echo "WORKDIR /app"
        echo "COPY package.json package-lock.json ./"
        echo "RUN npm ci"
        ;;
    cargo)
        mkdir -p src
        printf '[package]\nname = "app"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\nitoa = "=1.0.9"\nmemchr = "=2.6.4"\n' >Cargo.toml
        printf 'fn main() {\n    println!("{}", itoa::Buffer::new().format(memchr::memchr(b"b"[0], b"ab").unwrap()));\n}\n' >src/main.rs
        echo "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates cargo-web gcc libc6-dev"
        echo "WORKDIR /app"
        echo "COPY . ."
        echo "RUN cargo build --release && target/release/app"
        ;;
    go)
        printf 'module app.example\n\ngo 1.19\n\nrequire rsc.io/quote v1.5.2\n' >go.mod
        printf 'package main\n\nimport (\n\t"fmt"\n\n\t"rsc.io/quote"\n)\n\nfunc main() { fmt.Println(quote.Hello()) }\n' >main.go
        go mod tidy >/dev/null 2>&1
        echo "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates golang-go"
        echo "WORKDIR /app"
        echo "COPY go.mod go.sum ./"
        echo "RUN go mod download"
        echo "COPY . ."
        echo "RUN go build -trimpath -o /usr/local/bin/app . && rm -rf /root/.cache"
        ;;
    curl)
        echo "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl \\"
        echo "    && mkdir /opt/app && curl -sSfL $npm_registry/left-pad/-/left-pad-1.3.0.tgz | tar xz -C /opt/app --strip-components 1"
        ;;
    wget)
        echo "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates unzip wget \\"
        echo "    && wget -q -O /tmp/text.zip $go_proxy/golang.org/x/text/@v/v0.14.0.zip && unzip -q /tmp/text.zip -d /opt && rm /tmp/text.zip"
        ;;
    pnpm)
        echo '{"name":"app","version":"1.0.0","dependencies":{"express":"4.18.2"}}' >package.json
        echo "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates npm"
        echo "RUN npm install -g pnpm@8.15.9"
        echo "WORKDIR /app"
        echo "COPY package.json ./"
        echo "RUN pnpm install && node -e 'require(\"express\")'"
        ;;
    typescript)
        echo "RUN apt-get update && apt-get install -y --no-install-recommends npm"
        echo "RUN npm install -g typescript@5.3.3 && tsc --version"
        ;;
    uv)
        echo "RUN apt-get update && apt-get install -y --no-install-recommends python3-pip"
        echo "RUN pip install --break-system-packages uv==0.4.30"
        echo "RUN uv pip install --system --break-system-packages flask && python3 -c 'import flask'"
        ;;
    hello)
        echo "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates golang-go"
        echo "RUN GONOSUMDB='*' go install rsc.io/hello@v1.0.0 && rm -rf /root/.cache"
        ;;
    maven)
        mkdir -p src/main/java
        printf 'public final class App {\n    public static void main(String[] arguments) {\n        System.out.println("hello");\n    }\n}\n' >src/main/java/App.java
        cat >pom.xml <<'POM'
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>example</groupId>
  <artifactId>app</artifactId>
  <version>1.0</version>
  <properties>
    <maven.compiler.release>17</maven.compiler.release>
    <project.build.outputTimestamp>2023-11-14T00:00:00Z</project.build.outputTimestamp>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
  </properties>
  <dependencies>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-api</artifactId><version>2.0.9</version></dependency>
  </dependencies>
</project>
POM
        echo "RUN apt-get update && apt-get install -y --no-install-recommends maven openjdk-17-jdk-headless && rm -rf /var/lib/apt/lists/*"
        echo "WORKDIR /app"
        echo "COPY . ."
        echo "RUN mvn -B -q package && java -cp target/app-1.0.jar App && rm -rf /root/.m2"
        ;;
    java)
        printf 'import java.io.InputStream;\nimport java.net.URI;\n\npublic final class Fetch {\n    public static void main(String[] a) throws Exception {\n        try (InputStream in = URI.create(a[0]).toURL().openStream()) {\n            System.out.write(in.readAllBytes());\n        }\n    }\n}\n' >Fetch.java
        echo "RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates openjdk-17-jdk-headless && rm -rf /var/lib/apt/lists/*"
        echo "COPY Fetch.java /"
        echo "RUN java /Fetch.java $npm_registry/left-pad/-/left-pad-1.3.0.tgz >/left-pad.tgz"
        ;;
    *) return 1 ;;
    esac
}

configuration() {
    printf '[registry."registry.example"]\nmirrors = ["%s"]\n\n[registry."%s"]\nhttp = true\n' "$RIG_REGISTRY" "$RIG_REGISTRY"
    # Names that lead to addresses which are not public here: what a user would be told to write.
    sort -u "$work/hosts" | while read -r host; do printf '\n[registry."%s"]\n' "$host"; done
}

# Runs with nothing but loopback; the rig's registry comes along.
cut_off() {
    # shellcheck disable=SC2016 # The inner shell expands them.
    unshare --net --mount -- bash -c '
        ip link set lo up
        docker-registry serve "$1" >/dev/null 2>&1 &
        registry=$!
        for _ in $(seq 50); do curl -sf -o /dev/null "http://$2/v2/" && break; sleep 0.1; done
        shift 2
        "$@"
        status=$?
        kill "$registry"
        exit "$status"' - "$work/registry.yml" "$RIG_REGISTRY" "$@"
}

digest_of() { grep -o 'sha256:[0-9a-f]\{64\}' "$1" | head -n 1; }

lock() {
    local _
    # Each round names one more host.
    for _ in $(seq 12); do
        configuration >"$REPRO_CONFIG"
        "$repro" lock >"$1.out" 2>"$1.err" && return 0
        grep -q 'is not public' "$1.err" || return 1
        grep 'is not public' "$1.err" | sed -n 's#^ *https\{0,1\}://\([^/:]*\).*#\1#p' >>"$work/hosts"
    done
    return 1
}

sed "s#rootdirectory:.*#rootdirectory: ${REPRO_REGISTRY_ROOT:-$(dirname "$(command -v crane)")/../registry}#" \
    "$(dirname "$(command -v crane)")/../registry.yml" >"$work/registry.yml"
: >"$work/hosts"
scrub=$("$repro" scrub list | sed -n 's#^\([a-z0-9-]*\)/[0-9].*#"\1"#p' | sort -u | paste -sd, -)
# Where pnpm 8 and its compile cache note times; docs/scrub.md has the paths of newer ones.
pnpm='"/**/node_modules/.modules.yaml", "/root/.local/share/pnpm/store/v*/files/*/*-index.json", "/root/.local/state/pnpm/*", "/tmp/v8-compile-cache-*/**"'
failed=0
total=0
printf '%-10s %9s %11s %7s %8s %8s  %s\n' name requests bytes lock verify verify result
[ $# -gt 0 ] || set -- apt pip venv npm cargo go curl wget pnpm typescript uv hello java maven
for name; do
    total=$((total + 1))
    folder=$work/$name
    mkdir -p "$folder" && cd "$folder" || exit 1
    dockerfile "$name" >Dockerfile.new || exit 2
    mv Dockerfile.new Dockerfile
    cat >repro.toml <<MANIFEST
version = 1
[image.app]
network = "locked"
source-date-epoch = "1700000000"
run-env = { SOURCE_DATE_EPOCH = "epoch", PYTHONDONTWRITEBYTECODE = "1", UV_NO_CACHE = "1" }
scrub = [$scrub, $pnpm]
MANIFEST
    git init -q . 2>/dev/null
    git add -A
    SECONDS=0
    result=ok
    lock "$work/$name.lock" || result="lock: $(grep -m 1 -A 3 error "$work/$name.lock.err" | tr '\n' ' ' | cut -c1-300)"
    locked=$SECONDS
    SECONDS=0
    first=- second=-
    if [ "$result" = ok ]; then
        "$repro" build --record >"$work/$name.build" 2>&1 || result="build: $(tail -n 3 "$work/$name.build" | tr '\n' ' ')"
    fi
    for run in first second; do
        [ "$result" = ok ] || break
        SECONDS=0
        cut_off "$repro" verify >"$work/$name.$run" 2>&1 || result="$run verify: $(grep -v '^note' "$work/$name.$run" | head -n 3 | tr '\n' ' ')"
        printf -v "$run" '%s' "${SECONDS}s"
    done
    if [ "$result" = ok ] && [ "$(digest_of "$work/$name.first")" != "$(digest_of "$work/$name.second")" ]; then
        result="two digests"
    fi
    [ "$result" = ok ] || failed=$((failed + 1))
    requests=$(grep -c '^[A-Z]* http' repro.app.tape 2>/dev/null)
    bytes=$(awk '/^[A-Z]* http/{sum += $5} END{print sum + 0}' repro.app.tape 2>/dev/null)
    printf '%-10s %9s %11s %6ss %8s %8s  %s\n' "$name" "${requests:--}" "${bytes:--}" "$locked" "$first" "$second" "$result"
done
echo "$((total - failed)) of $total reproduced with the network cut"
[ "$failed" -eq 0 ]
