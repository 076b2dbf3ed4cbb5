"""Makes broken, hostile and odd files with Python's standard library: `make_odd_files.py FOLDER MEGABYTES`."""

import gzip
import io
import os
import sqlite3
import sys
import tarfile
import zipfile
import zlib

folder, megabytes = sys.argv[1], int(sys.argv[2])
MIB = 1024 * 1024


def path(name: str) -> str:
    return os.path.join(folder, name)


def write(name: str, content: bytes) -> None:
    with open(path(name), "wb") as file:
        file.write(content)


def archive(name: str, parts: "dict[str, bytes]", method: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path(name), "w", method) as made:
        for inner, content in parts.items():
            made.writestr(inner, content)


WORKBOOK = (
    b'<workbook xmlns:r="r"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
)
RELS = b'<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>'


def workbook(name: str, sheet: bytes, **more: bytes) -> None:
    parts = {"xl/workbook.xml": WORKBOOK, "xl/_rels/workbook.xml.rels": RELS, "xl/worksheets/sheet1.xml": sheet}
    archive(name, {**parts, **{key.replace("__", "/") + ".xml": value for key, value in more.items()}})


# Bombs, written piece by piece.
with gzip.open(path("zeros.gz"), "wb", 1) as file:
    for _ in range(megabytes):
        file.write(bytes(MIB))
with zipfile.ZipFile(path("bomb.xlsx"), "w", zipfile.ZIP_DEFLATED) as made:
    made.writestr("xl/workbook.xml", WORKBOOK)
    made.writestr("xl/_rels/workbook.xml.rels", RELS)
    with made.open("xl/worksheets/sheet1.xml", "w") as part:
        part.write(b"<worksheet><sheetData>")
        for _ in range(megabytes):
            part.write(b" " * MIB)
with zipfile.ZipFile(path("bomb.zip"), "w", zipfile.ZIP_DEFLATED) as made:
    with made.open("zeros", "w") as part:
        for _ in range(megabytes):
            part.write(bytes(MIB))

archive("slip.zip", {"../../etc/passwd": b"root", "/abs/a.txt": b"abs", "a/../../b.txt": b"b", "..\\w.txt": b"w"})
archive("empty.zip", {})
archive("same-names.zip", {"a.txt": b"1"})
with zipfile.ZipFile(path("same-names.zip"), "a") as made:
    made.writestr("a.txt", "2")
