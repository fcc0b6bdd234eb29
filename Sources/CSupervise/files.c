#define _GNU_SOURCE
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int64_t op_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t op_monotonic_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

ssize_t op_read_fd(int fd, void *buffer, size_t capacity) {
    size_t count = 0;
    for (;;) {
        char extra;
        bool full = count == capacity;
        ssize_t got = pread(fd, full ? &extra : (char *)buffer + count, full ? 1 : capacity - count, (off_t)count);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return -errno;
        if (got == 0) return (ssize_t)count;
        if (full) return -EFBIG;
        count += (size_t)got;
    }
}

ssize_t op_read_at(int folder, const char *name, void *buffer, size_t capacity) {
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return -errno;
    ssize_t count = op_read_fd(fd, buffer, capacity);
    close(fd);
    return count;
}

ssize_t onepoint_read(const char *path, void *buffer, size_t capacity) {
    return op_read_at(AT_FDCWD, path, buffer, capacity);
}

int op_write_all(int fd, const void *bytes, size_t count) {
    const char *at = bytes;
    while (count) {
        ssize_t put = write(fd, at, count);
        if (put < 0 && errno == EINTR) continue;
        if (put < 0) return -errno;
        at += put;
        count -= (size_t)put;
    }
    return 0;
}

/// For the control files of the kernel and for notes that need not survive a power cut.
int op_write_at(int folder, const char *name, const char *text) {
    int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    ssize_t put = write(fd, text, strlen(text));
    int result = put < 0 ? -errno : 0;
    close(fd);
    return result;
}

static int write_new(const char *folder, const char *name, const void *bytes, size_t count, int durable, bool replace) {
    int dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) return -errno;
    static unsigned serial;
    char temporary[NAME_MAX + 1];
    snprintf(temporary, sizeof temporary, ".%.100s.%d.%u", name, getpid(), __atomic_add_fetch(&serial, 1, __ATOMIC_RELAXED));
    int result = 0;
    int fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0) {
        result = -errno;
    } else {
        result = op_write_all(fd, bytes, count);
        if (!result && durable && fsync(fd)) result = -errno;
        close(fd);
        if (!result && replace && renameat(dir, temporary, dir, name)) result = -errno;
        if (!result && !replace && linkat(dir, temporary, dir, name, 0)) result = -errno;
        if (!replace || result) unlinkat(dir, temporary, 0);
        if (!result && durable && fsync(dir)) result = -errno;
    }
    close(dir);
    return result;
}

int onepoint_publish(const char *folder, const char *name, const void *bytes, size_t count, int durable) {
    return write_new(folder, name, bytes, count, durable, false);
}

int onepoint_replace(const char *folder, const char *name, const void *bytes, size_t count, int durable) {
    return write_new(folder, name, bytes, count, durable, true);
}

int onepoint_flush(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int result = fsync(fd) ? -errno : 0;
    close(fd);
    return result;
}

int onepoint_flush_all(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    int result = syncfs(fd) ? -errno : 0;
    close(fd);
    return result;
}

void op_touch_event(const struct op_order *order) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/events/changed", order->root) >= (int)sizeof path) return;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return;
    futimens(fd, NULL);
    close(fd);
}

static int remove_at(int parent, const char *name, int depth) {
    if (!unlinkat(parent, name, 0) || errno == ENOENT) return 0;
    if (errno != EISDIR && errno != EPERM && errno != EACCES) return -errno;
    if (depth > 512) return -ELOOP;
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES) {
        fchmodat(parent, name, 0700, 0);
        fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0) return -errno;
    fchmod(fd, 0700);
    DIR *dir = fdopendir(fd);
    if (!dir) {
        int error = -errno;
        close(fd);
        return error;
    }
    int result = 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        int one = remove_at(dirfd(dir), entry->d_name, depth + 1);
        if (one) result = one;
    }
    closedir(dir);
    if (!result && unlinkat(parent, name, AT_REMOVEDIR) && errno != ENOENT) result = -errno;
    return result;
}

int onepoint_remove_tree(const char *path) { return remove_at(AT_FDCWD, path, 0); }
