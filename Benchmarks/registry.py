#!/usr/bin/env python3
"""Measures the OCI face beside Debian's docker-registry, in one run, with the release build.

    swift build -c release --product onepoint && python3 Benchmarks/registry.py [--only NAME] [--markdown]

Needs docker-registry (apt), and for what clients of Xet send `scripts/setup-clients hub-2.4.0`. Both servers are on the loopback interface and get the same requests from the same client,
by turns; CPU is the server process's own, from /proc. Figures are medians of ROUNDS (5).
"""
import hashlib, json, os, select, shutil, socket, statistics, subprocess, tempfile, threading, time

from service import Point, run

MEBIBYTES = int(os.environ.get("MEBIBYTES", "256"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
LARGE_GIBIBYTES = int(os.environ.get("LARGE_GIBIBYTES", "10"))
BLOBS = int(os.environ.get("BLOBS", "100000"))
CLIENTS = os.environ.get("ONEPOINT_CLIENTS", os.path.expanduser("~/.cache/onepoint-clients"))


class Connection:
    """HTTP/1.1 by hand: a client that costs as little as it can."""

    def __init__(self, server):
        self.server = server
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.buffer = b""

    def head(self, method, path, headers):
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"] + [
            f"{name}: {value}" for name, value in {**self.server.headers, **headers}.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def call(self, method, path, headers={}, file=None, count=0, sink=None):
        """Sends a request, with `count` bytes of a file as its body; returns status, headers and the body's length."""
        self.socket.sendall(self.head(method, path, {**headers, "Content-Length": count}))
        sent = 0
        while sent < count:
            file.seek(0)
            sent += self.socket.sendfile(file, 0, min(count - sent, os.fstat(file.fileno()).st_size))
        return self.answer(method)

    def answer(self, method):
        while b"\r\n\r\n" not in self.buffer:
            more = self.socket.recv(1 << 16)
            assert more, "the server hung up"
            self.buffer += more
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) if line.lower().startswith("content-length")
                       else (line.split(": ", 1)[0].lower(), line.split(": ", 1)[1]) for line in lines[1:])
        length = 0 if method == "HEAD" else int(headers.get("content-length", 0))
        got = min(length, len(self.buffer))
        self.buffer = self.buffer[got:]
        space = memoryview(bytearray(1 << 20))
        while got < length:
            more = self.socket.recv_into(space, min(len(space), length - got))
            assert more, "the server hung up"
            got += more
        return int(lines[0].split()[1]), headers, got

    def push(self, path, digest, file, count):
        status, headers, _ = self.call("POST", f"/v2/{path}/blobs/uploads/")
        assert status == 202, status
        place = headers["location"].replace(self.server.url, "")
        status, headers, _ = self.call("PATCH", place, {"Content-Type": "application/octet-stream"}, file, count)
        assert status == 202, status
        place = headers["location"].replace(self.server.url, "")
        status, _, _ = self.call("PUT", place + ("&" if "?" in place else "?") + "digest=" + digest)
        assert status == 201, status


class Onepoint(Point):
    name = "onepoint"

    def __init__(self):
        super().__init__()
        self.headers = {"Authorization": "Bearer " + self.token}


