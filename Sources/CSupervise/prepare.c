// The Python environment of a run, built once for all runs that need the same: under a lock that dies with its holder.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2000, KEPT_LINES = 6 };

void op_say(int log, const char *text) {
    char line[LINE_MAX_BYTES + 32];
    int count = snprintf(line, sizeof line, "onepoint: %s\n", text);
    if (count >= (int)sizeof line) {
        count = sizeof line - 1;
        line[count - 1] = '\n';
    }
    if (log >= 0) op_write_all(log, line, (size_t)count);
}

/// Whether a stop was asked for: a signal that does not come with a wish to cancel is one too.
static bool stopped(int signal_fd, int run_folder) {
    struct signalfd_siginfo one;
    bool told = false;
    while (read(signal_fd, &one, sizeof one) == sizeof one)
        if (one.ssi_signo == SIGTERM || one.ssi_signo == SIGINT || one.ssi_signo == SIGHUP) told = true;
    int64_t grace;
    return told || op_cancel_asked(run_folder, &grace);
}

struct tail {
    char lines[KEPT_LINES][160];
    unsigned next;
};

static void keep(struct tail *tail, const char *line) {
    if (!*line) return;
    snprintf(tail->lines[tail->next++ % KEPT_LINES], sizeof tail->lines[0], "%s", line);
}

/// Copies what the builder prints into the log, line by line.
static int follow(int output, int log, int signal_fd, int run_folder, struct tail *tail) {
    char line[LINE_MAX_BYTES];
    size_t used = 0;
    struct pollfd pollers[] = {{output, POLLIN, 0}, {signal_fd, POLLIN, 0}};
    for (;;) {
        if (poll(pollers, 2, 1000) < 0 && errno != EINTR) return 0;
        if ((pollers[1].revents || !pollers[0].revents) && stopped(signal_fd, run_folder)) return 1;
        if (!pollers[0].revents) continue;
        char chunk[4096];
        ssize_t got = read(output, chunk, sizeof chunk);
        if (got < 0 && errno == EINTR) continue;
        for (ssize_t i = 0; i < got; i++) {
            if (chunk[i] != '\n' && used < sizeof line - 1) {
                line[used++] = chunk[i];
                continue;
            }
            line[used] = 0;
            op_say(log, line);
            keep(tail, line);
            used = 0;
        }
        if (got > 0) continue;
        line[used] = 0;
        if (used) {
            op_say(log, line);
            keep(tail, line);
        }
        return 0;
    }
}

static int build(
    const struct op_order *order, struct op_cgroups *groups, int log, int signal_fd, int run_folder, char *detail) {
    int output[2];
    if (pipe2(output, O_CLOEXEC)) {
        snprintf(detail, OP_DETAIL_MAX, "its environment cannot be built: %s", strerror(errno));
        return -1;
    }
    pid_t pid = op_fork_into(groups);
    if (pid == 0) {
        setsid();
        sigset_t none;
        sigemptyset(&none);
        for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
        sigprocmask(SIG_SETMASK, &none, NULL);
        dup2(output[1], 1);
        dup2(output[1], 2);
        execv(order->prepare.items[0], order->prepare.items);
        _exit(127);
    }
    close(output[1]);
    struct tail tail = {0};
    int result = pid < 0 ? 0 : follow(output[0], log, signal_fd, run_folder, &tail);
    close(output[0]);
    int status = 0;
    if (pid > 0) {
        // Whatever the builder left behind must not go on writing into the environment.
        if (groups->unified >= 0) op_cgroup_kill(groups->paths[groups->unified]);
        else if (result) {
            op_kill_descendants(getpid());
            return result;
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {}
        op_kill_descendants(getpid());
        op_cgroups_renew(groups);
    }
    if (result) return result;
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
    int used = snprintf(detail, OP_DETAIL_MAX, "its environment could not be built");
    for (unsigned i = tail.next > KEPT_LINES ? tail.next - KEPT_LINES : 0; i < tail.next; i++) {
        const char *lead = i + KEPT_LINES == tail.next || i == 0 ? ": " : " | ";
        used += snprintf(detail + used, OP_DETAIL_MAX - (size_t)used, "%s%s", lead, tail.lines[i % KEPT_LINES]);
        if (used >= OP_DETAIL_MAX) break;
    }
    return -1;
}

int op_prepare(
    const struct op_order *order, struct op_cgroups *groups, int log, int signal_fd, int run_folder, char *detail) {
    if (!access(order->prepare_done, F_OK)) return 0;
    int lock = open(order->prepare_lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (lock < 0) {
        snprintf(detail, OP_DETAIL_MAX, "its environment cannot be built: %s", strerror(errno));
        return -1;
    }
    for (bool waiting = false; flock(lock, LOCK_EX | LOCK_NB); waiting = true) {
        if (!waiting) op_say(log, "waiting for the environment that another run is building");
        struct pollfd poller = {signal_fd, POLLIN, 0};
        poll(&poller, 1, 50);
        if (stopped(signal_fd, run_folder)) {
            close(lock);
            return 1;
        }
    }
    int result = 0;
    if (access(order->prepare_done, F_OK)) {
        op_say(log, "building the environment");
        int64_t begin = op_monotonic_ms();
        result = build(order, groups, log, signal_fd, run_folder, detail);
        if (!result) {
            // Its files first: a mark that says "complete" must never be older than they are.
            int folder = open(order->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            if (folder >= 0) syncfs(folder);
            close(folder);
            int done = open(order->prepare_done, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
            if (done < 0 || fsync(done)) {
                snprintf(detail, OP_DETAIL_MAX, "its environment cannot be kept: %s", strerror(errno));
                result = -1;
            }
            if (done >= 0) close(done);
            char text[80];
            snprintf(text, sizeof text, "the environment is ready after %.1f s", (double)(op_monotonic_ms() - begin) / 1000);
            if (!result) op_say(log, text);
        }
    }
    close(lock);
    return result;
}
