#!/usr/bin/env python3
"""Measures how fast inputs and outputs travel between an agent and the point over a line with a delay.

    swift build -c release --product onepoint && python3 Benchmarks/transfer.py [--only NAME] [--markdown]

The delay is a proxy of this program between the two: it hands on every piece so much later than it came, in both
directions, and lets any number of them be under way. So it shows what round trips cost, not what a line carries.
ONEPOINT_BINARY names another build.
"""
import asyncio, datetime, os, subprocess, tempfile, threading, time
from service import BINARY, Point, run

FILE_MEBIBYTES = 256
FILES = 200


class Line:
    """A way to a port of this machine on which everything takes half of `round_trip` seconds each way."""

    PIECE_BYTES_MAX = 256 << 10
    PIECES_MAX = 1024

    def __init__(self, port, round_trip):
        self.target, self.delay = port, round_trip / 2
        self.loop = asyncio.new_event_loop()
        self.listening = threading.Event()
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()
        self.listening.wait()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def _serve(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self.listening.set()
        self.loop.run_forever()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))

    async def _accept(self, reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        except (OSError, asyncio.CancelledError):
            pass

    async def _carry(self, reader, writer):
        under_way = asyncio.Queue(self.PIECES_MAX)

        async def take():
            while True:
                piece = await reader.read(self.PIECE_BYTES_MAX)
                await under_way.put((self.loop.time() + self.delay, piece))
                if not piece:
                    return

        async def give():
            while True:
                due, piece = await under_way.get()
                await asyncio.sleep(due - self.loop.time())
                if not piece:
                    return writer.close()
                writer.write(piece)
                await writer.drain()

        await asyncio.gather(take(), give())


class Centres:
    """A point, and agents of two centres on the other end of a line."""

    def __init__(self, round_trip):
        self.point = Point()
        self.line = Line(self.point.port, round_trip)
        self.folder = tempfile.TemporaryDirectory(prefix="onepoint-bench-agents-")
        self.agents = []
        for name in ("one", "other"):
            token = self.point.call("POST", "/v1/centres", {"name": name, "tier": "hub"})["token"]
            with open(os.path.join(self.point.folder, f"{name}.log"), "ab") as log:
                self.agents.append(subprocess.Popen(
                    [BINARY, "agent", "--data", f"{self.folder.name}/{name}", "--join", f"http://127.0.0.1:{self.line.port}",
                     "--token", token, "--engine", "local"], stdout=log, stderr=log))
            while not self.point.call("GET", f"/v1/centres/{name}").get("connected"):
                time.sleep(0.05)

    def close(self):
        for agent in self.agents:
            agent.terminate()
            agent.wait()
        self.line.close()
        self.point.close()
        self.folder.cleanup()

    def run(self, centre, command, **more):
        """Runs a job to its end: its name, the seconds from lease to start, and those from its program's end to its own."""
        job = self.point.call("POST", "/v1/jobs?project=demo", {
            "name": "transfer", "command": ["/bin/sh", "-c", command], "placement": {"centres": [centre]},
            "resources": {"memory": "1GiB"}, **more})["job"]
        while True:
            view = self.point.call("GET", f"/v1/jobs/{job}")
            if view["summary"]["state"] == "succeeded":
                last = view["runs"][-1]
                leased, started, ended = (datetime.datetime.fromisoformat(last[key].replace("Z", "+00:00")).timestamp()
                                          for key in ("leased_at", "started_at", "ended_at"))
                return job, started - leased, time.time() - ended
            assert view["summary"]["state"] not in ("failed", "cancelled"), view
            time.sleep(0.02)


def there_and_back(command):
    """Seconds that an output takes to the point, and then as an input to another centre, by round trip."""
    seconds = {}
    for round_trip in (0, 0.05):
        centres = Centres(round_trip)
        try:
            centres.run("one", "echo warm > $ONEPOINT_OUTPUTS/out", outputs=["out"])
            job, _, out = centres.run("one", command, outputs=["out"])
            _, into, _ = centres.run("other", "true", inputs={"in": {"job": job, "output": "out"}})
            seconds[round_trip] = (out, into)
        finally:
            centres.close()
    return seconds


def rows(what, seconds, figure):
    return [(f"{what}, {way}, round trip {round_trip * 1000:.0f} ms", figure(took[index]), "")
            for index, way in enumerate(("to the point", "to another centre")) for round_trip, took in seconds.items()]


def file():
    seconds = there_and_back(f"head -c {FILE_MEBIBYTES}M /dev/urandom > $ONEPOINT_OUTPUTS/out")
    return rows(f"a file of {FILE_MEBIBYTES} MiB", seconds, lambda took: f"{FILE_MEBIBYTES / took:.0f} MiB/s ({took:.1f} s)")


def folder():
    seconds = there_and_back(
        f"mkdir $ONEPOINT_OUTPUTS/out; for i in $(seq {FILES}); do head -c 10000 /dev/urandom > $ONEPOINT_OUTPUTS/out/$i; done")
    return rows(f"a folder of {FILES} files of 10 kB", seconds, lambda took: f"{FILES / took:.0f} files a second ({took:.1f} s)")


if __name__ == "__main__":
    run({"file": file, "folder": folder}, __doc__)
