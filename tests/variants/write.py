#!/usr/bin/env python3
"""Writes image archives that are right or wrong in one small thing, and list.json with what each has to end with.

    tests/variants/write.py FOLDER

They add to tests/cases/hostile what its rows leave out, and are made of its parts.
"""
import json
import os
import sys
import zlib

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'cases', 'hostile'))
from hostile_base import *  # noqa: E402,F401,F403

CASES = {}
FULL_NAME = 'io.containerd.image.name'


def case(status, name, make):
    if name in CASES:
        raise AssertionError('two cases are called ' + name)
    CASES[name] = (status, make)


def right(name, make):
    case(0, name, make)


def wrong(name, make):
    case(6, name, make)


def each(status, what, values, make):
    for number, value in enumerate(values):
        name = '%s %.60r (%d of those with %d)' % (what, value, number, status)
        case(status, name, lambda value=value: make(value))


def layer(*parts, **how):
    return lambda: oci_layer(*parts, **how)


def packed(blob, media=OCI_GZIP):
    return lambda: oci_blob(blob, RAW, media)


def zstd(blob):
    return packed(blob, OCI_ZSTD)


def image(**how):
    return lambda: oci1(**how)


def index(*images):
    """An index below index.json, of images that are made by functions of the layout."""
    def make():
        lay = Layout()
        return lay.finish([lay.index([make(lay) for make in images])])
    return make


def one(word='one', **how):
    return lambda lay: lay.image([tgz(tar(*tree(word)))], **how)


def nested(levels):
    def make():
        lay = Layout()
        d = lay.image()
        for _ in range(levels):
            d = lay.index([d])
        return lay.finish([d])
    return make


def views(tags=('example.org/app:1.0',), man=None, **annotations):
    """An archive of both views, whose index.json gives these names."""
    lay = Layout()
    d = lay.image(annotations=annotations)
    return lay.finish([d], docker=docker_view(lay, tags, man=man))


def links(target):
    """A docker archive of the old form whose layers are all links."""
    def change(parts):
        return [symlink(p[0], target) if not isinstance(p, bytes) and p[0].endswith('/layer.tar') else p for p in parts]
    return lambda: docker1(style='legacy', members=change)


RAW = tar(*tree())
GZIP, ZSTD = gz(RAW), zst(RAW)

# ---------------------------------------------------------------------------------------------------------- documents
NO_SIZES = ['1e3', '-0', '+5', '0x10', '1E400', '123456789012345678901234567890', 'true', '[]', '{}', '"0"', '.5', '5.', 'Infinity']
each(6, 'layer size', NO_SIZES, lambda text: oci1(man=at('layers', 0, 'size', v=literal(text))))
each(6, 'manifest size', NO_SIZES, lambda text: oci1(desc=at('size', v=literal(text))))
NO_VERSIONS = ['2.0', '"2"', 'true', '3', '1', '20', '02', 'null']
each(6, 'manifest version', NO_VERSIONS, lambda text: oci1(man=at('schemaVersion', v=literal(text))))
each(6, 'index version', NO_VERSIONS, lambda text: oci1(index=at('schemaVersion', v=literal(text))))
NO_MEMBERS = ['"annotations":{"a":{"b":1,"b":2}}', '"x":{"a":[{"b":1,"b":2}]}', '"a\x01":1', r'"a\x41":1', r'"\udc00\ud800":1', r'"a":"\ud800"',
              '"d":' + '[' * 200 + ']' * 200, '"layer\u017f":[]', '"Layers":[]', '"manifests":null', '"fsLayers":[]', '"a":01', '"a":1.', '"a":nul']
each(6, 'manifest member', NO_MEMBERS, lambda text: oci1(man_raw=sub('"schemaVersion"', text + ',"schemaVersion"')))
each(0, 'manifest member', [r'"\ud83d\ude00":1', '"d":' + '[' * 100 + ']' * 100, '"blobs":[]', '"a":1.5e3', '"x":[[],{}]'],
     lambda text: oci1(man_raw=sub('"schemaVersion"', text + ',"schemaVersion"')))
