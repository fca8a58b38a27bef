#!/usr/bin/env python3
"""Builds generated Dockerfiles with RUN through the native engine and through a running BuildKit, and compares the digests.

    differential.py REPRO BASES NUMBER [SEED]

REPRO is the binary, BASES the folder `bases` of tests/cases/native-run; BUILDKIT_HOST names the daemon. Prints what differs, with
its Dockerfile, and ends with 0 only if nothing does. Steps are made of harmless commands of busybox on paths that collide often.
"""
import json, os, random, subprocess, sys, tempfile

PATHS = ['/base/a', '/base/b', '/base/dir', '/base/dir/x', '/etc/passwd', '/etc', '/tmp/t', '/w', '/w/1', '/w/1/2', '/new', '/usr/n', '/base', '/etc/hosts', '/run/r', '/bin/x']


def command(r):
    p, q = r.choice(PATHS), r.choice(PATHS)
    return r.choice([
        f'mkdir -p {p}', f'mkdir {p}', f'echo {r.randrange(9)} > {p}', f'echo {r.randrange(9)} >> {p}', f'touch {p}', f'touch -d @1500000000 {p}',
        f'rm -f {p}', f'rm -rf {p}', f'rmdir {p}', f'mv {p} {q}', f'cp -a {p} {q}', f'cp {p} {q}', f'ln {p} {q}', f'ln -s {p} {q}', f'ln -sfn {p} {q}',
        f'chmod {r.choice(["600", "755", "4755", "2775", "1777"])} {p}', f'chown {r.choice(["1:1", "1000:50", "0:0"])} {p}', f'mkfifo {p}', f'mknod {p} c 1 3',
        f'cat {p} > {q}', f'rm -rf {p} && mkdir {p} && echo {r.randrange(3)} > {p}/x', f'ls -ln {p} | tr -s " " | cut -d" " -f1,3,4,9- > {q}', f'find {p} | sort > {q}',
        f'truncate -s {r.randrange(20000)} {p}', f'id > {q}', f'env | grep -vE "^(OTEL_|TRACEPARENT=)" | sort > {q}', f'pwd > {q}', f'stat -c "%a %u %g %s" {p} > {q}',
    ])


def run(r):
    mounts = ''
    for _ in range(r.choice([0, 0, 0, 1, 2])):
        target = r.choice(PATHS + ['/m', '/m/n', 'rel'])
        mounts += r.choice([f'--mount=type=tmpfs,target={target} ', f'--mount=type=cache,target={target} ', f'--mount=type=bind,target={target} ', f'--mount=type=bind,rw,target={target} ',
                            f'--mount=type=cache,uid=1000,mode=700,target={target} '])
    body = r.choice(['; ', ' ; ', '; ']).join(command(r) for _ in range(r.randrange(1, 6)))
    if r.random() < 0.15:
        return 'RUN ' + mounts + '<<END\n' + body.replace('; ', '\n') + '\ntrue\nEND\n'
    return 'RUN ' + mounts + '( ' + body + ' ) 2>/dev/null; true\n'


def dockerfile(r):
    text = f'FROM base.example/{r.choice(["box", "full"])}:1 AS one\n'
    for _ in range(r.randrange(1, 6)):
        text += r.choices([run(r), f'ENV V{r.randrange(3)}={r.randrange(9)}\n', f'ARG A{r.randrange(3)}={r.randrange(9)}\n', f'USER {r.choice(["root", "app", "1000:50", "4242"])}\n',
                           f'WORKDIR {r.choice(["/w", "/w/1", "/base/dir", "rel"])}\n', f'COPY f {r.choice(PATHS[:12])}/\n', 'COPY d /w/\n'], [8, 1, 1, 1, 1, 1, 1])[0]
    if r.random() < 0.3:
        text += f'FROM base.example/box:1\nCOPY --from=one {r.choice(["/base", "/etc", "/w*"])} /copied/\n' + run(r)
    return text


def build(repro, directory, engine):
    p = subprocess.run([repro, 'build', '--engine', engine, '--format', 'json', '--no-cache'], cwd=directory, capture_output=True, stdin=subprocess.DEVNULL, timeout=300)
    if p.returncode:
        return p.returncode, p.stderr.decode(errors='replace')[-600:]
    return 0, json.loads(p.stdout)['images'][0]['platforms'][0]['manifest']


def main():
    repro, bases, number = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]), int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    counts = {'equal': 0, 'fail alike': 0, 'refused': 0, 'different': 0}
    for n in range(seed, seed + number):
        text = dockerfile(random.Random(n))
        with tempfile.TemporaryDirectory() as d:
            os.makedirs(d + '/d/e')
            for path in ('f', 'd/g', 'd/e/h'):
                open(f'{d}/{path}', 'w').write(path)
            open(d + '/Dockerfile', 'w').write(text)
            contexts = ''.join(f'"base.example/{b}:1" = "oci-layout://{bases}/{b}"\n' for b in ('box', 'full') if f'base.example/{b}:1' in text)
            open(d + '/repro.toml', 'w').write('version = 1\n[image.case]\nsource-date-epoch = 1700000000\nplatforms = ["linux/amd64"]\n[image.case.contexts]\n' + contexts)
            lock = subprocess.run([repro, 'lock'], cwd=d, capture_output=True, stdin=subprocess.DEVNULL)
            if lock.returncode:
                sys.exit(lock.stderr.decode())
            native, truth = build(repro, d, 'native'), build(repro, d, 'buildctl')
        what = 'refused' if native[0] == 7 else 'fail alike' if native[0] and native[0] == truth[0] else 'equal' if native == truth else 'different'
        counts[what] += 1
        if what in ('different', 'refused'):
            print(f'-- {n}: {what}\n{text}   native: {native}\n   BuildKit: {truth}', flush=True)
    print(counts)
    sys.exit(1 if counts['different'] else 0)


main()
