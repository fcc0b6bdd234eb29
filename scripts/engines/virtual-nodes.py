"""Nodes of a Kubernetes cluster that have no kubelet: each pod bound to one of them runs as a process of this machine.

    virtual-nodes.py SERVER KEYS NODES CPUS CARDS PRODUCT

Enough of a kubelet for tests: it registers nodes with cards, runs the first container's command in a session of its own
(images are not pulled), tells phases and exit statuses, honours deletion with its grace, and gives out what a pod has
printed. It looks at the pods five times a second instead of watching them.
"""

import http.client
import http.server
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

server, keys, count, cpus, cards, product = sys.argv[1:]
names = [f"virtual-{i + 1}" for i in range(int(count))]
trust = ssl.create_default_context(cafile=f"{keys}/ca.crt")
trust.load_cert_chain(f"{keys}/admin.crt", f"{keys}/admin.key")
place = urllib.parse.urlparse(server)
link = None


def call(method, path, body=None, kind="application/json"):
    global link
    try:
        if link is None:
            link = http.client.HTTPSConnection(place.hostname, place.port, context=trust, timeout=20)
        text = None if body is None else json.dumps(body)
        link.request(method, path, text, {"Content-Type": kind})
        answer = link.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        link = None
        print("no answer:", error, flush=True)
        return 0, {}


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def register(name):
    labels = {"kubernetes.io/hostname": name, "nvidia.com/gpu.product": product, "nvidia.com/gpu.memory": "81559"}
    call("POST", "/api/v1/nodes", {"metadata": {"name": name, "labels": labels}})
    room = {"cpu": cpus, "memory": "16Gi", "pods": "110", "nvidia.com/gpu": cards}
    ready = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready", "lastHeartbeatTime": now()}
    status = {
        "capacity": room, "allocatable": room, "conditions": [ready],
        "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": words.server_port}},
    }
    call("PATCH", f"/api/v1/nodes/{name}/status", {"status": status}, "application/strategic-merge-patch+json")
    leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": now()[:-1] + ".000000Z"}
    if call("PATCH", f"{leases}/{name}", {"spec": spec}, "application/merge-patch+json")[0] == 404:
        call("POST", leases, {"metadata": {"name": name}, "spec": spec})


class Pod:
    def __init__(self, pod):
        self.path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
        self.uid, self.name = pod["metadata"]["uid"], pod["metadata"]["name"]
        self.container = pod["spec"]["containers"][0]
        self.ending, self.told, self.began = None, False, now()
        variables = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOSTNAME": self.name}
        for one in self.container.get("env", []):
            field = one.get("valueFrom", {}).get("fieldRef", {}).get("fieldPath", "")
            index = pod["metadata"].get("annotations", {}).get("batch.kubernetes.io/job-completion-index", "")
            variables[one["name"]] = one.get("value", index if "completion-index" in field else "")
        wanted = int(self.container.get("resources", {}).get("limits", {}).get("nvidia.com/gpu", 0))
        self.cards = free[pod["spec"]["nodeName"]][:wanted]
        self.node = pod["spec"]["nodeName"]
        free[self.node] = free[self.node][wanted:]
        variables["CUDA_VISIBLE_DEVICES"] = ",".join(map(str, self.cards))
        self.words = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            self.container["command"],
            env=variables,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=self.words,
            stderr=self.words,
        )
        self.tell("Running", {"running": {"startedAt": self.began}})

    def tell(self, phase, state):
        one = {
            "name": self.container["name"], "image": self.container["image"], "imageID": "", "restartCount": 0,
            "ready": phase == "Running", "state": state,
        }
        status = {"phase": phase, "startTime": self.began, "containerStatuses": [one]}
        answer, _ = call("PATCH", self.path + "/status", {"status": status}, "application/merge-patch+json")
        self.told = phase != "Running" and answer in (200, 404)

    def look(self, pod):
        code = self.process.poll()
        going = pod is None or "deletionTimestamp" in pod["metadata"]
        if code is None:
            if going and self.ending is None:
                grace = 0 if pod is None else pod["metadata"].get("deletionGracePeriodSeconds") or 0
                self.ending = time.monotonic() + grace
                self.signal(signal.SIGTERM)
            if self.ending is not None and time.monotonic() >= self.ending:
                self.signal(signal.SIGKILL)
            return False
        # What a container's end takes with it.
        self.signal(signal.SIGKILL)
        free[self.node] = sorted(free[self.node] + self.cards)
        self.cards = []
        if pod is None:
            return True
        if not self.told:
            status = code if code >= 0 else 128 - code
            end = {"exitCode": status, "startedAt": self.began, "finishedAt": now(), "reason": "Error" if code else "Completed"}
            self.tell("Failed" if code else "Succeeded", {"terminated": end})
        if going:
            options = {"gracePeriodSeconds": 0, "preconditions": {"uid": self.uid}}
            call("DELETE", self.path, options)
        return False

    def signal(self, number):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass


class Words(http.server.BaseHTTPRequestHandler):
    """The one thing that the API server asks a kubelet for: GET /containerLogs/NAMESPACE/POD/CONTAINER."""

    def do_GET(self):
        place = urllib.parse.urlparse(self.path)
        wanted = place.path.split("/")[3:4] if place.path.startswith("/containerLogs/") else []
        text = next((os.pread(pod.words.fileno(), 1 << 24, 0) for pod in list(pods.values()) if [pod.name] == wanted), None)
        limit = urllib.parse.parse_qs(place.query).get("limitBytes")
        self.send_response(404 if text is None else 200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write((text or b"")[: int(limit[0]) if limit else None])

    def log_message(self, *words):
        pass


free = {name: list(range(int(cards))) for name in names}
pods, stopping = {}, []
words = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Words)
secret = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
secret.load_cert_chain(f"{keys}/server.crt", f"{keys}/server.key")
words.socket = secret.wrap_socket(words.socket, server_side=True)
threading.Thread(target=words.serve_forever, daemon=True).start()
signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))
registered = 0
while not stopping:
    if time.monotonic() - registered > 8 or registered == 0:
        for name in names:
            register(name)
        registered = time.monotonic()
    status, answer = call("GET", "/api/v1/pods?fieldSelector=spec.nodeName!=")
    if status == 200:
        seen = {pod["metadata"]["uid"]: pod for pod in answer.get("items") or []}
        for uid, pod in seen.items():
            if uid in pods or pod["spec"]["nodeName"] not in names:
                continue
            if pod["status"].get("phase") == "Pending":
                pods[uid] = Pod(pod)
            elif "deletionTimestamp" in pod["metadata"]:
                # Of an earlier process of ours: nothing of it is left to wait for.
                path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}"
                call("DELETE", path, {"gracePeriodSeconds": 0, "preconditions": {"uid": uid}})
        for uid in list(pods):
            if pods[uid].look(seen.get(uid)):
                del pods[uid]
    time.sleep(0.2)
for pod in pods.values():
    pod.signal(signal.SIGKILL)