class DockerRegistry:
    name = "docker-registry"
    headers = {}

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="docker-registry-bench-")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        with open(f"{self.folder}/config.yml", "w") as file:
            file.write(f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nstorage: {{filesystem: "
                       f"{{rootdirectory: {self.folder}/data}}}}\nhttp: {{addr: 127.0.0.1:{self.port}}}\n")
        self.process = subprocess.Popen(["docker-registry", "serve", f"{self.folder}/config.yml"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(1000):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.01)
        raise SystemExit("docker-registry does not start")

    cpu_seconds, resident_mebibytes = Point.cpu_seconds, Point.resident_mebibytes
    close, stop = Point.close, Point.stop


class Content:
    """A file of random bytes that is another one after each `change`."""

    def __init__(self, count):
        self.count = count
        self.file = tempfile.TemporaryFile()
        for _ in range(count >> 20):
            self.file.write(os.urandom(1 << 20))
        self.file.flush()

    def change(self):
        self.file.seek(0)
        self.file.write(os.urandom(64))
        self.file.flush()
        self.file.seek(0)
        self.digest = "sha256:" + hashlib.file_digest(self.file, "sha256").hexdigest() \
            if hasattr(hashlib, "file_digest") else "sha256:" + hashlib.sha256(self.file.read()).hexdigest()


def both(body):
    """Runs `body` on either server and returns what it gave, by name."""
    servers = [Onepoint(), DockerRegistry()]
    try:
        return body(servers)
    finally:
        for server in servers:
            server.close()


def transfers():
    content = Content(MEBIBYTES << 20)

    def body(servers):
        cpu = {(server.name, way): [] for server in servers for way in ("push", "pull")}
        wall = {key: [] for key in cpu}
        for number in range(ROUNDS):
            content.change()
            for server in servers if number % 2 else reversed(servers):
                connection = Connection(server)
                for way in ("push", "pull"):
                    before, began = server.cpu_seconds(), time.perf_counter()
                    if way == "push":
                        connection.push("demo/bench", content.digest, content.file, content.count)
                    else:
                        status, _, count = connection.call("GET", f"/v2/demo/bench/blobs/{content.digest}")
                        assert (status, count) == (200, content.count)
                    # What a server does after its last answer is its work as well.
                    took = time.perf_counter() - began
                    time.sleep(0.3)
                    cpu[server.name, way].append(server.cpu_seconds() - before)
                    wall[server.name, way].append(took)
        return cpu, wall

    cpu, wall = both(body)
    rows = []
    for way, bar in (("push", "≥ 0.6 GB a CPU-second and ≥ 3 × docker-registry"), ("pull", "≤ 0.15 CPU-s")):
        ours, theirs = (statistics.median(cpu[name, way]) for name in ("onepoint", "docker-registry"))
        paired = statistics.median(b / max(a, 0.01) for a, b in zip(cpu["onepoint", way], cpu["docker-registry", way]))
        speeds = [content.count / statistics.median(wall[name, way]) / 1e6 for name in ("onepoint", "docker-registry")]
        rows.append((f"{way} of {MEBIBYTES} MiB, server CPU, beside docker-registry",
                     f"{ours:.2f} s ({content.count / max(ours, 0.01) / 1e9:.2f} GB a CPU-second) beside {theirs:.2f} s, "
                     f"{paired:.1f} times less; {speeds[0]:,.0f} MB/s beside {speeds[1]:,.0f}", bar))
    return rows


def heads():
    """32 connections, each asking again as soon as it has its answer, from one thread."""
    content = Content(1 << 20)
    content.change()

    def measure(server, seconds):
        connections = {}
        poll = select.epoll()
        for _ in range(32):
            connection = Connection(server)
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connections[connection.socket.fileno()] = connection
            poll.register(connection.socket.fileno(), select.EPOLLIN)
        request = connection.head("HEAD", f"/v2/demo/bench/blobs/{content.digest}", {})
        times, sent = [], {}
        end = time.perf_counter() + seconds
        before = server.cpu_seconds()
        for number, connection in connections.items():
            sent[number] = time.perf_counter()
            connection.socket.sendall(request)
        while time.perf_counter() < end:
            for number, _ in poll.poll(1):
                data = connections[number].socket.recv(1 << 16)
                now = time.perf_counter()
                assert data.startswith(b"HTTP/1.1 200") and data.endswith(b"\r\n\r\n"), data
                times.append(now - sent[number])
                sent[number] = now
                connections[number].socket.sendall(request)
        times.sort()
        return times[int(len(times) * 0.99)] * 1000, len(times) / seconds, \
            (server.cpu_seconds() - before) / len(times) * 1e6

    def body(servers):
        for server in servers:
            Connection(server).push("demo/bench", content.digest, content.file, content.count)
        found = {server.name: [] for server in servers}
        for number in range(ROUNDS):
            for server in servers if number % 2 else reversed(servers):
                found[server.name].append(measure(server, 3))
        return found

    found = both(body)
    median = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in found.items()}
    ours, theirs = median["onepoint"], median["docker-registry"]
    return [("HEAD of a blob, 32 connections, 99th percentile, beside docker-registry",
             f"{ours[0]:.1f} ms beside {theirs[0]:.1f} ms; {ours[1]:,.0f} a second at {ours[2]:.0f} µs of server CPU "
             f"beside {theirs[1]:,.0f} at {theirs[2]:.0f} µs", "≤ half")]


def memory():
    content = Content(256 << 20)
    content.change()
    count = LARGE_GIBIBYTES << 30
    digest = hashlib.sha256()
    content.file.seek(0)
    data = content.file.read()
    for _ in range(count // len(data)):
        digest.update(data)
    del data

    def body(servers):
        found = {}
        for server in servers:
            idle, peak, ended = server.resident_mebibytes(), [0], threading.Event()

            def watch():
                while not ended.wait(0.05):
                    peak[0] = max(peak[0], server.resident_mebibytes())

            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                Connection(server).push("demo/bench", "sha256:" + digest.hexdigest(), content.file, count)
            finally:
                ended.set()
                watcher.join()
            found[server.name] = peak[0] - idle, idle
        return found

    found = both(body)
    return [(f"server memory during an upload of {LARGE_GIBIBYTES} GiB, above idle, beside docker-registry",
             f"{found['onepoint'][0]:.0f} MiB above {found['onepoint'][1]:.0f} beside "
             f"{found['docker-registry'][0]:.0f} MiB above {found['docker-registry'][1]:.0f}", "≤ 100 MB")]


class Counter:
    """Passes connections on to a server and counts what clients send."""

    def __init__(self, server):
        self.sent, self.server = 0, server
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(("127.0.0.1", self.server.port))
            threading.Thread(target=self.copy, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.copy, args=(server, client, False), daemon=True).start()

    def copy(self, source, target, counts):
        try:
            while data := source.recv(1 << 18):
                self.sent += len(data) if counts else 0
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


def hub(url, token, home, *arguments):
    """The Hub's own command line."""
    subprocess.run([f"{CLIENTS}/hub-2.4.0/bin/hf", *arguments], check=True, capture_output=True, env={
        **os.environ, "HF_ENDPOINT": url, "HF_TOKEN": token, "HF_HOME": home, "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_XET_TELEMETRY_ENABLED": "0", "NO_PROXY": "127.0.0.1"})


def xet():
    if not os.path.exists(f"{CLIENTS}/hub-2.4.0/bin/hf"):
        raise SystemExit("huggingface_hub is not installed: scripts/setup-clients hub-2.4.0")
    server = Onepoint()
    try:
        rates, speeds = [], []
        for number in range(ROUNDS):
            path = f"{server.folder}/file-{number}"
            with open(path, "wb") as file:
                for _ in range(MEBIBYTES):
                    file.write(os.urandom(1 << 20))
            before, began = server.cpu_seconds(), time.perf_counter()
            hub(server.url, server.token, f"{server.folder}/home", "upload", "demo/xet", path)
            took = time.perf_counter() - began
            time.sleep(0.3)
            rates.append((MEBIBYTES << 20) / (server.cpu_seconds() - before) / 1e9)
            speeds.append((MEBIBYTES << 20) / took / 1e6)
            os.unlink(path)
        # The second user may read what the first one has, and has never sent anything.
        server.call("POST", "/v1/users", {"name": "second"})
        server.call("PUT", "/v1/projects/demo/members/second", {"role": "member"})
        token = server.call("POST", "/v1/tokens", {"user": "second", "scopes": ["read", "write"], "label": "bench"})
        path = f"{server.folder}/weights.bin"
        data = bytearray(os.urandom(20_000_000))
        open(path, "wb").write(data)
        hub(server.url, server.token, f"{server.folder}/home", "upload", "demo/first", path)
        data[10_000_000:10_000_100] = os.urandom(100)
        open(path, "wb").write(data)
        counter = Counter(server)
        hub(counter.url, token["secret"], f"{server.folder}/second", "upload", "demo/second", path)
        return [
            (f"Xet ingest of {MEBIBYTES} MiB, every hash verified, server CPU",
             f"{statistics.median(rates):.2f} GB a CPU-second; {statistics.median(speeds):,.0f} MB/s as the client sees it",
             "≥ 0.35 GB a CPU-second"),
            ("what travels when a second user uploads a file of 20 MB of which 100 bytes are other ones",
             f"{counter.sent:,} bytes ({counter.sent / 200_000:.2f} %), requests and their headers counted", "≤ 1 %"),
        ]
    finally:
        server.close()


def restart():
    """Small blobs pushed by 32 connections, then a restart."""
    server = Onepoint()
    try:
        def push(number):
            connection = Connection(server)
            for index in range(number, BLOBS, 32):
                body = b"blob %d" % index
                digest = "sha256:" + hashlib.sha256(body).hexdigest()
                connection.socket.sendall(connection.head(
                    "POST", f"/v2/demo/bench/blobs/uploads/?digest={digest}", {"Content-Length": len(body)}) + body)
                status, _, _ = connection.answer("POST")
                assert status == 201, status

        began = time.perf_counter()
        threads = [threading.Thread(target=push, args=(number,)) for number in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - began
        server.stop()
        seconds = server.start()
        return [(f"restart with {BLOBS:,} blobs, until ready",
                 f"{seconds:.2f} s (they came at {BLOBS / took:,.0f} a second)", "< 2 s")]
    finally:
        server.close()


if __name__ == "__main__":
    if not shutil.which("docker-registry"):
        raise SystemExit("docker-registry is not installed: apt-get install docker-registry")
    run({"transfers": transfers, "heads": heads, "memory": memory, "xet": xet, "restart": restart}, __doc__)