each(6, 'manifest bytes', [b'\xc0\xaf', b'\xed\xa0\x80', b'\xff', b'\xf4\x90\x80\x80'],
     lambda data: oci1(man_raw=lambda d: d.replace(b'"schemaVersion"', b'"' + data + b'":1,"schemaVersion"')))
each(6, 'index.json', [b'', b' \n', b'\x0b{', b'\xc2\xa0', b'/**/{}', b'{}', b'null', b'[]', b'""', b'{"manifests":[]}'], lambda data: oci1(index_raw=lambda d: data))
each(6, 'index manifests', [None, {}, [], [None], [{}], ['x'], [[]]], lambda value: oci1(index=at('manifests', v=value)))
each(6, 'oci-layout', [b'', b'{}', b'["1.0.0"]', LAYOUT + b'{}', b'\xef\xbb\xbf' + LAYOUT, b' ' * 5000 + LAYOUT, b'{"imageLayoutVersion":1}',
                       b'{"imageLayoutVersion":"1.0.1"}', b'{"imageLayoutVersion":"1.0.0","imageLayoutVersion":"1.0.0"}'], lambda data: oci1(layout=data))
wrong('config with objects in objects', image(cfg_raw=sub('"created"', '"d":' + '{"a":' * 100000 + '1' + '}' * 100000 + ',"created"')))
wrong('config with a text of 2 MiB', image(cfg_raw=sub('"created"', '"d":"' + 'x' * (2 << 20) + '","created"')))
wrong('config with rootfs in another spelling', image(cfg_raw=sub('"rootfs"', '"RootFS"')))
wrong('config with rootfs in two spellings', image(cfg_raw=sub('"rootfs":', '"Rootfs":{},"rootfs":')))
wrong('config with a label twice', image(cfg_raw=sub('"WorkingDir"', '"Labels":{"a":"1","a":"2"},"WorkingDir"')))
NO_DIGESTS = ['sha256', 'sha256:', ':', 'sha256:' + 'g' * 64, 'sha256:' + '0' * 64 + '\0', 'sha-256:' + '0' * 64, 'sha256+b64:' + '0' * 64,
              'sha384:' + '0' * 96, 'sha512:' + '0' * 64, '\u0455ha256:' + '0' * 64, 'sha256:' + '\uff10' * 64]
each(6, 'layer digest', NO_DIGESTS, lambda text: oci1(man=at('layers', 0, 'digest', v=text)))
each(6, 'config digest', NO_DIGESTS, lambda text: oci1(man=at('config', 'digest', v=text)))
each(6, 'diff ID', NO_DIGESTS + [5, None, {}], lambda text: oci1(cfg=at('rootfs', 'diff_ids', 0, v=text)))
each(6, 'layer type', ['', ' ', None, 5, 'x', 'a/b/c', OCI_GZIP + ' ', OCI_GZIP + '; charset=utf-8', OCI_GZIP.upper(), OCI_TAR + '+bzip2', OCI_TAR + '+xz',
                       OCI_ZSTD, OCI_TAR, OCI_CONFIG, OCI_MANIFEST, OCI_INDEX], lambda value: oci1(man=at('layers', 0, 'mediaType', v=value)))
each(0, 'layer type', ['application/vnd.example.thing', 'text/plain; charset=utf-8', OCI_GZIP + '+encrypted'], lambda value: oci1(man=at('layers', 0, 'mediaType', v=value)))
each(6, 'manifest type', [OCI_GZIP, OCI_CONFIG, OCI_INDEX, 'application/VND.oci.image.manifest.v1+json', ''],
     lambda value: oci1(desc=at('mediaType', v=value)))