archive("nested.zip", {"inner.zip": open(path("slip.zip"), "rb").read(), "t.txt": b"t"})
whole = open(path("nested.zip"), "rb").read()
write("cut.zip", whole[: len(whole) // 2])
flipped = bytearray(whole)
flipped[60] ^= 0xFF
write("flipped.zip", bytes(flipped))

with tarfile.open(path("slip.tar"), "w") as made:
    for name in ("../../evil.txt", "/etc/cron.d/x", "ok.txt"):
        info = tarfile.TarInfo(name)
        info.size = 2
        made.addfile(info, io.BytesIO(b"ok"))
    device = tarfile.TarInfo("dev")
    device.type = tarfile.CHRTYPE
    made.addfile(device)
write("cut.tar", open(path("slip.tar"), "rb").read()[:700])
write("cut.gz", gzip.compress(os.urandom(20_000))[:9_000])
write("wrong-sum.gz", gzip.compress(b"hello")[:-8] + bytes(8))
write("two-members.gz", gzip.compress(b"one\n") + gzip.compress(b"two\n"))

workbook("wide.xlsx", b'<worksheet><sheetData><row><c r="ZZZZ1"><v>1</v></c></row></sheetData></worksheet>')
workbook("no-such-string.xlsx", b'<worksheet><sheetData><row><c t="s"><v>99</v></c><c><v>5</v></c></row></sheetData></worksheet>')
workbook("cut-xml.xlsx", b'<worksheet><sheetData><row><c><v>1</v></c></row><row><c><v>2')
LAUGHS = b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
workbook("laughs.xlsx", LAUGHS + b'<worksheet><sheetData><row><c t="str"><v>&b;</v></c></row></sheetData></worksheet>')
XXE = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
archive("xxe.docx", {"word/document.xml": XXE + b"<document><body><p><r><t>A&f;B</t></r></p></body></document>"})
archive("no-text.docx", {"word/document.xml": b"<document/>", "x": b""})
archive("dates.xlsx", {})
STYLES = b'<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
DATES = b'<worksheet><sheetData><row><c s="1"><v>60</v></c><c s="1"><v>1e99</v></c><c s="1"><v>46053.5</v></c></row></sheetData></worksheet>'
workbook("dates.xlsx", DATES, xl__styles=STYLES)
ODS = '<o:document-content xmlns:o="o" xmlns:t="t"><t:table t:name="S"><t:table-row t:number-rows-repeated="{}"><t:table-cell o:value-type="float" o:value="1" t:number-columns-repeated="{}"/></t:table-row></t:table></o:document-content>'
for name, rows, columns in (("rows.ods", 1_000_000, 1), ("columns.ods", 1, 1_000_000)):
    archive(name, {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": ODS.format(rows, columns).encode(), "META-INF/manifest.xml": b""})

db = sqlite3.connect(path("odd.db"))
db.execute('CREATE TABLE "a ""b" (x, y GENERATED ALWAYS AS (x + 1))')
db.execute('INSERT INTO "a ""b" (x) VALUES (1)')
db.execute("CREATE VIEW forever AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c")
db.commit()
db.close()
data = bytearray(open(path("odd.db"), "rb").read())
data[4_200:] = os.urandom(len(data) - 4_200)
write("noise.db", bytes(data))

write("forged.mbox", b"From a@b Sat Nov 28 10:00:00 2026\nSubject: one\n\nText.\n\nFrom x Sat Nov 28 10:00:00 2026\nno header here\n\nFrom b@c Sat Nov 28 10:01:00 2026\nSubject: two\n\n>From quoted\n")
BOUNDARY = b'Subject: s\nFrom: a@b.c\nContent-Type: multipart/mixed; boundary="x"\n\n'
write("open.eml", BOUNDARY + b"--x\n\nfirst\n--y--\n--x\n\nsecond\n")
write("deep.eml", b"From: a@b.c\nSubject: deep\nContent-Type: message/rfc822\n\n" * 300 + b"Subject: last\n\ninner\n")
write("bytes.eml", b"From: a@b.c\nSubject: =?utf-8?b?//8=?=\nContent-Type: text/plain; charset=klingon\n\n\xff\xfe caf\xe9\n")
write("name.eml", BOUNDARY + b'--x\nContent-Disposition: attachment; filename="../../x.txt"\n\nhi\n--x--\n')

write("scripts.html", b"<!doctype html><title>T</title><script>document.write('no')</script><p onclick=x()>Yes<style>p{}</style><template>no</template><noscript>no</noscript><a href='javascript:x()'>go</a>")
write("latin.html", b'<html><meta charset="windows-1252"><p>caf\xe9 \x80</p>')
write("deep.html", b"<html>" + b"<div>" * 20_000 + b"deep")
write("open.html", b"<!doctype html><table><tr><td>a<td>b<tr><td>c<td>d")
write("mixed.txt", "Grüße\n".encode() + "Grüße\n".encode("latin-1"))
write("broken.ipynb", b'{"nbformat": 4, "cells": [')
write("wide.csv", ",".join(f"c{i}" for i in range(10_000)).encode() + b"\n" + b",".join([b"1"] * 10_000) + b"\n")
write("ragged.csv", b"a,b\n1\n1,2,3\n\n")
write("cut.pdf", b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n")
LOOP = b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 1>>endobj\ntrailer<</Root 1 0 R>>"
write("loop.pdf", LOOP)
FLATE = zlib.compress(bytes(megabytes * MIB), 1)
write("bomb.pdf", b"%%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>endobj\n4 0 obj<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream endobj\ntrailer<</Root 1 0 R>>" % (len(FLATE), FLATE))
write("end.parquet", b"PAR1" + b"\xff" * 100 + b"\xff\xff\xff\x7fPAR1")
write("huge.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\xff\xff\xff\xff\xff\xff\xff\xff\x08\x02\x00\x00\x00")
write("cut.jpg", b"\xff\xd8\xff\xe0\x00\x10JF")
write("name\x1b[31m\n.pdf", b"%PDF-1.4 broken")
