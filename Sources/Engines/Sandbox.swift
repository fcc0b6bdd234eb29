internal import Core

/// A private file system, process space and loopback for one run, by bubblewrap.
///
/// Source: bwrap(1). What a run sees: the system's programs read-only, its own folders at the paths its environment
/// names, a private /tmp, /proc and /dev, and no network but its own loopback.
struct Sandbox: Sendable, Equatable {
    var program: String
    /// Whether this version can forbid further user namespaces inside.
    var forbidsNesting: Bool

    /// Finds out by trying whether sandboxes work here; takes about 10 ms.
    static func probe() -> Sandbox? {
        guard let tool = Tool("bwrap") else { return nil }
        for forbids in [true, false] {
            let sandbox = Sandbox(program: tool.path, forbidsNesting: forbids)
            let arguments = sandbox.system(devices: []).dropFirst() + ["--", "/bin/true"]
            if tool.output(Array(arguments), timeout: .seconds(5)) != nil { return sandbox }
        }
        return nil
    }

    /// The command line up to what differs from run to run.
    private func system(devices: [String]) -> [String] {
        var words = [
            program, "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts",
            "--unshare-cgroup-try", "--die-with-parent", "--as-pid-1", "--cap-drop", "ALL",
        ]
        if forbidsNesting { words.append("--disable-userns") }
        words += ["--ro-bind", "/usr", "/usr"]
        for folder in ["/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32"] {
            if let target = Disk.link(folder) {
                words += ["--symlink", target, folder]
            } else if Disk.isFolder(folder) {
                words += ["--ro-bind", folder, folder]
            }
        }
        for file in Self.settings { words += ["--ro-bind-try", "/etc/\(file)", "/etc/\(file)"] }
        words += ["--ro-bind-try", "/opt", "/opt", "--proc", "/proc", "--dev", "/dev"]
        words += ["--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"]
        if !devices.isEmpty { words += ["--ro-bind-try", "/sys", "/sys"] }
        for device in devices { words += ["--dev-bind-try", device, device] }
        return words
    }

    /// Names under /etc without secrets that programs need to find libraries, users, hosts, zones and certificates.
    private static let settings = [
        "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "passwd", "group", "nsswitch.conf", "hosts", "localtime",
        "timezone", "ssl/certs", "ssl/openssl.cnf", "ca-certificates", "alternatives", "fonts", "mime.types",
        "os-release", "debian_version", "protocols", "services", "locale.alias", "OpenCL", "openmpi",
    ]

    /// Folders of one run at their own paths.
    struct Folders {
        var temporary: String
        var readable: [String]
        var writable: [String]
    }

    func arguments(_ folders: Folders) -> [String] {
        var words = system(devices: [])
        words += ["--bind", folders.temporary, "/tmp"]
        for folder in folders.readable { words += ["--ro-bind", folder, folder] }
        for folder in folders.writable { words += ["--bind", folder, folder] }
        return words + ["--chdir", "/"]
    }

    /// What is added for the accelerators that a run was given.
    static func devices(vendor: String, indices: [Int]) -> [String] {
        let paths: [String] =
            switch vendor {
            case "NVIDIA":
                indices.map { "/dev/nvidia\($0)" } + ["/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/nvidia-uvm-tools"]
            // The driver gives out all cards by one device; HIP_VISIBLE_DEVICES narrows it.
            case "AMD": ["/dev/kfd", "/dev/dri"]
            case "Huawei":
                indices.map { "/dev/davinci\($0)" } + ["/dev/davinci_manager", "/dev/devmm_svm", "/dev/hisi_hdc"]
            default: []
            }
        return ["--ro-bind-try", "/sys", "/sys"] + paths.flatMap { ["--dev-bind-try", $0, $0] }
    }
}
