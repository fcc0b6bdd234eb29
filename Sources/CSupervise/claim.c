// What must be on disk before and after everything else: the claim, the fence and the exit record.
#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

bool op_cancel_asked(int run_folder, int64_t *grace_ms) {
    char text[256];
    ssize_t count = op_read_at(run_folder, "cancel", text, sizeof text - 1);
    if (count < 0) return false;
    text[count] = 0;
    long long grace = 0;
    *grace_ms = sscanf(text, "grace_ms %lld", &grace) == 1 && grace >= 0 && grace < 86400000 ? grace : 0;
    return true;
}

/// Takes the space of the exit record while there is some: a full disk must not hide how a run ended.
bool op_reserve_record(struct run *run) {
    snprintf(run->record, sizeof run->record, ".exit.%d", getpid());
    run->record_fd = openat(run->folder, run->record, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (run->record_fd < 0) return false;
    int error = posix_fallocate(run->record_fd, 0, EXIT_RECORD_BYTES);
    return !error || error == EOPNOTSUPP || error == EINVAL;
}

/// Writes how it ended, waiting out a disk that refuses for up to an hour.
static void write_record(struct run *run, int64_t ended_at_ms) {
    char text[EXIT_RECORD_BYTES];
    for (char *at = run->detail; *at; at++)
        if ((unsigned char)*at < ' ') *at = ' ';
    int count = snprintf(
        text, sizeof text, "kind %s\ncode %d\nstarted_ms %lld\nended_ms %lld\ndetail %s\n", run->kind, run->code,
        (long long)run->started_ms, (long long)ended_at_ms, run->detail);
    for (int tries = 0; tries < 3600; tries++) {
        if (pwrite(run->record_fd, text, (size_t)count, 0) == count && !ftruncate(run->record_fd, count)
            && !fsync(run->record_fd)
            && (!linkat(run->folder, run->record, run->folder, "exit", 0) || errno == EEXIST)) {
            unlinkat(run->folder, run->record, 0);
            fsync(run->folder);
            break;
        }
        sleep(1);
    }
    op_touch_event(&run->order);
}

/// From its start on by a clock that nobody sets, so that a step of the wall clock is not charged.
static int64_t ended_ms(const struct run *run) {
    if (!run->running) return op_now_ms();
    return run->started_ms + op_monotonic_ms() - (run->limit_at - run->order.limit_ms);
}

_Noreturn void op_finish(struct run *run, const char *kind, int code) {
    run->kind = kind;
    run->code = code;
    write_record(run, ended_ms(run));
    _exit(0);
}

/// Links the claim into place. Returns its descriptor, or the negative of an errno.
int op_claim(struct run *run) {
    char boot[40], text[160], temporary[64];
    onepoint_boot_id(boot);
    int count = snprintf(
        text, sizeof text, "supervisor %d %llu %s\n", getpid(), (unsigned long long)onepoint_start_time(getpid()), boot);
    snprintf(temporary, sizeof temporary, ".claim.%d", getpid());
    int fd = openat(run->folder, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0) return -errno;
    int result = op_write_all(fd, text, (size_t)count);
    if (!result && linkat(run->folder, temporary, run->folder, "claim", 0)) result = -errno;
    unlinkat(run->folder, temporary, 0);
    if (!result) return fd;
    close(fd);
    return result;
}

/// The job's highest run number on this machine, in one file under a lock. First runs need none: what has no file
/// was never run again here. Returns 1 when this run may go on, 0 when a newer one was here, or the negative of an
/// errno.
int op_pass_fence(const struct op_order *order) {
    char path[PATH_MAX], text[32] = {0};
    snprintf(path, sizeof path, "%s/fences/%s", order->root, order->job);
    int fd = open(path, O_RDWR | O_CLOEXEC | (order->number > 1 ? O_CREAT : 0), 0644);
    if (fd < 0) return errno == ENOENT && order->number == 1 ? 1 : -errno;
    while (flock(fd, LOCK_EX) && errno == EINTR) {}
    long highest = pread(fd, text, sizeof text - 1, 0) > 0 ? atol(text) : 0;
    int pass = highest <= order->number;
    if (pass && highest < order->number) {
        // Of fixed width, so that a rewrite is one write to one sector.
        int count = snprintf(text, sizeof text, "%019ld\n", order->number);
        if (pwrite(fd, text, (size_t)count, 0) != count || fsync(fd)) pass = errno ? -errno : -EIO;
    }
    close(fd);
    return pass;
}

