"""summarise.py DOCUMENT DIRECTORY: a summary of `repro build` or `repro verify` in Markdown on stdout; annotations of the
lines of Dockerfiles on stderr, as GitHub's workflow commands."""
import json
import os
import re
import sys


def cell(value):
    """A text that is one cell of a Markdown table, whatever is in it."""
    text = " ".join(str("" if value is None else value).split())
    return "".join("\\" + c if c in "\\`*_{}[]()<>#+!|~" else c for c in text)


def data(text):
    """A text as the message of a workflow command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def field(text):
    """A text as a property of a workflow command."""
    return data(text).replace(":", "%3A").replace(",", "%2C")


def annotate(directory, file, line, message):
    path = os.path.normpath(os.path.join(directory, file))
    print(f"::error file={field(path)},line={int(line)}::{data(message)}", file=sys.stderr)


def main(path, directory):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        document = json.loads(text)
    except ValueError:
        print("**repro** gave no document")
        return
    print(f"### repro: status {cell(document.get('status'))}\n")
    images = document.get("images") or []
    if images:
        print("| image | platform | verdict | digest |\n|---|---|---|---|")
    for image in images:
        for platform in image.get("platforms") or []:
            built = platform.get("rebuilt") or platform
            verdict = platform.get("verdict") or platform.get("record") or ""
            if platform.get("level"):
                verdict = f"{verdict} in the {platform['level']}"
            cells = [image.get("image"), platform.get("platform"), verdict, built.get("manifest")]
            print("| " + " | ".join(map(cell, cells)) + " |")
        explanation = image.get("explanation") or {}
        for compared in explanation.get("platforms") or []:
            for difference in compared.get("differences") or []:
                if difference.get("line"):
                    message = f"{difference.get('code')} {difference.get('name')}: {difference.get('message')}"
                    annotate(directory, "Dockerfile", difference["line"], message)
    error = document.get("error")
    if error:
        message = error.get("message") or ""
        print(f"\n**error:** {cell(message)}\n")
        if error.get("hint"):
            print(f"hint: {cell(error['hint'])}\n")
        place = re.match(r"([^\s:]+):(\d+): ", message)
        if place:
            annotate(directory, place[1], place[2], message[place.end():])


main(*sys.argv[1:])
