### socket
import socket
socket.create_connection(("127.0.0.1", FACTS["port"]), timeout=2).close()
r = True
### socket by number
import socket
s = socket.socket(2, 1, 0)
s.connect(("127.0.0.1", FACTS["port"]))
r = True
### datagram
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
r = s.sendto(b"x", ("127.0.0.1", FACTS["port"])) == 1
### unix socket
import socket
s = socket.socket(socket.AF_UNIX)
s.connect(FACTS["folder"] + "/socket")
r = True
### listening
import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
r = s.getsockname()[1] > 0
### urllib
import urllib.request
r = urllib.request.urlopen(f"http://127.0.0.1:{FACTS['port']}/", timeout=2).status == 204
### http.client
import http.client
c = http.client.HTTPConnection("127.0.0.1", FACTS["port"], timeout=2)
c.request("GET", "/")
r = c.getresponse().status == 204
### ftplib
import ftplib
try:
    ftplib.FTP().connect("127.0.0.1", FACTS["port"], timeout=2)
except ftplib.all_errors as error:
    r = "HTTP" in str(error)
### smtplib
import smtplib
try:
    smtplib.SMTP("127.0.0.1", FACTS["port"], timeout=2)
except smtplib.SMTPException:
    r = True
### telnet written with asyncio
import asyncio
async def talk():
    reader, writer = await asyncio.open_connection("127.0.0.1", FACTS["port"])
    line = await reader.readline()
    writer.close()
    return b"HTTP" in line
r = asyncio.run(talk())
### xmlrpc
import xmlrpc.client
try:
    xmlrpc.client.ServerProxy(f"http://127.0.0.1:{FACTS['port']}/").x()
except xmlrpc.client.ProtocolError as error:
    r = error.errcode == 204
### logging over a socket
import logging, logging.handlers
handler = logging.handlers.SocketHandler("127.0.0.1", FACTS["port"])
handler.raiseExceptions = True
r = handler.makeSocket() is not None
### subprocess
import subprocess
r = subprocess.run(["/bin/echo", "x"], capture_output=True).stdout == b"x\n"
### os.fork
import os
pid = os.fork()
if pid == 0:
    open(FACTS["marker"], "w").close()
    os._exit(0)
os.waitpid(pid, 0)
### os.posix_spawn
import os
pid = os.posix_spawn("/usr/bin/touch", ["touch", FACTS["marker"]], {})
os.waitpid(pid, 0)
### os.spawnv
import os
os.spawnv(os.P_WAIT, "/usr/bin/touch", ["touch", FACTS["marker"]])
### popen
import os
r = os.popen("echo x").read() == "x\n"
### multiprocessing
import multiprocessing.connection
r = bool(multiprocessing.connection.Client(("127.0.0.1", FACTS["port"]), family="AF_INET"))
### a signal to the host
import os
os.kill(FACTS["pid"], 0)
r = os.getpid() != FACTS["pid"]
### the host's environment
r = FACTS["name"].encode() in open(f"/proc/{FACTS['pid']}/environ", "rb").read()
### the host's memory map
r = "node" in open(f"/proc/{FACTS['pid']}/maps").read()
### processes of the machine
import os
r = str(FACTS["pid"]) in os.listdir("/proc")
### priority of the host
import os
os.setpriority(os.PRIO_PROCESS, FACTS["pid"], os.getpriority(os.PRIO_PROCESS, FACTS["pid"]))
r = True
### users of the machine
import pwd
r = len(pwd.getpwall()) > 1
