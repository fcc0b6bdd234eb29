import Glibc

/// Nanoseconds of a clock that never goes back, for measuring how long our own disk work takes. Decisions take their
/// time from the caller.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
