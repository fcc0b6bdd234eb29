// BLAKE3 (the paper of O'Connor, Aumasson, Neves and Wilcox-O'Hearn, 2020), in keyed mode and in one piece: section 2.2
// for the compression function, 2.4 for chunks, 2.5 for the tree. Eight chunks are hashed side by side, one in each lane
// of a vector; the compiler makes of the vectors what the machine has.

#include "xet.h"

#include <string.h>

enum { CHUNK = 1024, BLOCK = 64, LANES = 8 };
enum { CHUNK_START = 1, CHUNK_END = 2, PARENT = 4, ROOT = 8, KEYED = 16 };

static const uint32_t IV[4] = {0x6A09E667u, 0xBB67AE85u, 0x3C6EF372u, 0xA54FF53Au};

static const uint8_t ORDER[7][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
    {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1}, {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
    {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4}, {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
    {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13},
};

typedef uint32_t lanes __attribute__((vector_size(4 * LANES)));

// One step of the permutation, for words and for vectors of them alike.
#define ROTATE(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
#define MIX(a, b, c, d, x, y)                                                                                         \
    do {                                                                                                               \
        a += b + (x);                                                                                                  \
        d ^= a;                                                                                                        \
        d = ROTATE(d, 16);                                                                                             \
        c += d;                                                                                                        \
        b ^= c;                                                                                                        \
        b = ROTATE(b, 12);                                                                                             \
        a += b + (y);                                                                                                  \
        d ^= a;                                                                                                        \
        d = ROTATE(d, 8);                                                                                              \
        c += d;                                                                                                        \
        b ^= c;                                                                                                        \
        b = ROTATE(b, 7);                                                                                              \
    } while (0)
#define ROUND(v, m, o)                                                                                                \
    do {                                                                                                               \
        MIX(v[0], v[4], v[8], v[12], m[o[0]], m[o[1]]);                                                                \
        MIX(v[1], v[5], v[9], v[13], m[o[2]], m[o[3]]);                                                                \
        MIX(v[2], v[6], v[10], v[14], m[o[4]], m[o[5]]);                                                               \
        MIX(v[3], v[7], v[11], v[15], m[o[6]], m[o[7]]);                                                               \
        MIX(v[0], v[5], v[10], v[15], m[o[8]], m[o[9]]);                                                               \
        MIX(v[1], v[6], v[11], v[12], m[o[10]], m[o[11]]);                                                             \
        MIX(v[2], v[7], v[8], v[13], m[o[12]], m[o[13]]);                                                              \
        MIX(v[3], v[4], v[9], v[14], m[o[14]], m[o[15]]);                                                              \
    } while (0)

static uint32_t load(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void compress(uint32_t cv[8], const uint32_t m[16], uint64_t counter, uint32_t count, uint32_t flags) {
    uint32_t v[16] = {cv[0], cv[1], cv[2], cv[3], cv[4], cv[5], cv[6], cv[7], IV[0], IV[1], IV[2], IV[3],
                      (uint32_t)counter, (uint32_t)(counter >> 32), count, flags};
    for (int round = 0; round < 7; round++) ROUND(v, m, ORDER[round]);
    for (int i = 0; i < 8; i++) cv[i] = v[i] ^ v[i + 8];
}

static void hash_chunk(const uint32_t key[8], const uint8_t *bytes, size_t count, uint64_t counter, uint32_t last_flags,
                       uint32_t cv[8]) {
    memcpy(cv, key, 32);
    uint32_t flags = KEYED | CHUNK_START;
    for (;;) {
        uint8_t block[BLOCK] = {0};
        uint32_t m[16];
        size_t taken = count < BLOCK ? count : BLOCK;
        if (taken > 0) memcpy(block, bytes, taken);
        for (int i = 0; i < 16; i++) m[i] = load(block + 4 * i);
        bytes += taken;
        count -= taken;
        if (count == 0) {
            compress(cv, m, counter, (uint32_t)taken, flags | CHUNK_END | last_flags);
            return;
        }
        compress(cv, m, counter, BLOCK, flags);
        flags = KEYED;
    }
}

// Rows of eight words become columns.
static inline __attribute__((always_inline)) void transpose(lanes r[8]) {
    lanes a[8], b[8];
    for (int i = 0; i < 8; i += 2) {
        a[i] = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        a[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    for (int i = 0; i < 8; i += 4) {
        for (int j = 0; j < 2; j++) {
            b[i + j] = __builtin_shufflevector(a[i + j], a[i + j + 2], 0, 1, 8, 9, 4, 5, 12, 13);
            b[i + j + 2] = __builtin_shufflevector(a[i + j], a[i + j + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        }
    }
    for (int i = 0; i < 4; i++) {
        r[i] = __builtin_shufflevector(b[i], b[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        r[i + 4] = __builtin_shufflevector(b[i], b[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    }
}

static inline __attribute__((always_inline)) void hash_eight(const uint32_t key[8], const uint8_t *bytes,
                                                             uint64_t counter, uint32_t cvs[LANES][8]) {
    lanes cv[8], low, high;
    for (int i = 0; i < 8; i++) cv[i] = (lanes){0} + key[i];
    for (int lane = 0; lane < LANES; lane++) {
        low[lane] = (uint32_t)(counter + (uint64_t)lane);
        high[lane] = (uint32_t)((counter + (uint64_t)lane) >> 32);
    }
    for (int block = 0; block < CHUNK / BLOCK; block++) {
        lanes m[16];
        for (int half = 0; half < 2; half++) {
            for (int lane = 0; lane < LANES; lane++) {
                memcpy(&m[8 * half + lane], bytes + lane * CHUNK + block * BLOCK + 32 * half, 32);
            }
            transpose(m + 8 * half);
        }
        uint32_t flags = KEYED | (block == 0 ? CHUNK_START : 0) | (block == CHUNK / BLOCK - 1 ? CHUNK_END : 0);
        lanes zero = {0};
        lanes v[16] = {cv[0], cv[1], cv[2], cv[3], cv[4], cv[5], cv[6], cv[7], zero + IV[0], zero + IV[1], zero + IV[2],
                       zero + IV[3], low, high, zero + BLOCK, zero + flags};
#pragma clang loop unroll(full)
        for (int round = 0; round < 7; round++) ROUND(v, m, ORDER[round]);
        for (int i = 0; i < 8; i++) cv[i] = v[i] ^ v[i + 8];
    }
    transpose(cv);
    memcpy(cvs, cv, sizeof cv);
}

static void hash_eight_plain(const uint32_t key[8], const uint8_t *bytes, uint64_t counter, uint32_t cvs[LANES][8]) {
    hash_eight(key, bytes, counter, cvs);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void hash_eight_wide(const uint32_t key[8], const uint8_t *bytes,
                                                            uint64_t counter, uint32_t cvs[LANES][8]) {
    hash_eight(key, bytes, counter, cvs);
}
#endif

static void merge(const uint32_t key[8], const uint32_t left[8], const uint32_t right[8], uint32_t flags,
                  uint32_t cv[8]) {
    uint32_t m[16];
    memcpy(m, left, 32);
    memcpy(m + 8, right, 32);
    memcpy(cv, key, 32);
    compress(cv, m, 0, BLOCK, KEYED | PARENT | flags);
}

// The whole below one node of the tree; `flags` is ROOT for the topmost.
static void subtree(const uint32_t key[8], const uint8_t *bytes, size_t count, uint64_t counter, uint32_t flags,
                    uint32_t cv[8]) {
    if (count <= CHUNK) {
        hash_chunk(key, bytes, count, counter, flags, cv);
        return;
    }
    if (count == LANES * CHUNK) {
        uint32_t cvs[LANES][8];
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx2")) hash_eight_wide(key, bytes, counter, cvs);
        else hash_eight_plain(key, bytes, counter, cvs);
#else
        hash_eight_plain(key, bytes, counter, cvs);
#endif
        for (int width = LANES; width > 2; width /= 2) {
            for (int i = 0; i < width / 2; i++) {
                uint32_t merged[8];
                merge(key, cvs[2 * i], cvs[2 * i + 1], 0, merged);
                memcpy(cvs[i], merged, 32);
            }
        }
        merge(key, cvs[0], cvs[1], flags, cv);
        return;
    }
    // The left side has the largest power of two of whole chunks that leaves something for the right side.
    size_t left = CHUNK;
    while (2 * left < count) left *= 2;
    uint32_t first[8], second[8];
    subtree(key, bytes, left, counter, 0, first);
    subtree(key, bytes + left, count - left, counter + left / CHUNK, 0, second);
    merge(key, first, second, flags, cv);
}

void onepoint_blake3_keyed(const uint8_t key[32], const void *bytes, size_t count, uint8_t hash[32]) {
    uint32_t words[8], cv[8];
    for (int i = 0; i < 8; i++) words[i] = load(key + 4 * i);
    subtree(words, bytes, count, 0, ROOT, cv);
    for (int i = 0; i < 8; i++) {
        for (int byte = 0; byte < 4; byte++) hash[4 * i + byte] = (uint8_t)(cv[i] >> 8 * byte);
    }
}
