internal import CSupervise
internal import Core
internal import Glibc

/// What this machine has, seen from inside whatever limits the engine itself.
public enum Machine {
    /// Processors this process may use, cut to the quota of its own cgroups.
    static func cores() -> MilliCores {
        let (_, quota) = ownLimits()
        let present = MilliCores.cores(Int(onepoint_processors()))
        return quota.map { min($0, present) } ?? present
    }

    /// Memory of the machine, cut to the limit of our own cgroups.
    static func memory() -> Bytes {
        let (limit, _) = ownLimits()
        let present = Bytes(Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE))))
        return limit.map { min($0, present) } ?? present
    }

    private static func ownLimits() -> (memory: Bytes?, cores: MilliCores?) {
        var memory: UInt64 = 0
        var cores: UInt64 = 0
        onepoint_own_limits(&memory, &cores)
        return (
            memory > 0 ? Bytes(Int64(clamping: memory)) : nil, cores > 0 ? MilliCores(Int64(clamping: cores)) : nil
        )
    }

    /// The kernel's release, such as `6.1.0`.
    static func release() -> String {
        let text =
            Disk.read("/proc/sys/kernel/osrelease", bytesMax: 256).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return String(text.prefix { !$0.isNewline })
    }

    static func now() -> Instant {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Writes everything of the file system that a path is on to its disk: for many files that is one wait.
    ///
    /// - Returns: The error's number, or `nil`.
    package static func flushAll(_ path: String) -> Int32? {
        let code = onepoint_flush_all(path)
        return code == 0 ? nil : -code
    }

    /// The kernel's name for the time since the machine was started (random(4), `boot_id`); empty where there is none.
    public static func boot() -> String {
        var text = [CChar](repeating: 0, count: 40)
        onepoint_boot_id(&text)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