each(6, 'manifest type inside', [OCI_INDEX, DOCKER_MANIFEST, 5], lambda value: oci1(man=at('mediaType', v=value)))
each(6, 'index.json type inside', [OCI_MANIFEST, 'x', 5], lambda value: oci1(index=at('mediaType', v=value)))
each(6, 'index.json with', ['layers', 'config'], lambda name: oci1(index=at(name, v=[])))
each(6, 'slip', ['mediaTypf', 'manifestr', 'annotatiqns'], lambda name: oci1(index=at(name, v={})))
each(6, 'slip in an annotation', [REF_NAME[:-1] + 'f', FULL_NAME[:-1] + 'E'], lambda name: oci1(annotations={name: 'x'}))
right('names that are far from known ones', image(index=both(at('date', v=1), at('manifest', v=1), at('x-config', v=1))))
each(6, 'urls', ['https://x.example', [1], {}], lambda value: oci1(man=at('layers', 0, 'urls', v=value)))
each(6, 'config data', ['***', '_-__', 1, b64(b'x'), ''], lambda value: oci1(man=at('config', 'data', v=value)))
right('layer data', image(man=at('layers', 0, 'data', v=b64(two_layers()[0].blob))))
each(6, 'annotations', [{'a': {'b': 'c'}}, ['a'], {'a': None}, {'a': 1}], lambda value: oci1(man=at('annotations', v=value)))
each(6, 'index annotations', [{'a': {'b': 'c'}}, ['a'], {'a': None}], lambda value: oci1(index=at('annotations', v=value)))
each(6, 'subject', ['x', {'mediaType': OCI_MANIFEST, 'digest': 'md5:1', 'size': 1}, {'mediaType': OCI_MANIFEST, 'digest': 'sha256:' + '0' * 64}],
     lambda value: oci1(man=at('subject', v=value)))

# -------------------------------------------------------------------------------------------------------------- configs
each(6, 'config document', [b'[]', b'null', b'1', b'"x"', b''], lambda data: oci1(cfg_raw=lambda d: data))
for path, value in [(('history',), {}), (('history', 0, 'empty_layer'), 'false'), (('history', 0, 'created'), '2024-13-01T00:00:00Z'),
                    (('history', 0, 'created_by'), 1), (('created',), 'yesterday'), (('architecture',), 64), (('os',), None), (('config', 'Env'), 'A=b'),
                    (('config', 'Env'), [1]), (('config', 'Labels'), {'a': 1}), (('config', 'Cmd'), '/bin/sh'), (('config', 'User'), 0),
                    (('config', 'ExposedPorts'), ['80']), (('config',), []), (('rootfs',), []), (('rootfs', 'diff_ids'), {})]:
    wrong('config %s %r' % ('.'.join(map(str, path)), value), image(cfg=at(*path, v=value)))
right('config with a time of another zone', image(cfg=at('created', v='2024-01-01T02:00:00.123456789+02:00')))
wrong('descriptor of another variant', image(arch='arm', variant='v7', desc=at('platform', 'variant', v='v6')))
right('descriptor of the usual variant', image(arch='arm64', desc=at('platform', 'variant', v='v8')))
wrong('descriptor of a system in capitals', image(desc=at('platform', 'os', v='Linux')))
wrong('descriptor of another system', image(desc=at('platform', 'os', v='windows')))
each(6, 'descriptor platform', [{'os': 'linux'}, 'linux/amd64', {'os': 1, 'architecture': 'amd64'}, []], lambda value: oci1(desc=at('platform', v=value)))

# ---------------------------------------------------------------------------------------------------------------- graph
right('indexes three levels deep', nested(3))
each(6, 'indexes so deep', [4, 400], lambda levels: nested(levels)())
wrong('one platform as amd64 and amd64/v1', index(one(), one('two', variant='v1')))
wrong('one platform as arm64 and arm64/v8', index(one(arch='arm64'), one('two', arch='arm64', variant='v8')))
wrong('one platform as arm and arm/v7', index(one(arch='arm'), one('two', arch='arm', variant='v7')))
wrong('one platform as amd64 and x86_64', index(one(), one('two', arch='x86_64')))
wrong('one platform by the configs', index(one(platform=False), one('two', platform=False)))
right('two variants', index(one(arch='arm', variant='v6'), one('two', arch='arm', variant='v7')))
wrong('manifest listed as an index', image(desc=at('mediaType', v=OCI_INDEX)))
wrong('config as the layers', image(man=lambda m: dict(m, layers=[dict(m['config'], mediaType=OCI_TAR)] * 2)))

