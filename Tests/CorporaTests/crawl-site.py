"""Several small web sites for the tests of the crawler: one on each of 127.0.0.1 to 127.0.0.9, all at one port.

With a second argument, a PEM file of a key and its certificate, they speak TLS. Says its port on standard output and
writes a line of JSON for every request to the file named first, with when it came
and when the last byte of its answer was about to go out, in seconds of one clock. Ends with the process that started it.
"""
import gzip
import json
import os
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LOG = open(sys.argv[1], "a", buffering=1)
LOCK = threading.Lock()
BUSY = {}
SCHEME = "https" if len(sys.argv) > 2 else "http"
PAGES = 24


class Site(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def note(self, status):
        host = self.headers.get("Host", "")
        with LOCK:
            LOG.write(json.dumps({
                "host": host.split(":")[0], "path": self.path, "start": self.start, "end": time.monotonic(),
                "status": status, "agent": self.headers.get("User-Agent", ""),
                "if_none_match": self.headers.get("If-None-Match", ""),
                "if_modified_since": self.headers.get("If-Modified-Since", ""),
            }) + "\n")

    def answer(self, body, status=200, kind="text/html; charset=utf-8", **fields):
        if isinstance(body, str):
            body = body.encode()
        self.send_response(status)
        if kind:
            self.send_header("Content-Type", kind)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        # The head waits in the buffer until the end is noted, so the log never says later than the client knows.
        self.note(status)
        self.end_headers()
        if status != 304:
            self.wfile.write(body)

    def endless(self, pause):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"<p>more</p>" * (1 if pause else 1000))
                self.wfile.flush()
                if pause:
                    time.sleep(pause)
        except OSError:
            pass
        self.close_connection = True
        self.note(200)

    def do_GET(self):
        self.start = time.monotonic()
        host = self.headers.get("Host", "").split(":")[0]
        try:
            getattr(self, "site_" + host.rsplit(".", 1)[-1], self.site_other)(self.path)
        except OSError:
            self.close_connection = True

    def site_1(self, path):
        here = f"{SCHEME}://127.0.0.1:{PORT}"
        if path == "/robots.txt":
            self.answer("\ufeffUser-agent: *\r\nDisallow: /\r\n\r\nUser-Agent: OnepointTest\r\nDisallow: /private\r\n"
                        "Disallow: /*.pdf$\r\nAllow: /private/open\r\nCrawl-delay: 0.05\r\n"
                        f"Sitemap: {here}/index.xml\r\n", kind="text/plain")
        elif path == "/index.xml":
            self.answer(f"<sitemapindex><sitemap><loc>{here}/map.xml.gz</loc></sitemap>"
                        f"<sitemap><loc>{here}/map.txt</loc></sitemap></sitemapindex>", kind="text/xml")
        elif path == "/map.xml.gz":
            self.answer(gzip.compress(f"<urlset><url><loc>{here}/mapped?a=1&amp;b=2</loc></url>"
                                      f"<url><loc>{here}/private/mapped</loc></url></urlset>".encode()),
                        kind="application/gzip")
        elif path == "/map.txt":
            self.answer(f"{here}/listed\nhttp://127.0.0.9:{PORT}/elsewhere\n", kind="text/plain")
        elif path == "/":
            self.answer("<a href=/moved>1</a><a href=/away>2</a><a href=/trap>3</a><a href=/ring>4</a><a href=/busy>5</a>"
                        "<a href=/down>6</a><a href=/private/x>7</a><a href=/private/open>8</a><a href=/a.pdf>9</a>"
                        "<a href=/gbk>10</a><a href=/packed>11</a><a href=/closed>12</a><a rel=nofollow href=/not>13</a>"
                        f"<a href='http://127.0.0.9:{PORT}/'>14</a><a href=/tagged>15</a><a href=/missing>16</a>")
        elif path == "/moved":
            self.answer("", 301, Location="/target#part")
        elif path == "/away":
            self.answer("", 302, Location=f"http://127.0.0.9:{PORT}/away")
        elif path == "/trap":
            self.answer("", 302, Location="/private/trapped")
        elif path.startswith("/ring"):
            self.answer("", 307, Location=f"/ring{len(path)}{path[5:]}")
        elif path == "/busy":
            with LOCK:
                BUSY[path] = BUSY.get(path, 0) + 1
            if BUSY[path] == 1:
                self.answer("wait", 429, Retry_After="1")
            else:
                self.answer("now")
        elif path == "/down":
            self.answer("down", 503)
        elif path == "/gbk":
            self.answer("<title>\u4f60\u597d</title>\u8fd9\u662f\u4e2d\u6587\u7f51\u9875<a href='/\u94fe\u63a5'>1</a>".encode("gbk"),
                        kind="text/html; charset=gb2312")
        elif path == "/packed":
            self.answer(gzip.compress(b"<a href=/inner>in</a>"), Content_Encoding="gzip")
        elif path == "/closed":
            self.answer("<a href=/hidden>1</a>", X_Robots_Tag="otherbot: none, OnepointTest: nofollow, noindex")
        elif path == "/tagged":
            if self.headers.get("If-None-Match") == '"v1"':
                self.answer("", 304, ETag='"v1"')
            else:
                self.answer("<a href=/behind>1</a>", ETag='"v1"', Last_Modified="Sat, 31 Jan 2026 10:00:00 GMT")
        elif path == "/missing":
            self.answer("none", 404)
        else:
            self.answer(f"page {path}")

    def site_2(self, path):
        self.answer("broken", 500) if path == "/robots.txt" else self.answer("never")

    def site_4(self, path):
        if path == "/robots.txt":
            self.answer("none", 404)
        else:
            number = int(path[2:] or 0) if path.startswith("/p") else 0
            links = "".join(f"<a href=/p{next}>n</a>" for next in (2 * number + 1, 2 * number + 2) if next < PAGES)
            self.answer(links + "x" * 2000)

    def site_5(self, path):
        if path == "/robots.txt":
            self.answer("user-agent: *\ncrawl-delay: 0.5", kind="text/plain")
        elif path == "/endless":
            self.endless(0)
        elif path == "/slow":
            self.endless(0.05)
        else:
            self.answer("ok")

    def site_6(self, path):
        if path == "/robots.txt":
            self.answer("", 302, Location=f"http://127.0.0.4:{PORT}/rules")
        else:
            self.answer("six")

    def site_other(self, path):
        self.answer("nobody should ask here")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass


first = Server(("127.0.0.1", 0), Site)
PORT = first.server_address[1]
servers = [first] + [Server((f"127.0.0.{number}", PORT), Site) for number in range(2, 10)]
for server in servers:
    if len(sys.argv) > 2:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[2])
        # The handshake is made by the thread of the connection, so that one that fails holds nobody up.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
print(PORT, flush=True)
parent = os.getppid()
while os.getppid() == parent:
    time.sleep(0.2)
os._exit(0)
