// Control groups of both generations, also both at once ("hybrid"): whatever is writable is used, the rest is done
// without. Sources: Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/ of the kernel.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TEXT_MAX = 1 << 18 };

/// The path of this process inside one hierarchy, from /proc/self/cgroup; "" when unknown.
static void own_path(const char *table, const char *controller, bool v2, char path[PATH_MAX]) {
    path[0] = 0;
    for (const char *line = table; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        const char *names = strchr(line, ':');
        const char *rest = names ? strchr(names + 1, ':') : NULL;
        if (!rest) continue;
        size_t width = (size_t)(rest - names - 1);
        bool match = v2 ? width == 0 : false;
        for (const char *name = names + 1; !v2 && name < rest;) {
            size_t length = strcspn(name, ",:");
            if (length == strlen(controller) && !strncmp(name, controller, length)) match = true;
            name += length + 1;
        }
        if (!match) continue;
        size_t length = strcspn(rest + 1, "\n");
        if (length > 1 && length < PATH_MAX && !strstr(rest, "/..")) {
            memcpy(path, rest + 1, length);
            path[length] = 0;
        }
        return;
    }
}

struct mount {
    char point[PATH_MAX], root[PATH_MAX];
};

/// Finds where a hierarchy is mounted: `controller` for version 1, NULL for version 2.
static bool find_mount(const char *table, const char *controller, struct mount *mount) {
    for (const char *line = table; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        char kind[32], options[1024];
        const char *end = strchr(line, '\n');
        const char *dash = strstr(line, " - ");
        if (!dash || (end && dash > end)) continue;
        if (sscanf(line, "%*s %*s %*s %4095s %4095s", mount->root, mount->point) != 2) continue;
        if (sscanf(dash, " - %31s %*s %1023s", kind, options) != 2) continue;
        if (!controller) {
            if (!strcmp(kind, "cgroup2")) return true;
            continue;
        }
        if (strcmp(kind, "cgroup")) continue;
        char *save = NULL;
        for (char *part = strtok_r(options, ",", &save); part; part = strtok_r(NULL, ",", &save))
            if (!strcmp(part, controller)) return true;
    }
    return false;
}

/// Makes `<base>/onepoint/<name>`.
static bool make_below(const char *base, const char *name, bool v2, char path[PATH_MAX]) {
    char parent[PATH_MAX], control[PATH_MAX];
    if (snprintf(parent, sizeof parent, "%s/onepoint", base) >= (int)sizeof parent) return false;
    if (mkdir(parent, 0755) && errno != EEXIST) return false;
    const char *wanted[] = {"+memory", "+pids", "+cpu"};
    // One by one: a group that lacks one controller may still hand down the others.
    for (int i = 0; v2 && i < 3; i++) {
        if (snprintf(control, sizeof control, "%s/cgroup.subtree_control", base) < (int)sizeof control)
            op_write_at(AT_FDCWD, control, wanted[i]);
        if (snprintf(control, sizeof control, "%s/cgroup.subtree_control", parent) < (int)sizeof control)
            op_write_at(AT_FDCWD, control, wanted[i]);
    }
    if (snprintf(path, PATH_MAX, "%s/%s", parent, name) >= PATH_MAX) return false;
    return !mkdir(path, 0755) || errno == EEXIST;
}

/// Tries the root of the hierarchy first, so that the group outlives the service that the agent may be part of.
static bool make(const char *table, const struct mount *mount, const char *controller, const char *name, char path[PATH_MAX]) {
    char own[PATH_MAX], base[PATH_MAX * 2];
    bool v2 = !controller;
    if (make_below(mount->point, name, v2, path)) return true;
    own_path(table, controller ? controller : "", v2, own);
    const char *below = own;
    size_t length = strlen(mount->root);
    if (length > 1 && !strncmp(own, mount->root, length)) below = own + length;
    if (!*below) return false;
    snprintf(base, sizeof base, "%s%s", mount->point, below);
    char *last = strrchr(base, '/');
    if (last && (size_t)(last - base) > strlen(mount->point)) {
        *last = 0;
        if (strlen(base) < PATH_MAX && make_below(base, name, v2, path)) return true;
        *last = '/';
    }
    return strlen(base) < PATH_MAX && make_below(base, name, v2, path);
}

