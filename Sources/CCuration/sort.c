#include "curation.h"

#include <string.h>

// Sifts down; for the few places where an insertion sort would be quadratic.
static void heap_sort(uint64_t *a, size_t count) {
    for (size_t end = count, start = count / 2; end > 1;) {
        if (start > 0) {
            start--;
        } else {
            uint64_t top = a[0];
            a[0] = a[--end];
            a[end] = top;
        }
        for (size_t root = start, child; (child = 2 * root + 1) < end; root = child) {
            if (child + 1 < end && a[child] < a[child + 1]) child++;
            if (a[root] >= a[child]) break;
            uint64_t value = a[root];
            a[root] = a[child];
            a[child] = value;
        }
    }
}

size_t onepoint_sort_unique(uint64_t *hashes, uint64_t *scratch, size_t count, uint32_t *counts) {
    if (count < 2) return count;
    // Hashes are uniform, so that about four fall to each value of their top bits, and an insertion sort does the rest.
    unsigned bits = 1;
    while (bits < 16 && (size_t)4 << bits < count) bits++;
    unsigned shift = 64 - bits;
    size_t buckets = (size_t)1 << bits;
    memset(counts, 0, (buckets + 1) * sizeof *counts);
    for (size_t i = 0; i < count; i++) counts[(hashes[i] >> shift) + 1]++;
    for (size_t i = 1; i <= buckets; i++) counts[i] += counts[i - 1];
    for (size_t i = 0; i < count; i++) scratch[counts[hashes[i] >> shift]++] = hashes[i];
    size_t kept = 0, start = 0;
    for (size_t bucket = 0; bucket < buckets; bucket++) {
        size_t end = counts[bucket], size = end - start;
        uint64_t *part = scratch + start;
        if (size > 48) {
            heap_sort(part, size);
        } else {
            for (size_t i = 1; i < size; i++) {
                uint64_t value = part[i];
                size_t j = i;
                for (; j > 0 && part[j - 1] > value; j--) part[j] = part[j - 1];
                part[j] = value;
            }
        }
        for (size_t i = 0; i < size; i++) {
            hashes[kept] = part[i];
            kept += i == 0 || part[i] != part[i - 1];
        }
        start = end;
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

static inline __attribute__((always_inline)) void sort_records(
    uint64_t *records, uint64_t *scratch, size_t count, const size_t width) {
    uint64_t *from = records, *to = scratch;
    for (size_t pass = 8 * width; pass-- > 0;) {
        size_t field = pass / 8, offsets[256] = {0};
        unsigned shift = 8 * (unsigned)(7 - pass % 8);
        for (size_t i = 0; i < count; i++) offsets[from[i * width + field] >> shift & 255]++;
        size_t sum = 0;
        int alike = 0;
        for (unsigned value = 0; value < 256; value++) {
            size_t here = offsets[value];
            alike |= here == count;
            offsets[value] = sum;
            sum += here;
        }
        if (alike) continue;  // As the upper bytes of document numbers are, and the top bits of a partition's keys.
        for (size_t i = 0; i < count; i++) {
            const uint64_t *record = from + i * width;
            uint64_t *target = to + width * offsets[record[field] >> shift & 255]++;
            for (size_t word = 0; word < width; word++) target[word] = record[word];
        }
        uint64_t *other = from;
        from = to;
        to = other;
    }
    if (from != records) memcpy(records, from, count * width * sizeof *records);
}

void onepoint_sort_records(uint64_t *records, uint64_t *scratch, size_t count, size_t width) {
    if (count < 2) return;
    if (width == 2) sort_records(records, scratch, count, 2);
    if (width == 3) sort_records(records, scratch, count, 3);
}
