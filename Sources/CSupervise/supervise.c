// One daemon per run. Its files inside the run's folder, in the order they appear:
//
//   order, cards      what to do; written by the engine
//   claim             who may carry it out: linked into place, so that there is one for ever
//   cgroups, started  where its processes are, and since when
//   log.<task>        what the tasks print
//   cancel            the wish that it end; written by the engine
//   exit              how it ended: linked into place, so that the first word is the last
#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void acknowledge(struct run *run, int code) {
    if (run->acknowledge < 0) return;
    unsigned char byte = (unsigned char)code;
    ssize_t ignored = write(run->acknowledge, &byte, 1);
    (void)ignored;
    close(run->acknowledge);
    run->acknowledge = -1;
}

static void say_to_keeper(struct run *run, char word) {
    while (send(run->control, &word, 1, MSG_NOSIGNAL) < 0 && errno == EINTR) {}
}

/// Begins to end the run. The first cause counts; a later one may only shorten the grace.
static void stop(struct run *run, enum cause cause, int64_t grace_ms) {
    int64_t kill_at = op_monotonic_ms() + grace_ms;
    if (run->cause == NONE) {
        run->cause = cause;
        say_to_keeper(run, 'T');
        run->kill_at = kill_at;
    } else if (kill_at < run->kill_at) {
        run->kill_at = kill_at;
    }
}

static void note_started(struct run *run) {
    char text[160];
    run->running = true;
    run->started_ms = op_now_ms();
    run->limit_at = op_monotonic_ms() + run->order.limit_ms;
    int count = snprintf(
        text, sizeof text, "started_ms %lld\nkeeper %d %llu\n", (long long)run->started_ms, run->keeper,
        (unsigned long long)onepoint_start_time(run->keeper));
    onepoint_replace(run->path, "started", text, (size_t)count, 0);
    op_touch_event(&run->order);
}

static void task_failed(struct run *run, const char *kind, const struct op_message *message) {
    if (run->cause != NONE) return;
    run->kind = kind;
    run->code = message->value;
    if (message->word == OP_NOT_STARTED) snprintf(run->detail, OP_DETAIL_MAX, "%s", message->text);
    else if (run->order.tasks > 1)
        snprintf(run->detail, OP_DETAIL_MAX, "task %d of %d", message->rank, run->order.tasks);
    stop(run, TASK_FAILED, run->order.grace_ms < FAILURE_GRACE_MS ? run->order.grace_ms : FAILURE_GRACE_MS);
}

static void hear_keeper(struct run *run) {
    struct op_message message;
    ssize_t got = recv(run->control, &message, sizeof message, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got != (ssize_t)sizeof message) {
        run->keeper_gone = true;
        return;
    }
    message.text[sizeof message.text - 1] = 0;
    switch (message.word) {
    case OP_RUNNING: note_started(run); break;
    case OP_NOT_STARTED: task_failed(run, "rejected", &message); break;
    case OP_SIGNALLED: task_failed(run, "signal", &message); break;
    case OP_EXITED:
        if (message.value) task_failed(run, "exit", &message);
        break;
    case OP_ENDED: run->all_ended = true; break;
    default: break;
    }
}

static void hear_signals(struct run *run) {
    struct signalfd_siginfo one;
    bool shut_down = false;
    while (read(run->signals, &one, sizeof one) == sizeof one)
        if (one.ssi_signo == SIGTERM || one.ssi_signo == SIGINT || one.ssi_signo == SIGHUP) shut_down = true;
    int64_t grace;
    if (op_cancel_asked(run->folder, &grace)) stop(run, CANCELLED, grace);
    else if (shut_down) stop(run, SHUT_DOWN, run->order.grace_ms);
    for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
        if (pid == run->keeper) run->keeper_gone = true;
}

/// Ends every process of the run, wherever it has hidden, and the keeper last.
static void sweep(struct run *run) {
    bool whole = run->groups.unified >= 0 && op_cgroup_kill(run->groups.paths[run->groups.unified]);
    if (!whole) say_to_keeper(run, 'K');
    for (int round = 0; !run->keeper_gone && round < 1000; round++) {
        struct pollfd poller = {run->control, POLLIN, 0};
        poll(&poller, 1, 10);
        hear_keeper(run);
        hear_signals(run);
        // A sandbox ends with the process that is its first; nothing inside can outlive that.
        if (round == (run->order.box.count ? 50 : 500)) kill(run->keeper, SIGKILL);
    }
    for (int i = 0; i < run->groups.count; i++) op_cgroup_kill(run->groups.paths[i]);
    op_kill_descendants(getpid());
    op_cgroups_remove(&run->groups);
}

