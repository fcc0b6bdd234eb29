// A second's look at what the machine really does. Plain loops over vectors, made for each instruction set at once.
#define _GNU_SOURCE
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef float lanes __attribute__((vector_size(64), aligned(64)));
enum { CHAINS = 12, ROUNDS = 20000, LANES = 16 };

/// `CHAINS` independent chains hide the latency of a multiply-add; `x <- x a + b` converges, so nothing overflows.
#define KERNEL(name, attributes)                                                                  \
    attributes static float name(float seed) {                                                   \
        lanes x[CHAINS], a, b;                                                                    \
        for (int i = 0; i < LANES; i++) a[i] = 0.5f + seed * 1e-3f, b[i] = 0.25f + (float)i * 1e-3f; \
        for (int i = 0; i < CHAINS; i++) x[i] = b + (float)i;                                      \
        for (int round = 0; round < ROUNDS; round++) {                                            \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; i++) x[i] = x[i] * a + b; \
        }                                                                                         \
        float sum = 0;                                                                            \
        for (int i = 0; i < CHAINS; i++)                                                          \
            for (int j = 0; j < LANES; j++) sum += x[i][j];                                       \
        return sum;                                                                               \
    }

#pragma clang fp contract(fast)
KERNEL(kernel_plain, )
#if defined(__x86_64__)
KERNEL(kernel_avx2, __attribute__((target("avx2,fma"))))
KERNEL(kernel_avx512, __attribute__((target("avx512f,prefer-256-bit"))))
#endif

static float (*kernel(void))(float) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return kernel_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kernel_avx2;
#endif
    return kernel_plain;
}

/// How many threads there are, once known, and how many have come to each of the two starting lines.
struct start {
    int total, arrived[2];
};

struct worker {
    pthread_t thread;
    struct start *start;
    float (*kernel)(float);
    size_t copy_bytes;
    double operations_per_s, bytes_per_s;
};

/// Waits until all are there, so that everything is measured under full load.
static void line_up(struct start *start, int line) {
    __atomic_add_fetch(&start->arrived[line], 1, __ATOMIC_ACQ_REL);
    for (;;) {
        int total = __atomic_load_n(&start->total, __ATOMIC_ACQUIRE);
        if (total && __atomic_load_n(&start->arrived[line], __ATOMIC_ACQUIRE) >= total) return;
        sched_yield();
    }
}

static volatile float sink;

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void *work(void *raw) {
    struct worker *worker = raw;
    char *from = malloc(worker->copy_bytes), *to = malloc(worker->copy_bytes);
    if (from && to) {
        memset(from, 1, worker->copy_bytes);
        memset(to, 2, worker->copy_bytes);
    }
    line_up(worker->start, 0);
    double begin = seconds(), now = begin, count = 0;
    while ((now = seconds()) - begin < 0.3) {
        sink = worker->kernel((float)count);
        count++;
    }
    worker->operations_per_s = count * ROUNDS * CHAINS * LANES * 2 / (now - begin);
    line_up(worker->start, 1);
    count = 0;
    if (from && to) {
        begin = seconds();
        while ((now = seconds()) - begin < 0.25) {
            memcpy(to, from, worker->copy_bytes);
            // The copy must be believed to be read.
            __asm__ volatile("" : : "r"(to) : "memory");
            from[0] = to[worker->copy_bytes - 1];
            count++;
        }
        worker->bytes_per_s = count * 2 * (double)worker->copy_bytes / (now - begin);
    }
    free(from);
    free(to);
    return NULL;
}

/// Megabytes in a file of its own, twice: the second size follows from the speed of the first.
static double disk(const char *folder) {
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/.measure.%d", folder, getpid()) >= (int)sizeof path) return 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return 0;
    unlink(path);
    enum { block = 1 << 20 };
    uint32_t *buffer = malloc(block), state = 2463534242u;
    double rate = 0;
    if (buffer) {
        // Noise, so that a compressing file system does not shine.
        for (size_t i = 0; i < block / 4; i++) {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            buffer[i] = state;
        }
        int blocks = 4;
        for (int pass = 0; pass < 2; pass++) {
            double begin = seconds();
            int written = 0;
            while (written < blocks && !op_write_all(fd, buffer, block)) written++;
            if (!written || fsync(fd)) break;
            double took = seconds() - begin;
            rate = written * (double)block / 1e6 / (took > 1e-6 ? took : 1e-6);
            // About a third of a second more, at most 96 MiB.
            double more = rate * 0.3 * 1e6 / block;
            if (written < blocks || more < 8) break;
            blocks = more > 96 ? 96 : (int)more;
        }
    }
    free(buffer);
    close(fd);
    return rate;
}

void onepoint_measure(const char *folder, int threads, struct onepoint_measurement *result) {
    *result = (struct onepoint_measurement){0};
    if (threads < 1) threads = 1;
    if (threads > 1024) threads = 1024;
    // Far beyond any cache, yet small beside the memory of a small machine.
    size_t each = (size_t)(64 << 20);
    if ((size_t)threads * each > (size_t)512 << 20) each = ((size_t)512 << 20) / (size_t)threads;
    struct worker *workers = calloc((size_t)threads, sizeof *workers);
    struct start start = {0};
    int started = 0;
    for (; workers && started < threads; started++) {
        workers[started] = (struct worker){.start = &start, .kernel = kernel(), .copy_bytes = each};
        if (pthread_create(&workers[started].thread, NULL, work, &workers[started])) break;
    }
    __atomic_store_n(&start.total, started, __ATOMIC_RELEASE);
    for (int i = 0; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        result->fp32_gflops += workers[i].operations_per_s / 1e9;
        result->memory_gbps += workers[i].bytes_per_s / 1e9;
    }
    free(workers);
    result->disk_mbps = disk(folder);
}
