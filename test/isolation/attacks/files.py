### open
r = open(FACTS["canary"]).read()
### io.open_code
import io
r = io.open_code(FACTS["canary"]).read()
### os.open
import os
r = os.read(os.open(FACTS["canary"], os.O_RDONLY), 100)
### os.openat
import os
folder = os.open(FACTS["folder"], os.O_RDONLY)
r = os.read(os.open("canary", os.O_RDONLY, dir_fd=folder), 100)
### upwards from the home folder
import os
os.chdir("/home/pyodide")
r = open("../../../../../../.." + FACTS["canary"]).read()
### through a link
import os
os.symlink(FACTS["canary"], "/tmp/link")
r = open("/tmp/link").read()
### through a link upwards
import os
os.symlink("../../../../.." + FACTS["folder"], "/tmp/up")
r = open("/tmp/up/canary").read()
### through /proc/self/root
r = open("/proc/self/root" + FACTS["canary"]).read() if __import__("os").path.exists("/proc/self/root") else open("/proc/self/../.." + FACTS["canary"]).read()
### through /proc/self/fd
import os
os.open(FACTS["folder"], os.O_RDONLY)
r = next(open(f"/proc/self/fd/{fd}/canary").read() for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}/canary")) if False else open(os.readlink("/proc/self/fd/" + str(os.open(FACTS["folder"], os.O_RDONLY))) + "/canary").read()
### pathlib
import pathlib
r = pathlib.Path(FACTS["canary"]).read_bytes()
### glob and walk
import os
r = [open(os.path.join(top, name)).read() for top, _, names in os.walk(FACTS["folder"]) for name in names if name == "canary"][0]
### scandir
import os
r = next(open(entry.path).read() for entry in os.scandir(FACTS["folder"]) if entry.name == "canary")
### mmap
import mmap, os
r = bytes(mmap.mmap(os.open(FACTS["canary"], os.O_RDWR), 0))
### shutil.copy
import shutil
shutil.copy(FACTS["canary"], "/tmp/copied")
r = open("/tmp/copied").read()
### fileinput
import fileinput
r = "".join(fileinput.input(FACTS["canary"]))
### linecache
import linecache
r = linecache.getline(FACTS["canary"], 1)
### tokenize.open
import tokenize
r = tokenize.open(FACTS["canary"]).read()
### codecs.open
import codecs
r = codecs.open(FACTS["canary"], encoding="utf-8").read()
### tarfile
import tarfile
with tarfile.open("/tmp/t.tar", "w") as tar:
    tar.add(FACTS["canary"], "canary")
r = tarfile.open("/tmp/t.tar").extractfile("canary").read()
### zipfile
import zipfile
with zipfile.ZipFile("/tmp/z.zip", "w") as archive:
    archive.write(FACTS["canary"], "canary")
r = zipfile.ZipFile("/tmp/z.zip").read("canary")
### configparser
import configparser
try:
    configparser.ConfigParser().read_file(open(FACTS["canary"]))
except configparser.Error as error:
    r = str(error)
### runpy
import runpy
try:
    runpy.run_path(FACTS["canary"])
except NameError as error:
    r = str(error)
### import from the folder
import importlib, sys
sys.path.insert(0, FACTS["folder"])
import canary_module
r = canary_module.SECRET
### source loader
import importlib.machinery
r = importlib.machinery.SourceFileLoader("x", FACTS["canary"]).get_data(FACTS["canary"])
### file url
import urllib.request
r = urllib.request.urlopen("file://" + FACTS["canary"]).read()
### xml external entity
import xml.sax, xml.sax.handler, io
class Keep(xml.sax.handler.ContentHandler):
    text = ""
    def characters(self, data):
        Keep.text += data
parser = xml.sax.make_parser()
parser.setFeature(xml.sax.handler.feature_external_ges, True)
parser.setContentHandler(Keep())
parser.parse(io.StringIO('<!DOCTYPE d [<!ENTITY e SYSTEM "file://' + FACTS["canary"] + '">]><d>&e;</d>'))
r = Keep.text
### sqlite attach
import sqlite3
c = sqlite3.connect(":memory:")
c.execute("attach ? as host", (FACTS["folder"] + "/canary.db",))
r = str(c.execute("select * from host.t").fetchall())
### sqlite open
import sqlite3
r = str(sqlite3.connect(FACTS["folder"] + "/canary.db").execute("select * from t").fetchall())
### write a file of the host
with open(FACTS["marker"], "w") as file:
    file.write("x")
### logging handler
import logging
handler = logging.FileHandler(FACTS["marker"])
handler.emit(logging.makeLogRecord({"msg": "x"}))
handler.close()
### tempfile in the folder
import tempfile, os
file = tempfile.NamedTemporaryFile(dir=FACTS["folder"], delete=False)
os.rename(file.name, FACTS["marker"])
### statistics of the folder
import os
r = "canary" in os.listdir(FACTS["folder"]) and open(FACTS["canary"]).read()