# ---------------------------------------------------------------------------------------------------------------- names
each(6, 'RepoTags', ['\x1b[31mx', 'a b', '../x', '', 'x' * 1000, 'UPPER:1', 'a:b:c', '-x', 'x\n', '@', '.', 'a//b', 'a:', ':1', 'a@sha256:1', '0' * 64],
     lambda name: docker1(tags=(name,)))
each(0, 'RepoTags', ['app:1', 'localhost:5000/a/b_c:1.0', 'example.org/a__b', 'a@sha256:' + '0' * 64], lambda name: docker1(tags=(name,)))
right('names of both views that agree', lambda: views(**{FULL_NAME: 'example.org/app:1.0', REF_NAME: '1.0'}))
right('a familiar name in one view', lambda: views(('app:1',), **{FULL_NAME: 'docker.io/library/app:1', REF_NAME: '1'}))
right('a name in one view only', lambda: views((), **{FULL_NAME: 'example.org/app:1.0'}))
wrong('names of both views that differ', lambda: views(('example.org/apq:1.0',), **{FULL_NAME: 'example.org/app:1.0'}))
wrong('one name more in one view', lambda: views(('example.org/app:1.0', 'example.org/app:2'), **{FULL_NAME: 'example.org/app:1.0'}))
each(6, 'whole name', ['EXAMPLE', 'a b', '', 'a:', '\x1b'], lambda name: oci1(tag=None, annotations={FULL_NAME: name}))
wrong('a tag that is not the name\'s', lambda: oci1(tag=None, annotations={FULL_NAME: 'example.org/app:1.0', REF_NAME: '1.1'}))
each(0, 'reference name', ['a b', '../x', '\x1b[31mx', 'UPPER/case:1'], lambda name: oci1(tag=None, annotations={REF_NAME: name}))

