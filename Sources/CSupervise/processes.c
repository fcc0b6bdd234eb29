#define _GNU_SOURCE
#include "internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct status {
    char state;
    pid_t parent;
    uint64_t start;
};

/// Reads /proc/PID/stat. The name in its second field may hold anything, so the fields are counted from its end.
static bool status_of(pid_t pid, struct status *status) {
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t count = read(fd, text, sizeof text - 1);
    close(fd);
    if (count <= 0) return false;
    text[count] = 0;
    char *at = strrchr(text, ')');
    if (!at || sscanf(at + 1, " %c %d", &status->state, &status->parent) != 2) return false;
    // Behind the parenthesis comes field 3; the start time is field 22.
    for (int field = 2; field < 22 && at; field++) at = strchr(at + 1, ' ');
    if (!at) return false;
    status->start = strtoull(at + 1, NULL, 10);
    return true;
}

uint64_t onepoint_start_time(pid_t pid) {
    struct status status;
    return status_of(pid, &status) && status.state != 'Z' && status.state != 'X' ? status.start : 0;
}

int onepoint_alive(pid_t pid, uint64_t start) { return pid > 0 && start && onepoint_start_time(pid) == start; }

void onepoint_boot_id(char text[40]) {
    ssize_t count = onepoint_read("/proc/sys/kernel/random/boot_id", text, 39);
    if (count < 0) count = 0;
    while (count > 0 && isspace((unsigned char)text[count - 1])) count--;
    text[count] = 0;
}

int onepoint_signal(pid_t pid, uint64_t start, int number) {
    if (pid <= 0) return -ESRCH;
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0 && errno != ENOSYS) return -ESRCH;
    if (!onepoint_alive(pid, start)) {
        if (fd >= 0) close(fd);
        return -ESRCH;
    }
    int result = fd >= 0 ? (int)syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) : kill(pid, number);
    if (fd >= 0) close(fd);
    return result ? -ESRCH : 0;
}

struct process {
    pid_t pid, parent;
    bool below;
};

/// All processes but zombies. The caller frees the list.
static size_t snapshot(struct process **list) {
    size_t count = 0, capacity = 0;
    *list = NULL;
    DIR *dir = opendir("/proc");
    if (!dir) return 0;
    for (struct dirent *entry; (entry = readdir(dir));) {
        pid_t pid = atoi(entry->d_name);
        struct status status;
        if (pid <= 0 || !status_of(pid, &status) || status.state == 'Z' || status.state == 'X') continue;
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 256;
            struct process *grown = realloc(*list, capacity * sizeof **list);
            if (!grown) break;
            *list = grown;
        }
        (*list)[count++] = (struct process){pid, status.parent, false};
    }
    closedir(dir);
    return count;
}

/// Kills everything below `root` until nothing is left, which a subreaper can do because orphans come back to it.
void op_kill_descendants(pid_t root) {
    for (int round = 0; round < 500; round++) {
        struct process *list;
        size_t count = snapshot(&list);
        int found = 0;
        for (bool grew = true; grew;) {
            grew = false;
            for (size_t i = 0; i < count; i++) {
                if (list[i].below || list[i].pid == root) continue;
                bool below = list[i].parent == root;
                for (size_t j = 0; j < count && !below; j++) below = list[j].below && list[j].pid == list[i].parent;
                if (!below) continue;
                list[i].below = grew = true;
                kill(list[i].pid, SIGKILL);
                found++;
            }
        }
        free(list);
        while (waitpid(-1, NULL, WNOHANG) > 0) {}
        if (!found) return;
        usleep(round < 10 ? 1000 : 10000);
    }
}

static bool is_marked(pid_t pid, const char *mark, char *buffer, size_t capacity) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t count = read(fd, buffer, capacity - 1);
    close(fd);
    if (count <= 0) return false;
    buffer[count] = 0;
    for (char *at = buffer; at < buffer + count; at += strlen(at) + 1)
        if (!strcmp(at, mark)) return true;
    return false;
}

int op_kill_marked(const char *run) {
    enum { capacity = 1 << 17 };
    char mark[256], *buffer = malloc(capacity);
    if (!buffer) return 1;
    snprintf(mark, sizeof mark, "ONEPOINT_RUN=%s", run);
    int found = 0;
    for (int round = 0; round < 100; round++) {
        struct process *list;
        size_t count = snapshot(&list);
        found = 0;
        for (size_t i = 0; i < count; i++) {
            if (list[i].pid == getpid() || !is_marked(list[i].pid, mark, buffer, capacity)) continue;
            kill(list[i].pid, SIGKILL);
            found++;
        }
        free(list);
        if (!found) break;
        usleep(2000);
    }
    free(buffer);
    return found;
}

