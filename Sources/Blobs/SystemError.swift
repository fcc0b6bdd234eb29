import Core

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A refusal of the operating system, before it becomes a ``Failure`` at the public door.
struct SystemError: Error {
    let code: CInt
    let operation: StaticString
    let path: String

    /// Reads `errno`; call it at once after the failed call.
    static func last(_ operation: StaticString, _ path: String) -> SystemError {
        SystemError(code: errno, operation: operation, path: path)
    }

    /// A file is shorter than it was when it was verified.
    static func truncated(_ path: String) -> SystemError {
        SystemError(code: EIO, operation: "pread (shorter than expected)", path: path)
    }

    var isAbsence: Bool { code == ENOENT || code == ENOTDIR }
    /// The entry exists already, or a folder that is not empty stands in the way.
    var isPresence: Bool { code == EEXIST || code == ENOTEMPTY }
    /// A hard link cannot be made here, though a copy can.
    var forbidsLink: Bool { [EXDEV, EMLINK, EPERM, EOPNOTSUPP, ENOSYS].contains(code) }
    var crossesFileSystems: Bool { code == EXDEV }
    /// The call, or this form of it, is unknown to the kernel or the file system.
    var isUnsupported: Bool { [ENOSYS, EINVAL, EOPNOTSUPP, EXDEV, EPERM].contains(code) }
    var isLoop: Bool { code == ELOOP }

    /// What callers see; the path is for the log only.
    var failure: Failure {
        let note = "\(operation) \(path): \(strerror(code).map { String(cString: $0) } ?? "error \(code)")"
        switch code {
        case ENOSPC, EDQUOT:
            return Failure(
                .storageExhausted,
                "The disk that holds these bytes is full. Nothing was stored; free some space, then try again.",
                note: note
            )
        case EROFS:
            return Failure(
                .storageExhausted,
                "The file system that holds these bytes is read-only. Nothing was stored; make it writable, then try"
                    + " again.",
                note: note
            )
        case EMFILE, ENFILE, ENOMEM:
            return Failure(
                .unavailable,
                "Too many files are open here at this moment. Try again in a second.",
                note: note,
                retryAfter: .seconds(1)
            )
        case EFBIG:
            return Failure(.tooLarge, "The file system cannot hold a file of this size.", note: note)
        case EACCES, EPERM:
            return Failure(
                .internal,
                "The store may not use one of its files. Check who owns the data folder and its permissions.",
                note: note
            )
        default:
            return Failure(
                .internal,
                "The disk refused an operation. The log names the file and the cause.",
                note: note
            )
        }
    }
}