# ------------------------------------------------------------------------------------------------------ entries of layers
each(6, 'name', ['..', './..', 'a/..', 'a/./../b', '/..', 'a/../a'], lambda name: oci_layer(ent(name, 'x')))
each(0, 'name', ['a\\..\\b', '.../x', '. .', '-rf', ' '], lambda name: oci_layer(ent(name, 'x')))
wrong('name of 256 bytes', layer(pax(('path', 'n' * 256)) + ent('n', 'x')))
wrong('name of 4101 bytes', layer(pax(('path', 'n/' * 2050 + 'x')) + ent('n', 'x')))
wrong('empty PAX path', layer(pax(('path', '')) + ent('n', 'x')))
wrong('empty PAX linkpath', layer(pax(('linkpath', '')) + symlink('n', 'x')))
wrong('symbolic link to nothing', layer(symlink('n', '')))
each(6, 'hard link', ['', 'etc', 'absent', 'n', 'etc/../etc/hostname', '../etc/hostname', 'etc/hostname/x'], lambda target: oci_layer(hardlink('n', target)))
right('hard link with a slash in front', layer(hardlink('n', '/etc/hostname')))
wrong('hard link to a later file', layer(hardlink('n', 'zz'), ent('zz', 'x')))
wrong('hard link to a symbolic link', layer(symlink('s', 'etc/hostname'), hardlink('n', 's')))
wrong('hard link over a link that leaves', layer(symlink('a', '../../etc'), hardlink('n', 'a/passwd')))
each(6, 'size of kind', [b'1', b'2', b'3', b'5', b'6'], lambda kind: oci_layer(hdr('n', typ=kind, link='etc/hostname', size=512) + bytes(512)))
each(6, 'kind', [b'8', b'9', b'A', b'D', b'M', b'N', b'V', b'X', b'Z', b'a', b'\xff', b'\1'], lambda kind: oci_layer(hdr('n', typ=kind)))
each(6, 'file called', ['n/', 'n//'], lambda name: oci_layer(ent(name, 'x')))
wrong('entry below a link to a file', layer(symlink('l', 'etc/hostname'), ent('l/x', 'x')))
wrong('entry below a link over a link that leaves', layer(symlink('a', 'b'), symlink('b', '/tmp'), ent('a/x', 'x')))
right('entry below a link over a link', layer(symlink('a', 'b'), symlink('b', 'usr'), ent('a/x', 'x')))
wrong('entry below a loop', layer(symlink('a', 'b'), symlink('b', 'a'), ent('a/x', 'x')))
wrong('entry twice over a link', layer(symlink('a', 'usr'), ent('usr/z', 'x'), ent('a/z', 'y')))
wrong('link in place of a folder', layer(ent('a/x', 'y'), symlink('a', 'usr')))
wrong('entry below a hard link', layer(hardlink('h', 'etc/hostname'), ent('h/x', 'x')))
wrong('folder and file', layer(directory('q/'), ent('q', 'x')))
wrong('entry below a link above the root', layer(symlink('usr/up', '../../..'), ent('usr/up/x', 'x')))
right('entry below a link to the root', layer(symlink('usr/lib/up', '../..'), ent('usr/lib/up/new', 'x')))
each(6, 'whiteout', ['.wh.', '.wh..', '.wh...', '.wh..wh.', '.wh..wh.x', '.wh..wh..opq2', '.wh./x', 'a/.wh.', '.wh..wh.plnk'], lambda name: oci_layer(ent(name)))
each(6, 'whiteout as', [b'1', b'2', b'3', b'5', b'6'], lambda kind: oci_layer(hdr('.wh.q', typ=kind, link='etc/hostname')))
wrong('whiteout twice', layer(ent('.wh.q'), ent('.wh.q')))
wrong('entry below a whiteout', layer(ent('.wh.q'), ent('.wh.q/x', 'x')))

# -------------------------------------------------------------------------------------------------------------- headers
for field, at_byte, value in [('size', 124, b'00000000 01\0'), ('size', 124, b'0000000000x\0'), ('size', 124, b'        -1\0 '), ('size', 124, b'\x80' + b'\xff' * 11),
                              ('size', 124, b'\xff' * 12), ('uid', 108, b'+000001\0'), ('mode', 100, b'99999999'), ('mtime', 136, b'0x000000001\0'),
                              ('mtime', 136, b'\xbf' + b'\xff' * 11), ('gid', 116, b'\xff' * 8), ('device', 329, b'zzzzzzzz'), ('device', 337, b'\xff' * 8),
                              ('magic', 257, b'ustar\x0001'), ('magic', 257, b'ustar 00'), ('magic', 257, b'rustar\0\0'), ('magic', 257, b'ustar  \1')]:
    wrong('%s field %r' % (field, value), layer(hdr('n', put=[(at_byte, value)])))
right('time before 1970 in binary', layer(hdr('n', put=[(136, b'\xff' * 12)])))
wrong('checksum', layer(ent('n', 'x', check='bad')))
wrong('PAX before the old format', layer(pax(('path', 'q')) + ent('n', 'x', fmt='v7')))
wrong('PAX in the old format', layer(pax(('path', 'q'), fmt='v7') + ent('n', 'x')))
wrong('PAX before a long name', layer(pax(('mtime', '1')) + gnu_long(b'L', 'q' * 120) + ent('n', 'x', fmt='gnu')))
wrong('PAX behind a long name', layer(gnu_long(b'L', 'q' * 120) + pax(('mtime', '1')) + ent('n', 'x', fmt='gnu')))
wrong('long link before a file', layer(gnu_long(b'K', 'q' * 120) + ent('n', 'x', fmt='gnu')))
wrong('linkpath before a file', layer(pax(('linkpath', 'etc/hostname')) + ent('n', 'x')))
wrong('long name at the end', layer(gnu_long(b'L', 'q' * 120)))
wrong('two long links', layer(gnu_long(b'K', 'q') + gnu_long(b'K', 'r') + symlink('n', 'x', fmt='gnu')))
wrong('empty long name', layer(ent('././@LongLink', b'', typ=b'L', fmt='gnu') + ent('n', 'x', fmt='gnu')))
wrong('long name with NUL', layer(gnu_long(b'L', b'a\0b') + ent('n', 'x', fmt='gnu')))
each(6, 'global PAX', ['path', 'linkpath', 'size', 'mtime', 'uid', 'SCHILY.xattr.user.a', 'GNU.sparse.major'],
     lambda key: oci_layer(pax((key, '1'), typ=b'g') + ent('n', 'x')))
