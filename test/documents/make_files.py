"""Makes files of several kinds with Python's standard library: `make_files.py FOLDER`."""

import email.message
import gzip
import io
import mailbox
import os
import sqlite3
import sys
import tarfile
import zipfile

folder = sys.argv[1]


def path(name: str) -> str:
    return os.path.join(folder, name)


def message(subject: str, body: str, attachment: "bytes | None" = None) -> email.message.EmailMessage:
    made = email.message.EmailMessage()
    made["From"] = "Ann Äbel <ann@example.org>"
    made["To"] = "bob@example.org, Carl <carl@example.org>"
    made["Subject"] = subject
    made["Date"] = "Sat, 28 Nov 2026 10:00:00 +0100"
    made["Message-ID"] = f"<{abs(hash(subject))}@example.org>"
    made.set_content(body)
    if attachment is not None:
        made.add_attachment(attachment, maintype="text", subtype="csv", filename="fees.csv")
    return made


CSV = b"name,fee\nAnn,12\nBob,7\n"
with open(path("one.eml"), "wb") as file:
    file.write(message("Grüße aus Graz", "The offer is open.\n", CSV).as_bytes())

html = message("HTML", "plain")
html.clear_content()
html.set_content("<html><body><p>Only <b>HTML</b></p><script>x()</script></body></html>", subtype="html")

box = mailbox.mbox(path("mail.mbox"))
box.add(message("First", "From here on it counts.\nFrom Ann Sat Nov 28 10:00:00 2026\nquoted\n"))
box.add(message("Second", "With a table.\n", CSV))
box.add(html)
box.close()

with zipfile.ZipFile(path("files.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("docs/readme.txt", "Grüße\n")
    archive.writestr("docs/fees.csv", CSV)
    archive.writestr("src/a.html", "<!doctype html><p>source</p>")

for name, mode in (("files.tar", "w"), ("files.tar.gz", "w:gz")):
    with tarfile.open(path(name), mode) as archive:
        for inner, content in (("a/one.txt", b"one\n"), ("a/fees.csv", CSV)):
            info = tarfile.TarInfo(inner)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        link = tarfile.TarInfo("a/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)

with gzip.open(path("access.log.gz"), "wb") as file:
    file.write(b"GET / 200\nGET /x 404\n")

db = sqlite3.connect(path("shop.db"))
db.execute("CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT, price REAL, data BLOB)")
db.executemany("INSERT INTO items VALUES (?, ?, ?, ?)", [(1, "Bolt", 1.5, b"\x01\x02"), (2**60, "Nut", None, None)])
db.execute("CREATE VIEW cheap AS SELECT * FROM items WHERE price < 2")
db.commit()
db.close()

CHAPTER = '<html xmlns="http://www.w3.org/1999/xhtml"><body><h1>{0}</h1><p>Text of {0}.</p></body></html>'
OPF = """<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>A book</dc:title><dc:creator>Ann</dc:creator><dc:language>en</dc:language></metadata>
<manifest><item id="b" href="b.xhtml"/><item id="a" href="a.xhtml"/></manifest>
<spine><itemref idref="a"/><itemref idref="b"/></spine></package>"""
with zipfile.ZipFile(path("book.epub"), "w") as archive:
    archive.writestr("mimetype", "application/epub+zip")
    archive.writestr("META-INF/container.xml", '<container><rootfiles><rootfile full-path="OPS/p.opf"/></rootfiles></container>')
    archive.writestr("OPS/p.opf", OPF)
    archive.writestr("OPS/a.xhtml", CHAPTER.format("One"))
    archive.writestr("OPS/b.xhtml", CHAPTER.format("Two"))

ODF = '<office:document-content xmlns:office="o" xmlns:text="t" xmlns:draw="d"><office:body>{}</office:body></office:document-content>'
TEXT = '<office:text><text:h text:outline-level="2">Head</text:h><text:p>A <text:span>span</text:span><text:tab/>end</text:p></office:text>'
SLIDES = "<office:presentation><draw:page><text:p>One</text:p></draw:page><draw:page><text:p>Two</text:p></draw:page></office:presentation>"
for name, kind, body in (("note.odt", "text", TEXT), ("deck.odp", "presentation", SLIDES)):
    with zipfile.ZipFile(path(name), "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr("content.xml", ODF.format(body))
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
