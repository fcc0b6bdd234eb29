// BLAKE3 (the paper of O'Connor, Aumasson, Neves and Wilcox-O'Hearn, 2020), in keyed mode and in one piece: section 2.2
// for the compression function, 2.4 for chunks, 2.5 for the tree. Chunks, and nodes of the tree above them, are hashed side
// by side, one in each lane of a vector: eight of them, or sixteen where the machine has vectors that wide.

#include "xet.h"

#include <string.h>

enum { CHUNK = 1024, BLOCK = 64 };
enum { CHUNK_START = 1, CHUNK_END = 2, PARENT = 4, ROOT = 8, KEYED = 16 };

static const uint32_t IV[4] = {0x6A09E667u, 0xBB67AE85u, 0x3C6EF372u, 0xA54FF53Au};

static const uint8_t ORDER[7][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
    {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1}, {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
    {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4}, {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
    {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13},
};

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

// Inputs that lie `stride` bytes apart, each of `blocks` whole blocks.
struct many {
    const uint8_t *bytes;
    size_t count, stride, blocks;
    // Of the first input, and how much more each further one has.
    uint64_t counter, step;
    uint32_t flags, first_flags, last_flags;
};

// Rows become columns: step by step what stands 1, 2, 4 and so on apart in a row comes to stand below each other.
typedef uint32_t lanes_8 __attribute__((vector_size(32)));

static inline __attribute__((always_inline)) void transpose_8(lanes_8 r[8]) {
    for (int i = 0; i < 8; i++) {
        if (i & 1) continue;
        lanes_8 low = __builtin_shufflevector(r[i], r[i + 1], 0, 8, 2, 10, 4, 12, 6, 14);
        r[i + 1] = __builtin_shufflevector(r[i], r[i + 1], 1, 9, 3, 11, 5, 13, 7, 15);
        r[i] = low;
    }
    for (int i = 0; i < 8; i++) {
        if (i & 2) continue;
        lanes_8 low = __builtin_shufflevector(r[i], r[i + 2], 0, 1, 8, 9, 4, 5, 12, 13);
        r[i + 2] = __builtin_shufflevector(r[i], r[i + 2], 2, 3, 10, 11, 6, 7, 14, 15);
        r[i] = low;
    }
    for (int i = 0; i < 8; i++) {
        if (i & 4) continue;
        lanes_8 low = __builtin_shufflevector(r[i], r[i + 4], 0, 1, 2, 3, 8, 9, 10, 11);
        r[i + 4] = __builtin_shufflevector(r[i], r[i + 4], 4, 5, 6, 7, 12, 13, 14, 15);
        r[i] = low;
    }
}

#define LANES 8
#define NAME(name) name##_8
#include "lanes.h"
#undef LANES
#undef NAME

typedef void hash_many(const uint32_t key[8], const struct many *inputs, uint32_t (*cvs)[8]);

#if defined(__x86_64__)
typedef uint32_t lanes_16 __attribute__((vector_size(64)));

static inline __attribute__((always_inline)) void transpose_16(lanes_16 r[16]) {
    for (int i = 0; i < 16; i++) {
        if (i & 1) continue;
        lanes_16 low = __builtin_shufflevector(r[i], r[i + 1],
            0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30);
        r[i + 1] = __builtin_shufflevector(r[i], r[i + 1],
            1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
        r[i] = low;
    }
    for (int i = 0; i < 16; i++) {
        if (i & 2) continue;
        lanes_16 low = __builtin_shufflevector(r[i], r[i + 2],
            0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29);
        r[i + 2] = __builtin_shufflevector(r[i], r[i + 2],
            2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
        r[i] = low;
    }
    for (int i = 0; i < 16; i++) {
        if (i & 4) continue;
        lanes_16 low = __builtin_shufflevector(r[i], r[i + 4],
            0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27);
        r[i + 4] = __builtin_shufflevector(r[i], r[i + 4],
            4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
        r[i] = low;
    }
    for (int i = 0; i < 16; i++) {
        if (i & 8) continue;
        lanes_16 low = __builtin_shufflevector(r[i], r[i + 8],
            0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
        r[i + 8] = __builtin_shufflevector(r[i], r[i + 8],
            8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
        r[i] = low;
    }
}

#define LANES 16
#define NAME(name) name##_16
#include "lanes.h"
#undef LANES
#undef NAME

__attribute__((target("avx2"))) static void many_avx2(const uint32_t key[8], const struct many *inputs,
                                                      uint32_t (*cvs)[8]) {
    many_8(key, inputs, cvs);
}

__attribute__((target("avx512f"))) static void many_avx512(const uint32_t key[8], const struct many *inputs,
                                                           uint32_t (*cvs)[8]) {
    many_16(key, inputs, cvs);
}
#endif

static void many_plain(const uint32_t key[8], const struct many *inputs, uint32_t (*cvs)[8]) {
    many_8(key, inputs, cvs);
}

static hash_many *choose(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return many_avx512;
    if (__builtin_cpu_supports("avx2")) return many_avx2;
#endif
    return many_plain;
}

static void merge(const uint32_t key[8], const uint32_t children[2][8], uint32_t flags, uint32_t cv[8]) {
    uint32_t m[16];
    memcpy(m, children, 64);
    memcpy(cv, key, 32);
    compress(cv, m, 0, BLOCK, KEYED | PARENT | flags);
}

enum { NODES = 128 };

// The node above at most NODES chunks; `flags` is ROOT for the topmost.
static void small_tree(hash_many *many, const uint32_t key[8], const uint8_t *bytes, size_t count, uint64_t counter,
                       uint32_t flags, uint32_t cv[8]) {
    if (count <= CHUNK) {
        hash_chunk(key, bytes, count, counter, flags, cv);
        return;
    }
    uint32_t cvs[NODES][8];
    size_t nodes = count / CHUNK;
    many(key, &(struct many){bytes, nodes, CHUNK, CHUNK / BLOCK, counter, 1, KEYED, CHUNK_START, CHUNK_END}, cvs);
    if (count % CHUNK) {
        hash_chunk(key, bytes + nodes * CHUNK, count % CHUNK, counter + nodes, 0, cvs[nodes]);
        nodes++;
    }
    // Pairs from the left, one left over goes up as it is: that is the tree, as left sides are powers of two.
    while (nodes > 2) {
        size_t pairs = nodes / 2;
        many(key, &(struct many){(const uint8_t *)cvs, pairs, BLOCK, 1, 0, 0, KEYED | PARENT, 0, 0}, cvs);
        if (nodes % 2) memcpy(cvs[pairs], cvs[nodes - 1], 32);
        nodes = pairs + nodes % 2;
    }
    merge(key, cvs, flags, cv);
}

// The whole below one node of the tree.
static void tree(hash_many *many, const uint32_t key[8], const uint8_t *bytes, size_t count, uint64_t counter,
                 uint32_t flags, uint32_t cv[8]) {
    if (count <= NODES * CHUNK) {
        small_tree(many, key, bytes, count, counter, flags, cv);
        return;
    }
    // The left side has the largest power of two of whole chunks that leaves something for the right side.
    size_t left = NODES * CHUNK;
    while (2 * left < count) left *= 2;
    uint32_t children[2][8];
    tree(many, key, bytes, left, counter, 0, children[0]);
    tree(many, key, bytes + left, count - left, counter + left / CHUNK, 0, children[1]);
    merge(key, children, flags, cv);
}

void onepoint_blake3_keyed(const uint8_t key[32], const void *bytes, size_t count, uint8_t hash[32]) {
    uint32_t words[8], cv[8];
    for (int i = 0; i < 8; i++) words[i] = load(key + 4 * i);
    tree(choose(), words, bytes, count, 0, ROOT, cv);
    for (int i = 0; i < 8; i++) {
        for (int byte = 0; byte < 4; byte++) hash[4 * i + byte] = (uint8_t)(cv[i] >> 8 * byte);
    }
}
