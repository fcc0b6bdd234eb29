/// Supervision of one run on this machine: a separate process that outlives whoever started it, and the small
/// pieces of the operating system that the local engine needs beside it. Linux only; no allocation limits below
/// are exceeded by anything that is read.
#ifndef ONEPOINT_CSUPERVISE_H
#define ONEPOINT_CSUPERVISE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// What `onepoint_supervise` returns and the process that called it leaves with.
enum {
    ONEPOINT_SUPERVISE_STARTED = 0,
    ONEPOINT_SUPERVISE_FAILED = 1,
    /// Somebody has claimed this run before: it has been started, or was cancelled while it was held.
    ONEPOINT_SUPERVISE_CLAIMED = 3,
    /// A newer run of the same job was claimed on this machine.
    ONEPOINT_SUPERVISE_SUPERSEDED = 4,
    ONEPOINT_SUPERVISE_BAD_ORDER = 5,
    /// No space or no right to write; nothing was claimed, so that a later attempt can succeed.
    ONEPOINT_SUPERVISE_NO_SPACE = 6,
};

/// Carries out the run whose order lies in `run_folder` (absolute).
///
/// To be called as the first thing in `main` by a process of its own. Returns in that process as soon as the run is
/// claimed, while a daemon goes on with it; in the daemon it returns never. `run_folder` beginning with `@gang:` is
/// how the daemon calls the same executable again inside a sandbox.
int onepoint_supervise(const char *run_folder);

/// Starts `executable supervise run_folder` with the environment `envp` and waits until the run is claimed.
/// Returns the codes above, or the negative of an errno.
int onepoint_start_supervisor(const char *executable, const char *run_folder, const char *const envp[]);

/// Publishes `bytes` as `name` inside `folder` if there is no such file yet: temporary file, fsync when `durable`,
/// link, fsync of the folder. Returns 0, or the negative of an errno (`-EEXIST` when somebody was first).
int onepoint_publish(const char *folder, const char *name, const void *bytes, size_t count, int durable);

/// As `onepoint_publish`, but replaces what was there.
int onepoint_replace(const char *folder, const char *name, const void *bytes, size_t count, int durable);

/// Flushes a file or folder to the disk. Returns 0 or the negative of an errno.
int onepoint_flush(const char *path);
/// The same for everything on the path's file system.
int onepoint_flush_all(const char *path);

/// The content of a file of at most `capacity` bytes, or the negative of an errno (`-EFBIG` for more).
ssize_t onepoint_read(const char *path, void *buffer, size_t capacity);

/// Whether the process `pid` that started at `start` (field 22 of /proc/PID/stat) lives; a zombie does not.
int onepoint_alive(pid_t pid, uint64_t start);

/// The start time of a living process in clock ticks since boot, 0 when there is none.
uint64_t onepoint_start_time(pid_t pid);

/// The identity of this boot of the machine: 36 characters and a NUL.
void onepoint_boot_id(char text[40]);

/// Sends a signal to exactly that process, never to a later one of the same number. Returns 0 or `-ESRCH`.
int onepoint_signal(pid_t pid, uint64_t start, int number);

/// Kills whatever a run without a living supervisor has left: by its cgroups, by the recorded process and its
/// descendants, and by the mark `ONEPOINT_RUN=run` in the environment. Returns how many processes may be left.
int onepoint_kill_run(const char *run_folder, const char *run);

/// Removes a folder and all below it without following symbolic links. Returns 0 or the negative of an errno.
int onepoint_remove_tree(const char *path);

/// Runs a short tool to its end and keeps what it prints.
///
/// - `argv[0]` is an absolute path; `merge` adds standard error to the output.
/// - `status` receives the exit status, 128 plus the signal, or -1 when `timeout_ms` ran out and it was killed.
/// Returns the number of bytes kept, or the negative of an errno when it could not be started.
ssize_t onepoint_capture(
    const char *const argv[], const char *const envp[], int timeout_ms, int merge, char *output, size_t capacity,
    int *status);

/// SHA-256 (FIPS 180-4).
void onepoint_sha256(const void *bytes, size_t count, uint8_t digest[32]);

struct onepoint_measurement {
    /// FP32 multiply-adds count two operations; all cores together; 10⁹ operations a second.
    double fp32_gflops;
    /// Bytes read plus bytes written by large copies on all cores, as STREAM counts them; 10⁹ bytes a second.
    double memory_gbps;
    /// Sequential write and fsync; 10⁶ bytes a second; 0 when the folder cannot be written.
    double disk_mbps;
};

/// Measures this machine for about a second. `folder` is where the disk is written; `threads` from 1 to 1024.
void onepoint_measure(const char *folder, int threads, struct onepoint_measurement *result);

/// Watches a folder for touched files. Returns a file descriptor for `onepoint_watch_wait`, or `-errno`.
int onepoint_watch_open(const char *folder);

/// Waits until something was touched (1), `timeout_ms` ran out (0) or `stop_fd` is readable (-1).
int onepoint_watch_wait(int watch_fd, int stop_fd, int timeout_ms);

/// Runs `body(context)` on a detached thread of its own. Returns 0 or the negative of an errno.
int onepoint_thread(void (*body)(void *), void *context);

/// The cgroup's own limits of the calling process: bytes of memory and thousandths of a core, 0 for none.
void onepoint_own_limits(uint64_t *memory, uint64_t *milli_cores);

/// The calling process's environment, ended by NULL; valid while nobody changes it.
const char *const *onepoint_environment(void);

/// Lets this process keep buffers of some megabytes that it has freed, up to 32 MiB of them. Given back to the system and
/// asked for anew with every piece of a transfer they cost it in page faults a tenth of the transfer's processor time.
void onepoint_keep_buffers(void);

/// The number of processors this process may run on.
int onepoint_processors(void);

/// The files of the shared libraries that this process has loaded, its loader among them: absolute paths as they were
/// looked for, a line feed behind each. Returns how many bytes they have, also where that is more than `capacity`.
size_t onepoint_libraries(char *text, size_t capacity);

#endif
