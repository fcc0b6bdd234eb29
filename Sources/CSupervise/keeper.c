// The process that holds the tasks, as the supervisor makes it.
#define _GNU_SOURCE
#include "run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static int free_port(void) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int port = 29500;
    if (fd >= 0 && !bind(fd, (struct sockaddr *)&address, length)
        && !getsockname(fd, (struct sockaddr *)&address, &length))
        port = ntohs(address.sin_port);
    if (fd >= 0) close(fd);
    return port;
}

bool op_make_folders(struct run *run) {
    struct stat status;
    for (size_t i = 0; i < run->order.needs.count; i++) {
        if (!stat(run->order.needs.items[i], &status) && S_ISDIR(status.st_mode)) continue;
        snprintf(run->detail, OP_DETAIL_MAX, "the folder '%.500s' does not exist", run->order.needs.items[i]);
        return false;
    }
    int error = 0;
    for (size_t i = 0; i + 1 < run->order.files.count && !error; i += 2) {
        const char *text = run->order.files.items[i + 1];
        error = -onepoint_replace(run->path, run->order.files.items[i], text, strlen(text), 0);
    }
    if (mkdir(run->order.work, 0755) && errno != EEXIST) error = errno;
    if (mkdir(run->order.temporary, 01777) && errno != EEXIST) error = errno;
    if (error) snprintf(run->detail, OP_DETAIL_MAX, "its work folder cannot be made: %s", strerror(error));
    return !error;
}

/// The libraries of our own executable: inside the sandbox it is started once more, and may lie anywhere.
static void bind_ourselves(struct op_strings *list, char *executable) {
    enum { TEXT = 1 << 18 };
    char *maps = malloc(TEXT), *last = NULL, *save = NULL;
    ssize_t count = maps ? onepoint_read("/proc/self/maps", maps, TEXT - 1) : -1;
    if (count > 0) {
        maps[count] = 0;
        for (char *line = strtok_r(maps, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
            char *path = strchr(line, '/');
            if (!path || (last && !strcmp(path, last)) || !strncmp(path, "/usr/", 5) || !strncmp(path, "/lib", 4)
                || !strcmp(path, executable) || strstr(path, " (deleted)"))
                continue;
            last = path;
            op_append(list, "--ro-bind");
            op_append(list, path);
            op_append(list, path);
        }
    }
    // At its own path, for the libraries may be sought beside it.
    op_append(list, "--ro-bind");
    op_append(list, executable);
    op_append(list, executable);
}

/// A copy that stays open over exec.
static int keep_open(int fd, int least) { return fcntl(fd, F_DUPFD, least); }

/// In the child: becomes the process that holds the tasks.
static _Noreturn void become_keeper(struct run *run, int control, int port) {
    bool rlimits = run->groups.memory < 0;
    op_cgroups_enter(&run->groups);
    if (!run->order.box.count) _exit(op_gang(&run->order, control, run->logs, port, false, rlimits));
    // Numbers above all others, so that no copy runs over an original.
    int base = 64 + OP_TASKS_MAX;
    int order_fd = keep_open(openat(run->folder, "order", O_RDONLY | O_CLOEXEC), base);
    int cards_fd = openat(run->folder, "cards", O_RDONLY | O_CLOEXEC);
    if (cards_fd >= 0) cards_fd = keep_open(cards_fd, base);
    int control_fd = keep_open(control, base), first = base + 16;
    for (int rank = 0; rank < run->order.tasks; rank++)
        if (dup2(run->logs[rank], first + rank) < 0) _exit(1);
    char executable[PATH_MAX] = {0}, gang[128];
    if (readlink("/proc/self/exe", executable, sizeof executable - 1) < 0) _exit(1);
    snprintf(gang, sizeof gang, "@gang:%d:%d:%d:%d:%d:%d", control_fd, order_fd, cards_fd, port, rlimits, first);
    struct op_strings arguments = run->order.box;
    bind_ourselves(&arguments, executable);
    char *rest[] = {"--", executable, "supervise", gang};
    for (int i = 0; i < 4; i++) op_append(&arguments, rest[i]);
    // bwrap complains on standard error: the person who submitted the run should see it.
    dup2(run->logs[0], 2);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    char *environment[] = {"PATH=/usr/bin:/bin", NULL};
    // Where our own libraries are found may depend on this one variable.
    char *libraries[2] = {NULL, NULL};
    if (getenv("LD_LIBRARY_PATH") && asprintf(&libraries[0], "LD_LIBRARY_PATH=%s", getenv("LD_LIBRARY_PATH")) > 0)
        environment[0] = libraries[0];
    execve(arguments.items[0], arguments.items, environment);
    op_say(2, "the sandbox cannot be started");
    _exit(1);
}

bool op_start_keeper(struct run *run) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) return false;
    int port = free_port();
    run->keeper = op_fork_into(&run->groups);
    if (run->keeper == 0) {
        close(ends[0]);
        become_keeper(run, ends[1], port);
    }
    close(ends[1]);
    run->control = ends[0];
    for (int rank = 1; rank < run->order.tasks; rank++) close(run->logs[rank]);
    return run->keeper > 0;
}