right('global PAX with a comment', layer(pax(('comment', 'q'), typ=b'g') + ent('n', 'x')))
wrong('global PAX at the end', layer(pax(('comment', 'q'), typ=b'g')))
each(6, 'PAX record', [b'06 a=b\n', b'+6 a=b\n', b' 6 a=b\n', b'6  a=b\n', b'7 a=b\n', b'5 a=b\n', b'6 a=b', b'a=b\n', b'0\n', b'4 =\n', b'-6 a=b\n', b'6\ta=b\n',
                       b'7 path\n', b'99999999999999999999 a=b\n', b'6 ab=\n\0', record('comment', '1') * 2, record('comment', '1') + bytes(2)],
     lambda text: oci_layer(pax(text) + ent('n', 'x')))
for key, value in [('size', '-1'), ('size', '1e3'), ('size', ' 1'), ('size', '1.0'), ('size', '9' * 19), ('uid', '-1'), ('uid', 'x'), ('mtime', 'x'), ('mtime', '.5'),
                   ('mtime', '1e5'), ('mtime', '--1'), ('mtime', '1.5.5'), ('mtime', ''), ('mtime', '9' * 23), ('uname', 'a\0b'), ('SCHILY.realsize', '5'),
                   ('SCHILY.xattr.', 'x'), ('SCHILY.xattr.user.a', '1' * 70000)]:
    wrong('PAX %s=%.20r' % (key, value), layer(pax((key, value)) + ent('n', 'x')))
right('PAX time before 1970', layer(pax(('mtime', '-1.5')) + ent('n', 'x')))
right('attribute under two keys', layer(pax(('SCHILY.xattr.user.a', '1'), ('LIBARCHIVE.xattr.user.a', 'MQ==')) + ent('n', 'x')))
wrong('attribute with two values', layer(pax(('SCHILY.xattr.user.a', '1'), ('LIBARCHIVE.xattr.user.a', 'Mg==')) + ent('n', 'x')))
wrong('65 attributes', layer(pax(*[('SCHILY.xattr.user.a%d' % i, '1') for i in range(65)]) + ent('n', 'x')))


def sparse(name='q', version=('1', '0'), table=b'1\n0\n512\n'):
    records = [('GNU.sparse.major', version[0]), ('GNU.sparse.minor', version[1]), ('GNU.sparse.name', name), ('GNU.sparse.realsize', '4096')]
    return layer(pax(*records) + ent('n', fill(table) + b'A' * 512))


right('sparse by PAX', sparse())
wrong('sparse by PAX, no numbers', sparse(table=b'zz\n'))
wrong('sparse by PAX, many ranges', sparse(table=b'99999999999\n0\n512\n'))
wrong('sparse by PAX, out of the root', sparse('../q'))
wrong('sparse by PAX, version 2', sparse(version=('2', '0')))
wrong('sparse by PAX 0.1, fewer ranges', layer(pax(('GNU.sparse.size', '4096'), ('GNU.sparse.numblocks', '2'), ('GNU.sparse.map', '0,512')) + ent('n', b'A' * 512)))
wrong('sparse, larger than it says', layer(gnu_sparse('n', 100, [(0, b'A' * 512)])))
wrong('sparse, ranges out of order', layer(gnu_sparse('n', 4096, [(1024, b'A' * 512), (0, b'B' * 512)])))
wrong('sparse, another stored size', layer(gnu_sparse('n', 4096, [(0, b'A' * 512)], total=1024) + bytes(512)))
wrong('sparse, map cut', layer(gnu_sparse('n', 4096, [(0, b'A' * 512)], more=b'\1')))

