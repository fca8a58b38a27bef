#!/usr/bin/env bash
# Two linters of Dockerfiles that mend what they find, by the fixes that they make on their own. Guess: they keep what the Dockerfile does and leave texts
# that it carries alone. Seen: dockerfile-doctor 0.1.5 turns an ADD from a URL, which can be pinned, into a download in RUN, makes a lasting WORKDIR of the
# `cd` of one RUN, and continues the line of a here-document, whose text is then no script any more. dockerfile-hardener 1.0.2 takes the lines of a file
# that COPY writes for instructions and changes them, and copies an archive where ADD unpacked it.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet dockerfile-doctor==0.1.5 dockerfile-hardener==1.0.2
cat > Dockerfile <<'DOCKERFILE'
# syntax=docker/dockerfile:1
FROM debian:13-slim
ADD https://files.example/style.css /srv/
ADD site.tar.gz /srv/
RUN cd /srv && ls
COPY <<EOF /usr/share/doc/app/example
FROM debian
ADD app /app
EOF
RUN <<EOF
apt-get update
apt-get install -y --no-install-recommends git=1:2.47.3-0+deb13u1
EOF
USER app
HEALTHCHECK NONE
DOCKERFILE
cp Dockerfile doctor && cp Dockerfile hardener
venv/bin/dockerfile-doctor --fix doctor >/dev/null 2>&1 || true
venv/bin/dockerfile-hardener fix hardener >/dev/null 2>&1 || true
for linter in doctor hardener; do
    echo "$linter:"
    diff Dockerfile "$linter" | tee "$linter.diff" || true
done
diff doctor.diff - <<'SEEN'
3c3
< ADD https://files.example/style.css /srv/
---
> RUN curl -fsSL -o /srv/style.css https://files.example/style.css
5c5,6
< RUN cd /srv && ls
---
> WORKDIR /srv
> RUN ls
10c11,12
< RUN <<EOF
---
> RUN <<EOF \
>     && rm -rf /var/lib/apt/lists/*
SEEN
diff hardener.diff - <<'SEEN'
4c4
< ADD site.tar.gz /srv/
---
> COPY site.tar.gz /srv/
8c8
< ADD app /app
---
> COPY --chown=app:app app /app
SEEN