static void usual_signals(posix_spawnattr_t *attributes, short more) {
    sigset_t set;
    posix_spawnattr_init(attributes);
    sigemptyset(&set);
    posix_spawnattr_setsigmask(attributes, &set);
    sigfillset(&set);
    posix_spawnattr_setsigdefault(attributes, &set);
    posix_spawnattr_setflags(attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | more));
}

int onepoint_start_supervisor(const char *executable, const char *run_folder, const char *const envp[]) {
    char log[PATH_MAX];
    if (snprintf(log, sizeof log, "%s/supervisor.log", run_folder) >= (int)sizeof log) return -ENAMETOOLONG;
    const char *argv[] = {executable, "supervise", run_folder, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawnattr_t attributes;
    usual_signals(&attributes, 0);
    pid_t pid;
    int error = posix_spawn(&pid, executable, &actions, &attributes, (char *const *)argv, (char *const *)envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (error) return -error;
    int status;
    pid_t ended;
    while ((ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR) {}
    // Whoever ignores SIGCHLD cannot learn the status; the claim on disk says the rest.
    if (ended < 0) return ONEPOINT_SUPERVISE_STARTED;
    return WIFEXITED(status) ? WEXITSTATUS(status) : ONEPOINT_SUPERVISE_FAILED;
}

ssize_t onepoint_capture(
    const char *const argv[], const char *const envp[], int timeout_ms, int merge, char *output, size_t capacity,
    int *status) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return -errno;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    if (merge) posix_spawn_file_actions_adddup2(&actions, ends[1], 2);
    else posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_t attributes;
    usual_signals(&attributes, POSIX_SPAWN_SETPGROUP);
    pid_t pid;
    int error = posix_spawn(&pid, argv[0], &actions, &attributes, (char *const *)argv, (char *const *)envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return -error;
    }
    int64_t deadline = op_monotonic_ms() + timeout_ms;
    size_t count = 0;
    bool timed_out = false;
    for (;;) {
        int64_t left = deadline - op_monotonic_ms();
        struct pollfd poller = {ends[0], POLLIN, 0};
        int ready = left > 0 ? poll(&poller, 1, (int)left) : 0;
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) {
            timed_out = true;
            break;
        }
        char waste[4096];
        bool full = count == capacity;
        ssize_t got = read(ends[0], full ? waste : output + count, full ? sizeof waste : capacity - count);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (!full) count += (size_t)got;
    }
    close(ends[0]);
    if (timed_out) kill(-pid, SIGKILL);
    // A tool that closed its output but goes on is given the rest of its time.
    int raw = 0;
    pid_t ended;
    while (!(ended = waitpid(pid, &raw, WNOHANG)) || (ended < 0 && errno == EINTR)) {
        if (op_monotonic_ms() >= deadline) {
            timed_out = true;
            kill(-pid, SIGKILL);
            while ((ended = waitpid(pid, &raw, 0)) < 0 && errno == EINTR) {}
            break;
        }
        usleep(500);
    }
    *status = timed_out ? -1 : ended < 0 ? 0 : WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
    return (ssize_t)count;
}

int onepoint_watch_open(const char *folder) {
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0) return -errno;
    if (inotify_add_watch(fd, folder, IN_ATTRIB | IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO) < 0) {
        int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

int onepoint_watch_wait(int watch_fd, int stop_fd, int timeout_ms) {
    struct pollfd pollers[] = {{watch_fd, POLLIN, 0}, {stop_fd, POLLIN, 0}};
    int ready = poll(pollers, 2, timeout_ms);
    if (ready <= 0) return 0;
    if (pollers[1].revents) return -1;
    char waste[16384];
    while (watch_fd >= 0 && read(watch_fd, waste, sizeof waste) > 0) {}
    return 1;
}

struct thread_start {
    void (*body)(void *);
    void *context;
};

static void *thread_main(void *raw) {
    struct thread_start start = *(struct thread_start *)raw;
    free(raw);
    start.body(start.context);
    return NULL;
}

int onepoint_thread(void (*body)(void *), void *context) {
    struct thread_start *start = malloc(sizeof *start);
    if (!start) return -ENOMEM;
    *start = (struct thread_start){body, context};
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, thread_main, start);
    pthread_attr_destroy(&attributes);
    if (error) free(start);
    return -error;
}

const char *const *onepoint_environment(void) { return (const char *const *)environ; }

void onepoint_keep_buffers(void) {
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 32 << 20);
#endif
}

int onepoint_processors(void) {
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set)) return CPU_COUNT(&set);
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? (int)count : 1;
}