static void watch(struct run *run) {
    while (!run->all_ended && !run->keeper_gone) {
        int64_t now = op_monotonic_ms();
        int64_t next = (run->cause != NONE ? run->kill_at : run->limit_at) - now;
        if (next > 3600000) next = 3600000;
        struct pollfd pollers[] = {{run->control, POLLIN, 0}, {run->signals, POLLIN, 0}};
        poll(pollers, 2, (int)(next < 0 ? 0 : next));
        // What the tasks say goes before what others want: a task that had ended by itself was not cancelled.
        if (pollers[0].revents) hear_keeper(run);
        if (pollers[1].revents) hear_signals(run);
        now = op_monotonic_ms();
        if (run->cause != NONE && now >= run->kill_at) return;
        if (run->cause == NONE && now >= run->limit_at) stop(run, TIME_LIMIT, run->order.grace_ms);
    }
    // Words that were sent before the keeper went.
    for (int i = 0; i < OP_TASKS_MAX + 2; i++) hear_keeper(run);
}

static _Noreturn void conclude(struct run *run) {
    long oom_kills = op_cgroups_oom_kills(&run->groups);
    if (run->cause == NONE && !run->all_ended) {
        // The keeper is gone without a word: somebody killed it.
        run->kind = "node_failure";
        snprintf(
            run->detail, OP_DETAIL_MAX, "%s",
            run->running ? "the process that held its tasks was killed" : "its tasks could not be started");
        if (!run->running && run->order.box.count)
            snprintf(run->detail, OP_DETAIL_MAX, "the sandbox could not be made; the log has its words");
        run->cause = TASK_FAILED;
    }
    sweep(run);
    switch (run->cause) {
    case TASK_FAILED:
        if (oom_kills > 0 && strcmp(run->kind, "rejected")) {
            char limit[64];
            snprintf(limit, sizeof limit, "%lld MiB", (long long)(run->order.memory_per_task * run->order.tasks >> 20));
            snprintf(run->detail, OP_DETAIL_MAX, "it was limited to %s", limit);
            op_finish(run, "out_of_memory", 0);
        }
        op_finish(run, run->kind, run->code);
    case CANCELLED: op_finish(run, "cancelled", 0);
    case TIME_LIMIT:
        snprintf(run->detail, OP_DETAIL_MAX, "after %.1f s", (double)run->order.limit_ms / 1000);
        op_finish(run, "time_limit", 0);
    case SHUT_DOWN:
        snprintf(run->detail, OP_DETAIL_MAX, "its supervisor was told to stop");
        op_finish(run, "node_failure", 0);
    case NONE: break;
    }
    op_finish(run, "succeeded", 0);
}

