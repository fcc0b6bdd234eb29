// One daemon per run. Its files inside the run's folder, in the order they appear:
//
//   order, cards      what to do; written by the engine
//   claim             who may carry it out: linked into place, so that there is one for ever
//   cgroups, started  where its processes are, and since when
//   log.<task>        what the tasks print
//   cancel            the wish that it end; written by the engine
//   exit              how it ended: linked into place, so that the first word is the last
#define _GNU_SOURCE
#include "internal.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_RECORD_BYTES = 4096, FAILURE_GRACE_MS = 5000 };
enum cause { NONE, TASK_FAILED, CANCELLED, TIME_LIMIT, SHUT_DOWN };

struct run {
    const char *path;
    int folder, signals, acknowledge;
    struct op_order order;
    struct op_cgroups groups;
    int logs[OP_TASKS_MAX];
    char record[64]; // the reserved file that becomes the exit record
    int record_fd;
    int64_t started_ms;

    pid_t keeper; // the process that holds the tasks, or the sandbox around it
    int control;
    bool keeper_gone, running, all_ended;
    int64_t limit_at, kill_at;

    enum cause cause;
    const char *kind;
    int code;
    char detail[OP_DETAIL_MAX];
};

static void acknowledge(struct run *run, int code) {
    if (run->acknowledge < 0) return;
    unsigned char byte = (unsigned char)code;
    ssize_t ignored = write(run->acknowledge, &byte, 1);
    (void)ignored;
    close(run->acknowledge);
    run->acknowledge = -1;
}

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
static bool reserve_record(struct run *run) {
    snprintf(run->record, sizeof run->record, ".exit.%d", getpid());
    run->record_fd = openat(run->folder, run->record, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (run->record_fd < 0) return false;
    int error = posix_fallocate(run->record_fd, 0, EXIT_RECORD_BYTES);
    return !error || error == EOPNOTSUPP || error == EINVAL;
}

/// Writes how it ended, waiting out a disk that refuses for up to an hour.
static void write_record(struct run *run, int64_t ended_ms) {
    char text[EXIT_RECORD_BYTES];
    for (char *at = run->detail; *at; at++)
        if ((unsigned char)*at < ' ') *at = ' ';
    int count = snprintf(
        text, sizeof text, "kind %s\ncode %d\nstarted_ms %lld\nended_ms %lld\ndetail %s\n", run->kind, run->code,
        (long long)run->started_ms, (long long)ended_ms, run->detail);
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

static _Noreturn void finish(struct run *run, const char *kind, int code) {
    run->kind = kind;
    run->code = code;
    write_record(run, op_now_ms());
    _exit(0);
}

/// Links the claim into place. Returns its descriptor, or the negative of an errno.
static int claim(struct run *run) {
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
static int pass_fence(const struct op_order *order) {
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

static bool make_folders(struct run *run) {
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

static bool start_keeper(struct run *run) {
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
        int64_t now = op_monotonic_ms(), next = -1;
        if (run->cause != NONE) next = run->kill_at - now;
        else if (run->running) next = run->limit_at - now;
        if (next > 3600000) next = 3600000;
        bool waits = run->cause != NONE || run->running;
        struct pollfd pollers[] = {{run->control, POLLIN, 0}, {run->signals, POLLIN, 0}};
        poll(pollers, 2, waits ? (int)(next < 0 ? 0 : next) : -1);
        // What the tasks say goes before what others want: a task that had ended by itself was not cancelled.
        if (pollers[0].revents) hear_keeper(run);
        if (pollers[1].revents) hear_signals(run);
        now = op_monotonic_ms();
        if (run->cause != NONE && now >= run->kill_at) return;
        if (run->cause == NONE && run->running && now >= run->limit_at) stop(run, TIME_LIMIT, run->order.grace_ms);
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
            finish(run, "out_of_memory", 0);
        }
        finish(run, run->kind, run->code);
    case CANCELLED: finish(run, "cancelled", 0);
    case TIME_LIMIT:
        snprintf(run->detail, OP_DETAIL_MAX, "after %.1f s", (double)run->order.limit_ms / 1000);
        finish(run, "time_limit", 0);
    case SHUT_DOWN:
        snprintf(run->detail, OP_DETAIL_MAX, "its supervisor was told to stop");
        finish(run, "node_failure", 0);
    case NONE: break;
    }
    finish(run, "succeeded", 0);
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
        finish(run, "node_failure", 0);
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
    if (!make_folders(run)) {
        op_cgroups_remove(&run->groups);
        finish(run, "rejected", 0);
    }
    if (run->order.prepare.count) {
        int result = op_prepare(&run->order, &run->groups, run->logs[0], run->signals, run->folder, run->detail);
        int64_t grace;
        if (result) op_cgroups_remove(&run->groups);
        if (result < 0) finish(run, "rejected", 0);
        if (result && op_cancel_asked(run->folder, &grace)) finish(run, "cancelled", 0);
        if (result) finish(run, "node_failure", 0);
    }
    op_cgroups_limit(
        &run->groups, run->order.memory_per_task * run->order.tasks, run->order.milli_cores_per_task * run->order.tasks,
        (int64_t)1024 * run->order.tasks + 16);
    if (!start_keeper(run)) {
        snprintf(run->detail, OP_DETAIL_MAX, "a process cannot be made: %s", strerror(errno));
        finish(run, "node_failure", 0);
    }
    // While the sandbox comes up the claim reaches the disk; before that no line of the user's may run.
    if (fsync(claim_fd) || fsync(run->folder)) {
        snprintf(run->detail, OP_DETAIL_MAX, "the claim cannot be written: %s", strerror(errno));
        run->kind = "node_failure";
        run->cause = TASK_FAILED;
        sweep(run);
        finish(run, "node_failure", 0);
    }
    close(claim_fd);
    int64_t grace;
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
        } else if (!reserve_record(&run)) {
            op_say(2, "there is no space for the exit record");
            code = ONEPOINT_SUPERVISE_NO_SPACE;
        } else {
            close(order_fd);
            if (cards_fd >= 0) close(cards_fd);
            int claim_fd = claim(&run);
            int pass = claim_fd >= 0 ? pass_fence(&run.order) : 0;
            if (claim_fd >= 0 && pass > 0) {
                acknowledge(&run, ONEPOINT_SUPERVISE_STARTED);
                carry_out(&run, claim_fd);
            }
            if (claim_fd >= 0 && pass < 0) {
                snprintf(run.detail, OP_DETAIL_MAX, "its fence cannot be written: %s", strerror(-pass));
                acknowledge(&run, ONEPOINT_SUPERVISE_FAILED);
                finish(&run, "node_failure", 0);
            }
            if (claim_fd >= 0) {
                op_say(2, "a newer run of this job was claimed here");
                snprintf(run.detail, OP_DETAIL_MAX, "a newer run of this job was claimed here");
                acknowledge(&run, ONEPOINT_SUPERVISE_SUPERSEDED);
                finish(&run, "lost", 0);
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
