"""The collective of a gang: processes that find each other by address and port and add up arrays together.

The members form a ring over TCP. `all_reduce` is the bandwidth-optimal ring of Patarasu and Yuan ("Bandwidth optimal
all-reduce algorithms for clusters of workstations", 2009): the array is cut into as many pieces as there are members; in
`n - 1` steps each piece is summed on its way round, in `n - 1` more the sums are handed round. Every member sends and
receives `2 (n - 1) / n` of the array's bytes whatever the size of the gang. Each piece is summed by one chain in one order
and then copied, so all members end with the same bits; replicated computations therefore never drift apart.

A gang of one needs no socket: every operation returns at once. Where a launcher that speaks MPI started the members and
the centre has a library of it, the sums go by MPI, over whatever network it knows: `MpiGang`.
"""

import hashlib
import json
import os
import select
import socket
import struct
import time
import traceback

import numpy as np

from contract import Stopped

MESSAGE_LIMIT_BYTES = 64 * 1024
SOCKET_BUFFER_BYTES = 1024 * 1024


class GangError(Exception):
    """The gang cannot go on: a member did not come, or left."""


class Gang:
    """The members' connections, seen from one of them.

    - rank, size: this member's number and how many there are.
    - join_limit_seconds: how long to wait for the others at the start; members on a busy machine start unevenly.
    - wait_limit_seconds: how long one operation may wait for a neighbour before the gang is given up.
    """

    transport = "TCP"

    def __init__(self, rank, size, address, port, name="", join_limit_seconds=60.0, wait_limit_seconds=60.0):
        self.rank, self.size = rank, size
        self._wait_limit_seconds = wait_limit_seconds
        self._next = self._previous = None
        self.bytes_sent = 0
        if size == 1:
            return
        deadline = time.monotonic() + join_limit_seconds
        # Members of another gang may knock at a port that was theirs a moment ago; the key keeps them out.
        key = hashlib.sha256(f"{name}/{size}".encode()).hexdigest()
        try:
            self._join(address, port, key, deadline)
        except OSError as error:
            self.close()
            raise GangError(f"rank {rank} could not join the gang at {address}:{port}: {error}") from None
        for link in (self._next, self._previous):
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            link.setblocking(False)

    @classmethod
    def from_environment(cls, environ=os.environ, **limits):
        """Joins the gang that RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT describe."""
        rank, size = int(environ.get("RANK", 0)), int(environ.get("WORLD_SIZE", 1))
        world = _mpi_world(rank, size, environ)
        if world is not None:
            return MpiGang(world)
        return cls(
            rank,
            size,
            environ.get("MASTER_ADDR", "127.0.0.1"),
            int(environ.get("MASTER_PORT", 0)),
            name=environ.get("ONEPOINT_JOB", ""),
            **limits,
        )

    def all_reduce(self, array):
        """Adds up, in place, the arrays of all members; they must have one shape and type everywhere."""
        if self.size == 1:
            return array
        if not array.flags.c_contiguous:
            raise ValueError("all_reduce needs a contiguous array")
        flat = array.reshape(-1)
        bounds = [flat.size * i // self.size for i in range(self.size + 1)]

        def piece(i):
            i %= self.size
            return flat[bounds[i] : bounds[i + 1]]

        arrived = np.empty(max(np.diff(bounds)), flat.dtype)
        for step in range(self.size - 1):
            target = piece(self.rank - step - 1)
            self._exchange(piece(self.rank - step), arrived[: target.size])
            target += arrived[: target.size]
        for step in range(self.size - 1):
            self._exchange(piece(self.rank - step + 1), piece(self.rank - step))
        return array

    def barrier(self):
        """Returns when every member has reached this line."""
        self.all_reduce(np.zeros(self.size, np.float32))

    def close(self):
        for link in (self._next, self._previous):
            if link is not None:
                link.close()
        self._next = self._previous = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # Joining: everyone tells rank 0 where it listens, rank 0 tells everyone all of that, each calls its successor.

    def _join(self, address, port, key, deadline):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if self.rank == 0:
                listener.bind((address, port))
                listener.listen(2 * self.size)
                table, callers = {0: [address, port]}, {}
                while len(table) < self.size:
                    caller, hello = _accept(listener, key, "register", deadline, f"{self.size - len(table)} member(s)")
                    if hello["rank"] in table:
                        caller.close()
                        raise GangError(f"two members call themselves rank {hello['rank']}")
                    table[hello["rank"]], callers[hello["rank"]] = hello["address"], caller
                for caller in callers.values():
                    _send_message(caller, {"table": [table[rank] for rank in range(self.size)]})
                    caller.close()
                table = [table[rank] for rank in range(self.size)]
            else:
                with _connect(address, port, deadline) as master:
                    own = master.getsockname()[0]
                    listener.bind((own, 0))
                    listener.listen(8)
                    _send_message(
                        master,
                        {"key": key, "kind": "register", "rank": self.rank, "address": [own, listener.getsockname()[1]]},
                    )
                    table = _receive_message(master, deadline)["table"]
            successor = (self.rank + 1) % self.size
            self._next = _connect(*table[successor], deadline)
            _send_message(self._next, {"key": key, "kind": "ring", "rank": self.rank})
            predecessor = (self.rank - 1) % self.size
            self._previous, hello = _accept(listener, key, "ring", deadline, f"rank {predecessor}")
            if hello["rank"] != predecessor:
                raise GangError(f"expected rank {predecessor} in the ring, got rank {hello['rank']}")

    def _exchange(self, outgoing, incoming):
        """Sends to the successor while receiving from the predecessor.

        Both at once: if everybody sent first, arrays larger than the sockets' buffers would stop the ring for ever.
        """
        out, into = memoryview(outgoing.view(np.uint8)), memoryview(incoming.view(np.uint8))
        self.bytes_sent += len(out)
        deadline = time.monotonic() + self._wait_limit_seconds
        while out or into:
            readers, writers, _ = select.select(
                [self._previous] if into else [],
                [self._next] if out else [],
                [],
                max(0.0, deadline - time.monotonic()),
            )
            if not readers and not writers:
                raise GangError(f"rank {self.rank} waited {self._wait_limit_seconds:g} s for its neighbours")
            try:
                if readers:
                    count = self._previous.recv_into(into, min(len(into), SOCKET_BUFFER_BYTES))
                    if count == 0:
                        raise GangError(f"rank {(self.rank - 1) % self.size} has left the gang")
                    into = into[count:]
                if writers:
                    out = out[self._next.send(out[:SOCKET_BUFFER_BYTES]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise GangError(f"rank {self.rank} lost a neighbour: {error}") from None


class MpiGang:
    """The same by MPI. A member that leaves ends all, as MPI does."""

    transport = "MPI"

    def __init__(self, world):
        self._world = world
        self.rank, self.size = world.Get_rank(), world.Get_size()
        self.bytes_sent = 0

    def all_reduce(self, array):
        """Adds up, in place, the arrays of all members; they must have one shape and type everywhere."""
        if not array.flags.c_contiguous:
            raise ValueError("all_reduce needs a contiguous array")
        from mpi4py import MPI

        # MPI only recommends that Allreduce gives the same bits to all; what one member summed and handed out is the same.
        self._world.Reduce(MPI.IN_PLACE if self.rank == 0 else array, array if self.rank == 0 else None, MPI.SUM, 0)
        self._world.Bcast(array, 0)
        self.bytes_sent += array.nbytes
        return array

    def barrier(self):
        """Returns when every member has reached this line."""
        self._world.Barrier()

    def close(self):
        """MPI itself says goodbye at the process's end."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        # The others may wait inside a sum for this member, which does not come.
        if kind is not None and not issubclass(kind, (SystemExit, Stopped)):
            traceback.print_exception(error)
            self._world.Abort(1)


def _mpi_world(rank, size, environ):
    """The communicator of all members; `None` unless MPI started exactly them."""
    if size == 1 or not any(name in environ for name in ("PMIX_RANK", "PMI_RANK")):
        return None
    try:
        from mpi4py import MPI
    except (ImportError, RuntimeError):
        return None
    world = MPI.COMM_WORLD
    return world if (world.Get_rank(), world.Get_size()) == (rank, size) else None


def _connect(address, port, deadline):
    """Calls until somebody answers: rank 0 may still be starting."""
    while True:
        try:
            return socket.create_connection((address, port), timeout=max(0.1, deadline - time.monotonic()))
        except ConnectionRefusedError:
            if time.monotonic() + 0.05 > deadline:
                raise
            time.sleep(0.05)


def _accept(listener, key, kind, deadline, awaited):
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise GangError(f"nobody came in time; still waiting for {awaited}")
        listener.settimeout(left)
        try:
            caller, _ = listener.accept()
        except TimeoutError:
            continue
        try:
            hello = _receive_message(caller, min(deadline, time.monotonic() + 5.0))
            if hello.get("key") == key and hello.get("kind") == kind and isinstance(hello.get("rank"), int):
                return caller, hello
        except (GangError, OSError, ValueError, AttributeError):
            pass
        caller.close()


def _send_message(link, message):
    body = json.dumps(message).encode()
    link.sendall(struct.pack("!I", len(body)) + body)


def _receive_message(link, deadline):
    (length,) = struct.unpack("!I", _receive_exactly(link, 4, deadline))
    if length > MESSAGE_LIMIT_BYTES:
        raise GangError("a message of the rendezvous is too long")
    return json.loads(_receive_exactly(link, length, deadline))


def _receive_exactly(link, count, deadline):
    received = b""
    while len(received) < count:
        link.settimeout(max(0.1, deadline - time.monotonic()))
        chunk = link.recv(count - len(received))
        if not chunk:
            raise GangError("a member hung up during the rendezvous")
        received += chunk
    return received