static void open_logs(struct run *run) {
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    for (int rank = 0; rank < run->order.tasks; rank++) {
        char name[32];
        snprintf(name, sizeof name, "log.%d", rank);
        run->logs[rank] = openat(run->folder, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
        if (run->logs[rank] >= 0) continue;
        snprintf(run->detail, OP_DETAIL_MAX, "its log cannot be written: %s", strerror(errno));
        op_finish(run, "node_failure", 0);
    }
}

static void make_groups(struct run *run) {
    char name[NAME_MAX], text[4 * PATH_MAX + 8];
    struct stat status;
    // The inode tells apart two centres on one machine, which may know the same run.
    snprintf(name, sizeof name, "%.100s.%llx", run->order.run, fstat(run->folder, &status) ? 0ULL : (unsigned long long)status.st_ino);
    op_cgroups_make(&run->groups, name);
    size_t used = 0;
    for (int i = 0; i < run->groups.count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s\n", run->groups.paths[i]);
    onepoint_replace(run->path, "cgroups", text, used, 0);
}

static _Noreturn void carry_out(struct run *run, int claim_fd) {
    open_logs(run);
    make_groups(run);
    if (!op_make_folders(run)) {
        op_cgroups_remove(&run->groups);
        op_finish(run, "rejected", 0);
    }
    if (run->order.prepare.count) {
        int result = op_prepare(&run->order, &run->groups, run->logs[0], run->signals, run->folder, run->detail);
        int64_t grace;
        if (result) op_cgroups_remove(&run->groups);
        if (result < 0) op_finish(run, "rejected", 0);
        if (result && op_cancel_asked(run->folder, &grace)) op_finish(run, "cancelled", 0);
        if (result) op_finish(run, "node_failure", 0);
    }
    op_cgroups_limit(
        &run->groups, run->order.memory_per_task * run->order.tasks, run->order.milli_cores_per_task * run->order.tasks,
        (int64_t)1024 * run->order.tasks + 16);
    if (!op_start_keeper(run)) {
        snprintf(run->detail, OP_DETAIL_MAX, "a process cannot be made: %s", strerror(errno));
        op_finish(run, "node_failure", 0);
    }
    // While the sandbox comes up the claim reaches the disk; before that no line of the user's may run.
    if (fsync(claim_fd) || fsync(run->folder)) {
        snprintf(run->detail, OP_DETAIL_MAX, "the claim cannot be written: %s", strerror(errno));
        run->kind = "node_failure";
        run->cause = TASK_FAILED;
        sweep(run);
        op_finish(run, "node_failure", 0);
    }
    close(claim_fd);
    int64_t grace;
    // Counted anew once the tasks run; until then it bounds a start that hangs.
    run->limit_at = op_monotonic_ms() + run->order.limit_ms + 60000;
    if (op_cancel_asked(run->folder, &grace)) run->cause = CANCELLED;
    else say_to_keeper(run, 'G');
    if (run->cause == NONE) watch(run);
    conclude(run);
}

static _Noreturn void daemon_main(const char *path, int acknowledge_fd) {
    static struct run run;
    run = (struct run){
        .path = path, .acknowledge = acknowledge_fd, .control = -1, .keeper = -1, .record_fd = -1, .kind = "node_failure",
        .groups = {.unified = -1, .unified_fd = -1, .memory = -1}};
    setsid();
    prctl(PR_SET_NAME, "onepoint-run");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};
    for (int i = 0; i < 5; i++) sigaddset(&set, numbers[i]);
    sigprocmask(SIG_SETMASK, &set, NULL);
    run.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    run.folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int code = ONEPOINT_SUPERVISE_FAILED;
    if (run.folder >= 0 && run.signals >= 0) {
        int order_fd = openat(run.folder, "order", O_RDONLY | O_CLOEXEC);
        int cards_fd = openat(run.folder, "cards", O_RDONLY | O_CLOEXEC);
        const char *wrong = order_fd < 0 ? "there is no order" : op_order_read(&run.order, order_fd, cards_fd);
        if (wrong) {
            op_say(2, wrong);
            code = ONEPOINT_SUPERVISE_BAD_ORDER;
        } else if (!op_reserve_record(&run)) {
            op_say(2, "there is no space for the exit record");
            code = ONEPOINT_SUPERVISE_NO_SPACE;
        } else {
            close(order_fd);
            if (cards_fd >= 0) close(cards_fd);
            int claim_fd = op_claim(&run);
            int pass = claim_fd >= 0 ? op_pass_fence(&run.order) : 0;
            if (claim_fd >= 0 && pass > 0) {
                acknowledge(&run, ONEPOINT_SUPERVISE_STARTED);
                carry_out(&run, claim_fd);
            }
            if (claim_fd >= 0 && pass < 0) {
                snprintf(run.detail, OP_DETAIL_MAX, "its fence cannot be written: %s", strerror(-pass));
                acknowledge(&run, ONEPOINT_SUPERVISE_FAILED);
                op_finish(&run, "node_failure", 0);
            }
            if (claim_fd >= 0) {
                op_say(2, "a newer run of this job was claimed here");
                snprintf(run.detail, OP_DETAIL_MAX, "a newer run of this job was claimed here");
                acknowledge(&run, ONEPOINT_SUPERVISE_SUPERSEDED);
                op_finish(&run, "lost", 0);
            }
            code = claim_fd == -EEXIST ? ONEPOINT_SUPERVISE_CLAIMED : ONEPOINT_SUPERVISE_NO_SPACE;
            op_say(2, claim_fd == -EEXIST ? "this run was claimed before" : strerror(-claim_fd));
        }
    }
    if (run.record_fd >= 0) unlinkat(run.folder, run.record, 0);
    acknowledge(&run, code);
    _exit(code);
}

int onepoint_supervise(const char *run_folder) {
    if (!strncmp(run_folder, "@gang:", 6)) return op_gang_entry(run_folder);
    if (run_folder[0] != '/') {
        op_say(2, "the run's folder must be an absolute path");
        return ONEPOINT_SUPERVISE_FAILED;
    }
    syscall(SYS_close_range, 3u, ~0u, 0u);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return ONEPOINT_SUPERVISE_FAILED;
    pid_t pid = fork();
    if (pid < 0) return ONEPOINT_SUPERVISE_FAILED;
    if (pid == 0) {
        close(ends[0]);
        daemon_main(run_folder, ends[1]);
    }
    close(ends[1]);
    unsigned char code = ONEPOINT_SUPERVISE_FAILED;
    ssize_t got;
    while ((got = read(ends[0], &code, 1)) < 0 && errno == EINTR) {}
    return got == 1 ? code : ONEPOINT_SUPERVISE_FAILED;
}
