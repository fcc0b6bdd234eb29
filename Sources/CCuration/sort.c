#include "curation.h"

#include <string.h>

static inline __attribute__((always_inline)) int precedes(const uint64_t *a, const uint64_t *b, const size_t width) {
    for (size_t word = 0; word + 1 < width; word++)
        if (a[word] != b[word]) return a[word] < b[word];
    return a[width - 1] < b[width - 1];
}

// Most significant digit first, from the highest bit in which records differ. Keys are uniform and document numbers
// dense, so two rounds leave a handful for the insertion sort. Each round takes at least one bit of 192, so that
// nothing is quadratic.
static inline __attribute__((always_inline)) void sort_round(
    uint64_t *records, uint64_t *scratch, size_t count, const size_t width, size_t word,
    void (*next)(uint64_t *, uint64_t *, size_t, size_t)) {
    if (count <= 24) {
        for (size_t i = 1; i < count; i++) {
            uint64_t record[3];
            size_t j = i;
            for (size_t w = 0; w < width; w++) record[w] = records[i * width + w];
            for (; j > 0 && precedes(record, records + (j - 1) * width, width); j--)
                for (size_t w = 0; w < width; w++) records[j * width + w] = records[(j - 1) * width + w];
            for (size_t w = 0; w < width; w++) records[j * width + w] = record[w];
        }
        return;
    }
    uint64_t differ = 0;
    for (; word < width; word++) {
        for (size_t i = 1; i < count; i++) differ |= records[i * width + word] ^ records[word];
        if (differ) break;
    }
    if (!differ) return;
    unsigned top = 64 - (unsigned)__builtin_clzll(differ), bits = 3;
    while (bits < 8 && (size_t)8 << bits < count) bits++;
    unsigned shift = top > bits ? top - bits : 0;
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    size_t ends[256] = {0}, start = 0;
    for (size_t i = 0; i < count; i++) ends[records[i * width + word] >> shift & mask]++;
    for (size_t value = 0; value <= mask; value++) {
        size_t here = ends[value];
        ends[value] = start;
        start += here;
    }
    for (size_t i = 0; i < count; i++) {
        const uint64_t *record = records + i * width;
        uint64_t *target = scratch + width * ends[record[word] >> shift & mask]++;
        for (size_t w = 0; w < width; w++) target[w] = record[w];
    }
    memcpy(records, scratch, count * width * sizeof *records);
    start = 0;
    for (size_t value = 0; value <= mask; start = ends[value++])
        if (ends[value] - start > 1)
            next(records + start * width, scratch + start * width, ends[value] - start, word);
}

static void sort_singles(uint64_t *records, uint64_t *scratch, size_t count, size_t word) {
    sort_round(records, scratch, count, 1, word, sort_singles);
}

static void sort_pairs(uint64_t *records, uint64_t *scratch, size_t count, size_t word) {
    sort_round(records, scratch, count, 2, word, sort_pairs);
}

static void sort_triples(uint64_t *records, uint64_t *scratch, size_t count, size_t word) {
    sort_round(records, scratch, count, 3, word, sort_triples);
}

void onepoint_sort_records(uint64_t *records, uint64_t *scratch, size_t count, size_t width) {
    if (width == 2) sort_pairs(records, scratch, count, 0);
    if (width == 3) sort_triples(records, scratch, count, 0);
}

size_t onepoint_sort_unique(uint64_t *hashes, uint64_t *scratch, size_t count, uint32_t *counts) {
    if (count < 2) return count;
    size_t kept = 0;
    if (count > 4 << 16) {
        sort_singles(hashes, scratch, count, 0);
        for (size_t i = 0; i < count; i++) {
            hashes[kept] = hashes[i];
            kept += i + 1 == count || hashes[i] != hashes[i + 1];
        }
        return kept;
    }
    // Hashes are uniform in their range, so that about four fall to each value of their top bits, and an insertion
    // sort does the rest.
    uint64_t least = hashes[0], most = hashes[0];
    for (size_t i = 1; i < count; i++) {
        least = hashes[i] < least ? hashes[i] : least;
        most = hashes[i] > most ? hashes[i] : most;
    }
    unsigned bits = 1, wide = least == most ? 1 : 64 - (unsigned)__builtin_clzll(most - least);
    while (bits < 16 && (size_t)4 << bits < count) bits++;
    unsigned shift = wide > bits ? wide - bits : 0;
    size_t buckets = (size_t)1 << bits;
    memset(counts, 0, (buckets + 1) * sizeof *counts);
    for (size_t i = 0; i < count; i++) counts[((hashes[i] - least) >> shift) + 1]++;
    for (size_t i = 1; i <= buckets; i++) counts[i] += counts[i - 1];
    for (size_t i = 0; i < count; i++) scratch[counts[(hashes[i] - least) >> shift]++] = hashes[i];
    for (size_t bucket = 0, start = 0; bucket < buckets; start = counts[bucket++]) {
        size_t size = counts[bucket] - start;
        sort_singles(scratch + start, hashes + start, size, 0);
    }
    for (size_t i = 0; i < count; i++) {
        hashes[kept] = scratch[i];
        kept += i + 1 == count || scratch[i] != scratch[i + 1];
    }
    return kept;
}

size_t onepoint_common(const uint64_t *a, size_t a_count, const uint64_t *b, size_t b_count, size_t least) {
    size_t i = 0, j = 0, common = 0;
    while (i < a_count && j < b_count) {
        size_t left_a = a_count - i, left_b = b_count - j;
        if (common + (left_a < left_b ? left_a : left_b) < least) return SIZE_MAX;
        // A stretch between two looks at the limit, without branches that cannot be foretold.
        for (size_t step = 0; step < 64 && i < a_count && j < b_count; step++) {
            uint64_t x = a[i], y = b[j];
            common += x == y;
            i += x <= y;
            j += y <= x;
        }
    }
    return common < least ? SIZE_MAX : common;
}