static bool has(const char *path, const char *file) {
    char name[PATH_MAX];
    return snprintf(name, sizeof name, "%s/%s", path, file) < (int)sizeof name && !access(name, W_OK);
}

static int set(const char *path, const char *file, const char *text) {
    char name[PATH_MAX];
    if (snprintf(name, sizeof name, "%s/%s", path, file) >= (int)sizeof name) return -ENAMETOOLONG;
    return op_write_at(AT_FDCWD, name, text);
}

void op_cgroups_make(struct op_cgroups *groups, const char *name) {
    *groups = (struct op_cgroups){.unified = -1, .unified_fd = -1, .memory = -1};
    char *mounts = calloc(1, TEXT_MAX), *own = calloc(1, TEXT_MAX);
    struct mount *mount = malloc(sizeof *mount);
    if (!mounts || !own || !mount || onepoint_read("/proc/self/mountinfo", mounts, TEXT_MAX - 1) < 0
        || onepoint_read("/proc/self/cgroup", own, TEXT_MAX - 1) < 0)
        goto out;
    if (find_mount(mounts, NULL, mount) && make(own, mount, NULL, name, groups->paths[0])) {
        groups->count = 1;
        groups->unified = 0;
        groups->unified_fd = open(groups->paths[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        groups->kills = true;
        if (has(groups->paths[0], "memory.max")) {
            groups->memory = 0;
            groups->memory_is_v2 = true;
        }
    }
    const char *controllers[] = {"memory", "pids", "cpu"};
    const char *files[] = {"memory.max", "pids.max", "cpu.max"};
    for (int i = 0; i < 3; i++) {
        if (groups->unified == 0 && has(groups->paths[0], files[i])) continue;
        if (!find_mount(mounts, controllers[i], mount)) continue;
        if (!make(own, mount, controllers[i], name, groups->paths[groups->count])) continue;
        if (i == 0) groups->memory = groups->count;
        groups->count++;
        groups->kills = true;
    }
out:
    free(mounts);
    free(own);
    free(mount);
}

void op_cgroups_limit(struct op_cgroups *groups, int64_t memory, int64_t milli_cores, int64_t pids) {
    char number[64], quota[64];
    bool limited = false;
    for (int i = 0; i < groups->count; i++) {
        const char *path = groups->paths[i];
        snprintf(number, sizeof number, "%lld", (long long)memory);
        if (memory > 0 && i == groups->memory && groups->memory_is_v2) {
            limited = !set(path, "memory.max", number);
            set(path, "memory.swap.max", "0");
            set(path, "memory.oom.group", "1");
        } else if (memory > 0 && i == groups->memory) {
            limited = !set(path, "memory.limit_in_bytes", number);
            // Refused where swap is not accounted; then only memory itself is limited.
            set(path, "memory.memsw.limit_in_bytes", number);
        }
        snprintf(number, sizeof number, "%lld", (long long)pids);
        set(path, "pids.max", number);
        // The kernel takes a quota of a millisecond or more in a period of 100 ms.
        long long micro = milli_cores * 100 < 1000 ? 1000 : milli_cores * 100;
        snprintf(quota, sizeof quota, "%lld 100000", micro);
        snprintf(number, sizeof number, "%lld", micro);
        if (milli_cores > 0 && set(path, "cpu.max", quota)) set(path, "cpu.cfs_quota_us", number);
    }
    if (!limited) groups->memory = -1;
}

void op_cgroups_enter(const struct op_cgroups *groups) {
    for (int i = 0; i < groups->count; i++) {
        if (i == groups->unified && groups->unified_fd >= 0) continue;
        // `tasks` moves one thread without waiting for an RCU grace period, as `cgroup.procs` would (12 ms here).
        if (set(groups->paths[i], "tasks", "0")) set(groups->paths[i], "cgroup.procs", "0");
    }
}

pid_t op_fork_into(const struct op_cgroups *groups) {
    if (groups->unified_fd >= 0) {
        struct clone_args arguments = {
            .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = (uint64_t)groups->unified_fd};
        pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
        if (pid >= 0) return pid;
    }
    pid_t pid = fork();
    if (pid == 0 && groups->unified >= 0) set(groups->paths[groups->unified], "cgroup.procs", "0");
    return pid;
}

long op_cgroups_oom_kills(const struct op_cgroups *groups) {
    if (groups->memory < 0) return 0;
    char name[PATH_MAX], text[4096];
    const char *file = groups->memory_is_v2 ? "memory.events" : "memory.oom_control";
    if (snprintf(name, sizeof name, "%s/%s", groups->paths[groups->memory], file) >= (int)sizeof name) return 0;
    ssize_t count = onepoint_read(name, text, sizeof text - 1);
    if (count <= 0) return 0;
    text[count] = 0;
    char *at = strstr(text, "oom_kill ");
    return at ? strtol(at + 9, NULL, 10) : 0;
}

bool op_cgroup_is_empty(const char *path) {
    char name[PATH_MAX], text[1024];
    if (snprintf(name, sizeof name, "%s/cgroup.events", path) < (int)sizeof name) {
        ssize_t count = onepoint_read(name, text, sizeof text - 1);
        if (count > 0) {
            text[count] = 0;
            return strstr(text, "populated 0") != NULL;
        }
    }
    if (snprintf(name, sizeof name, "%s/cgroup.procs", path) >= (int)sizeof name) return true;
    ssize_t count = onepoint_read(name, text, sizeof text);
    // A list too long for the buffer is not empty; a group that is gone is.
    return count != -EFBIG && count <= 0;
}

bool op_cgroup_kill(const char *path) {
    if (op_cgroup_is_empty(path)) return true;
    bool whole = !set(path, "cgroup.kill", "1");
    char name[PATH_MAX], *text = malloc(TEXT_MAX);
    for (int round = 0; text && round < 400; round++) {
        if (op_cgroup_is_empty(path)) break;
        if (!whole && snprintf(name, sizeof name, "%s/cgroup.procs", path) < (int)sizeof name) {
            ssize_t count = onepoint_read(name, text, TEXT_MAX - 1);
            if (count > 0) {
                text[count] = 0;
                for (char *at = text, *end; *at; at = *end ? end + 1 : end) {
                    long pid = strtol(at, &end, 10);
                    if (end == at) break;
                    if (pid > 0 && pid != getpid()) kill((pid_t)pid, SIGKILL);
                }
            }
        }
        usleep(round < 20 ? 500 : 20000);
    }
    free(text);
    return op_cgroup_is_empty(path);
}

void op_cgroups_renew(struct op_cgroups *groups) {
    if (groups->unified < 0) return;
    const char *path = groups->paths[groups->unified];
    for (int round = 0; round < 200 && rmdir(path) && errno == EBUSY; round++) usleep(2000);
    if (mkdir(path, 0755) && errno != EEXIST) {
        groups->unified = -1;
        return;
    }
    if (groups->unified_fd >= 0) close(groups->unified_fd);
    groups->unified_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void op_cgroups_remove(const struct op_cgroups *groups) {
    for (int i = 0; i < groups->count; i++)
        for (int round = 0; round < 50 && rmdir(groups->paths[i]) && errno == EBUSY; round++) usleep(2000);
}

int onepoint_kill_run(const char *run_folder, const char *run) {
    char name[PATH_MAX], text[4 * PATH_MAX + 8];
    int left = 0;
    bool killed = false;
    if (snprintf(name, sizeof name, "%s/cgroups", run_folder) >= (int)sizeof name) return 1;
    ssize_t count = onepoint_read(name, text, sizeof text - 1);
    if (count > 0) {
        text[count] = 0;
        char *save = NULL;
        for (char *path = strtok_r(text, "\n", &save); path; path = strtok_r(NULL, "\n", &save)) {
            // Only what this library makes is ever killed and removed, whatever the file may say.
            if (!strstr(path, "/onepoint/op-") || strstr(path, "..") || access(path, F_OK)) continue;
            if (!op_cgroup_kill(path)) left++;
            killed = true;
            for (int round = 0; round < 50 && rmdir(path) && errno == EBUSY; round++) usleep(2000);
        }
    }
    return killed && !left ? 0 : left + op_kill_marked(run);
}

void onepoint_own_limits(uint64_t *memory, uint64_t *milli_cores) {
    *memory = *milli_cores = 0;
    char *mounts = calloc(1, TEXT_MAX), *own = calloc(1, TEXT_MAX);
    struct mount *mount = malloc(sizeof *mount);
    if (!mounts || !own || !mount || onepoint_read("/proc/self/mountinfo", mounts, TEXT_MAX - 1) < 0
        || onepoint_read("/proc/self/cgroup", own, TEXT_MAX - 1) < 0)
        goto out;
    const char *kinds[] = {NULL, "memory", "cpu"};
    for (int i = 0; i < 3; i++) {
        if (!find_mount(mounts, kinds[i], mount)) continue;
        char path[PATH_MAX], base[PATH_MAX * 2], text[256];
        own_path(own, kinds[i] ? kinds[i] : "", !kinds[i], path);
        const char *below = path;
        size_t length = strlen(mount->root);
        if (length > 1 && !strncmp(path, mount->root, length)) below = path + length;
        snprintf(base, sizeof base, "%s%s", mount->point, below);
        // Every group from our own up to the root may limit us; the least counts.
        for (size_t least = strlen(mount->point); strlen(base) >= least;) {
            char file[PATH_MAX * 2 + 64];
            long long value, period;
            const char *limits[] = {"memory.max", "memory.limit_in_bytes"};
            for (int j = 0; j < 2; j++) {
                snprintf(file, sizeof file, "%s/%s", base, limits[j]);
                ssize_t count = onepoint_read(file, text, sizeof text - 1);
                if (count <= 0) continue;
                text[count] = 0;
                if (sscanf(text, "%lld", &value) == 1 && value > 0 && value < (1LL << 60)
                    && (!*memory || (uint64_t)value < *memory))
                    *memory = (uint64_t)value;
            }
            value = period = 0;
            snprintf(file, sizeof file, "%s/cpu.max", base);
            ssize_t count = onepoint_read(file, text, sizeof text - 1);
            if (count > 0) {
                text[count] = 0;
                if (sscanf(text, "%lld %lld", &value, &period) != 2) value = 0;
            } else {
                snprintf(file, sizeof file, "%s/cpu.cfs_quota_us", base);
                count = onepoint_read(file, text, sizeof text - 1);
                if (count > 0) {
                    text[count] = 0;
                    value = atoll(text);
                    snprintf(file, sizeof file, "%s/cpu.cfs_period_us", base);
                    count = onepoint_read(file, text, sizeof text - 1);
                    text[count > 0 ? count : 0] = 0;
                    period = atoll(text);
                }
            }
            if (value > 0 && period > 0) {
                uint64_t cores = (uint64_t)(value * 1000 / period);
                if (!*milli_cores || cores < *milli_cores) *milli_cores = cores;
            }
            char *last = strrchr(base, '/');
            if (!last || (size_t)(last - base) < least) break;
            *last = 0;
        }
    }
out:
    free(mounts);
    free(own);
    free(mount);
}