# ----------------------------------------------------------------------------------------------------- ends and packing
wrong('entry behind a block of zeros', layer(end=bytes(512) + ent('n', 'x') + END))
wrong('byte behind the end', layer(end=END + b'x'))
wrong('tar behind the end', layer(end=END + tar(ent('n', 'x'))))
wrong('end of 100 bytes', layer(end=bytes(100)))
wrong('layer of text', lambda: oci1([plain(b'hello' * 200)]))
wrong('layer packed twice', lambda: oci_blob(gz(GZIP), GZIP))
wrong('layer in zlib\'s format', packed(zlib.compress(RAW)))
for name, blob in [('zero', GZIP + b'\0'), ('zeros', GZIP + bytes(512)), ('half of a magic', GZIP + b'\x1f'), ('magic', GZIP + b'\x1f\x8b'), ('reserved flag', gz(RAW, flags=0x20)),
                   ('method', gz(RAW, method=7)), ('length', GZIP[:-4] + bytes(4)), ('checksum', GZIP[:-8] + bytes(4) + GZIP[-4:]), ('cut', GZIP[:-1]),
                   ('half', GZIP[:len(GZIP) // 2]), ('header cut', GZIP[:5]), ('tar behind it', GZIP + RAW), ('long name', gz(RAW, name='n' * 70000)),
                   ('header checksum', (lambda g: g[:10] + bytes([g[10] ^ 1]) + g[11:])(gz(RAW, hcrc=True)))]:
    wrong('gzip: ' + name, packed(blob))
right('gzip with all header fields', packed(gz(RAW, name='n', comment='c', extra=b'ab\1\0x', hcrc=True)))
right('gzip with a member for each block', packed(b''.join(gz(RAW[i:i + 512]) for i in range(0, len(RAW), 512))))
wrong('gzip with zeros in a second member', packed(GZIP + gz(bytes(512))))
wrong('gzip with a tar in a second member', packed(GZIP + gz(tar(ent('evil', 'x')))))
SKIPPED = b'\x50\x2a\x4d\x18'
for name, blob in [('checksum', zst(RAW, wrong_sum=True)), ('skippable frame cut', ZSTD + SKIPPED + b'\4\0\0\0ab'), ('skippable frame of 4 GiB', ZSTD + SKIPPED + b'\xff' * 4),
                   ('zero', ZSTD + b'\0'), ('magic', ZSTD + ZSTD_MAGIC), ('dictionary', ZSTD_MAGIC + bytes([5, 56, 5]) + ZSTD[6:]),
                   ('reserved bit', ZSTD[:4] + bytes([ZSTD[4] | 8]) + ZSTD[5:]), ('content size', zst(RAW, content=len(RAW) + 1)), ('smaller content', zst(RAW, content=len(RAW) - 1)),
                   ('window', zst(RAW, window_log=28)), ('reserved block', zstd_header() + zstd_block(3, 0, b'', True)),
                   ('large block', zstd_header() + zstd_block(0, len(RAW), RAW) + zstd_block(0, 200000, bytes(200000), True)),
                   ('no last block', zstd_header() + zstd_block(0, len(RAW), RAW)), ('gzip behind it', zst(RAW[:1000]) + gz(RAW[1000:])),
                   ('old magic', b'\x27' + ZSTD[1:]), ('gzip', GZIP)]:
    wrong('zstd: ' + name, zstd(blob))
wrong('zstd called gzip', packed(ZSTD))
right('zstd with skippable frames', zstd(SKIPPED + b'\4\0\0\0abcd' + ZSTD + b'\x5f\x2a\x4d\x18' + bytes(4)))
right('zstd in two frames', zstd(zst(RAW[:1000]) + zst(RAW[1000:])))
right('zstd with its content\'s size', zstd(zst(RAW, content=len(RAW))))
right('zstd with the largest window', zstd(zst(RAW, window_log=27)))

# ------------------------------------------------------------------------------------------------------------- archives
each(6, 'member of kind', [b'1', b'2', b'3', b'4', b'6'], lambda kind: oci1(members=lambda parts: parts + [hdr('x', typ=kind, link='index.json')]))
each(6, 'member', ['../x', '/x', './index.json', 'blobs/../index.json', 'index.json/x', 'blobs/sha256'], lambda name: oci1(members=lambda parts: parts + [(name, b'{}')]))
right('member in capitals', image(members=lambda parts: parts + [('INDEX.JSON', b'{}')]))
wrong('oci-layout as a folder', image(members=replace_member('oci-layout', directory('oci-layout/'))))
wrong('sparse member', image(members=lambda parts: parts + [gnu_sparse('x', 512, [(0, b'A' * 512)])]))
wrong('archive and a byte', lambda: oci1() + b'x')
wrong('archive twice', lambda: oci1() + oci1())
wrong('archive cut', lambda: oci1()[:-2000])
wrong('archive in gzip', lambda: gz(oci1()))
wrong('archive in zstd', lambda: zst(oci1()))

# ------------------------------------------------------------------------------------------------------ docker archives
for name, value in [('Config', '/etc/passwd'), ('Config', '../x'), ('Config', ''), ('Config', None), ('Layers', None), ('Layers', 'x'), ('Layers', [1]), ('RepoTags', 'x'),
                    ('RepoTags', [1]), ('Parent', 5), ('LayerSources', []), ('LayerSources', {'x': {}}),
                    ('LayerSources', {'sha256:' + '0' * 64: {'mediaType': OCI_GZIP, 'size': -1, 'digest': 'sha256:' + '0' * 64}})]:
    wrong('docker %s %.40r' % (name, value), lambda name=name, value=value: docker1(man=at(0, name, v=value)))
each(6, 'docker manifest', [b'[]', b'[null]', b'{}', b'null', b'', b'[[]]'], lambda data: docker1(man_raw=lambda d: data))
wrong('docker Layers with one more', lambda: docker1(man=at(0, 'Layers', by=lambda names: names + names[:1])))
wrong('docker Layers turned round', lambda: docker1(man=at(0, 'Layers', by=lambda names: names[::-1])))
wrong('docker config in another spelling', lambda: docker1(man_raw=sub('"Config"', '"config"')))
wrong('docker config in two spellings', lambda: docker1(man_raw=sub('"Config"', '"config":"x","Config"')))
wrong('docker tag of two images', lambda: docker1(man=lambda m: m + [dict(m[0], Layers=m[0]['Layers'][:1])]))
each(6, 'docker layers all linked to', ['../../etc/passwd', '..', 'layer.tar', '/layer.tar', ''], lambda target: links(target)())
wrong('both views, layers turned round', lambda: views(man=at(0, 'Layers', by=lambda names: names[::-1])))
wrong('both views, one image more', lambda: views(man=lambda m: m + [dict(m[0], Config='index.json', RepoTags=['a:1'])]))
wrong('both views, a layer that is none', lambda: views(man=at(0, 'Layers', 0, v='index.json')))
wrong('both views, one without images', lambda: views(man=lambda m: []))


def main():
    folder = sys.argv[1]
    os.makedirs(folder, exist_ok=True)
    listed = []
    for number, (name, (status, make)) in enumerate(CASES.items()):
        file = '%03d.tar' % number
        with open(os.path.join(folder, file), 'wb') as out:
            out.write(make())
        listed.append({'name': name, 'file': file, 'status': status})
    with open(os.path.join(folder, 'list.json'), 'w', encoding='utf-8') as out:
        json.dump(listed, out)


main()
