#include "curation.h"

#include <stdlib.h>
#include <string.h>

// Passages that occur again, by a rolling hash of all windows (Karp, Rabin, "Efficient randomized pattern-matching
// algorithms", 1987). A window whose bit was set by one before it may be repeated; only such windows go into a table
// of first places, in the order of the text, and count as repeated if they are equal character by character. So the
// result is exact but for windows whose hashes collide in 64 bits, which are at worst not seen as repeated.

#define BASE UINT64_C(0xD6E8FEB86659FD93)
#define INLINE static inline __attribute__((always_inline))

static inline uint64_t finish(uint64_t hash) {
    hash = (hash ^ hash >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
    hash = (hash ^ hash >> 29) * UINT64_C(0xC4CEB9FE1A85EC53);
    return hash ^ hash >> 32;
}

INLINE uint64_t at(const struct onepoint_passages *p, size_t i, const int wide) {
    return wide ? ((const uint64_t *)p->text)[i] : p->byte_hashes[((const uint8_t *)p->text)[i]];
}

enum { BATCH = 64 };

// The hashes of the next windows that lie within a document, with their places; fewer than a batch only at the end.
INLINE size_t next_windows(struct onepoint_passages *p, uint64_t *hashes, size_t *places, const int wide) {
    size_t found = 0;
    while (found < BATCH && p->at + p->length <= p->count) {
        while (p->ends[p->document] <= p->at) p->document++;
        size_t end = p->ends[p->document];
        if (end - p->at < p->length) {
            p->at = end;
            p->rolled = 0;
            continue;
        }
        if (!p->rolled) {
            p->sum = 0;
            for (size_t i = 0; i < p->length; i++) p->sum = p->sum * BASE + at(p, p->at + i, wide);
            p->rolled = 1;
        }
        // Into the document's last window, or up to a batch. In variables of its own: the stores could change the
        // struct's.
        size_t place = p->at, length = p->length, left = end - length - place, room = BATCH - found;
        size_t steps = left < room ? left : room;
        uint64_t sum = p->sum, power = p->power;
        for (size_t i = 0; i < steps; i++, place++) {
            hashes[found + i] = finish(sum);
            places[found + i] = place;
            sum = sum * BASE + (at(p, place + length, wide) - at(p, place, wide) * power);
        }
        found += steps;
        p->sum = sum;
        p->at = place;
        if (steps == left && found < BATCH) {
            hashes[found] = finish(sum);
            places[found++] = place;
            p->at = end;
            p->rolled = 0;
        }
    }
    return found;
}

static void rewind_windows(struct onepoint_passages *p) {
    p->at = p->document = 0;
    p->rolled = 0;
}

INLINE void mark(struct onepoint_passages *p, uint64_t *seen, const int wide) {
    uint64_t hashes[BATCH];
    size_t places[BATCH], found;
    while ((found = next_windows(p, hashes, places, wide))) {
        for (size_t i = 0; i < found; i++) __builtin_prefetch(&seen[hashes[i] >> p->shift >> 6], 1);
        for (size_t i = 0; i < found; i++) {
            uint64_t place = hashes[i] >> p->shift, bit = UINT64_C(1) << (place & 63);
            if (seen[place >> 6] & bit) p->repeated[place >> 6] |= bit;
            else seen[place >> 6] |= bit;
        }
    }
    rewind_windows(p);
}

int onepoint_passages_begin(
    struct onepoint_passages *p, const void *text, int wide, size_t count, size_t length, const size_t *ends) {
    memset(p, 0, sizeof *p);
    p->text = text;
    p->wide = wide;
    p->count = count;
    p->length = length;
    p->ends = ends;
    p->power = 1;
    for (size_t i = 0; i < length; i++) p->power *= BASE;
    for (unsigned byte = 0; byte < 256; byte++) p->byte_hashes[byte] = finish(byte + 1);
    // Eight bits a window, so that one in nine of those that are not repeated looks as if it were.
    unsigned bits = 10;
    while (bits < 40 && (UINT64_C(1) << bits) < 8 * (uint64_t)count) bits++;
    p->shift = 64 - bits;
    p->slot_bits = 10;
    uint64_t *seen = calloc((size_t)1 << (bits - 6), sizeof(uint64_t));
    p->repeated = calloc((size_t)1 << (bits - 6), sizeof(uint64_t));
    p->slots = calloc((size_t)1 << p->slot_bits, sizeof(uint64_t));
    int failed = !seen || !p->repeated || !p->slots;
    if (!failed) {
        if (wide) mark(p, seen, 1);
        else mark(p, seen, 0);
    }
    free(seen);
    return failed;
}

void onepoint_passages_end(struct onepoint_passages *p) {
    free(p->repeated);
    free(p->slots);
    p->repeated = p->slots = 0;
}

// A slot has 32 bits of the hash above the place plus one; 0 is empty. The hash's upper bits are also where to look
// first.
static int grow(struct onepoint_passages *p) {
    unsigned bits = p->slot_bits + 1;
    size_t mask = ((size_t)1 << bits) - 1;
    uint64_t *slots = calloc(mask + 1, sizeof(uint64_t));
    if (!slots) return 1;
    for (size_t i = 0; i <= mask >> 1; i++) {
        if (!p->slots[i]) continue;
        size_t slot = p->slots[i] >> 32 >> (32 - bits);
        while (slots[slot]) slot = (slot + 1) & mask;
        slots[slot] = p->slots[i];
    }
    free(p->slots);
    p->slots = slots;
    p->slot_bits = bits;
    return 0;
}

INLINE int same(const struct onepoint_passages *p, size_t a, size_t b, const int wide) {
    size_t last = p->length - 1;
    // Where the windows before were equal, only the last characters are new.
    if (p->matched && a == p->matched_place + 1 && b == p->matched_first + 1)
        return at(p, a + last, wide) == at(p, b + last, wide);
    size_t width = wide ? 8 : 1;
    return !memcmp((const uint8_t *)p->text + a * width, (const uint8_t *)p->text + b * width, p->length * width);
}

// Where the window at `place` is first; `place` if it is there.
INLINE size_t first_place(struct onepoint_passages *p, uint64_t hash, size_t place, const int wide) {
    size_t mask = ((size_t)1 << p->slot_bits) - 1, slot = hash >> (64 - p->slot_bits);
    for (; p->slots[slot]; slot = (slot + 1) & mask) {
        if (p->slots[slot] >> 32 != hash >> 32) continue;
        size_t first = (uint32_t)p->slots[slot] - 1;
        if (same(p, place, first, wide)) return first;
    }
    p->slots[slot] = hash >> 32 << 32 | (uint64_t)(place + 1);
    p->filled++;
    return place;
}

INLINE int find(
    struct onepoint_passages *p, uint32_t *places, uint32_t *firsts, size_t capacity, size_t *found, const int wide) {
    uint64_t hashes[BATCH];
    size_t windows[BATCH], count;
    *found = 0;
    while (*found + BATCH <= capacity && (count = next_windows(p, hashes, windows, wide))) {
        size_t kept = 0;
        for (size_t i = 0; i < count; i++) __builtin_prefetch(&p->repeated[hashes[i] >> p->shift >> 6]);
        for (size_t i = 0; i < count; i++) {
            uint64_t bit = hashes[i] >> p->shift;
            hashes[kept] = hashes[i];
            windows[kept] = windows[i];
            kept += p->repeated[bit >> 6] >> (bit & 63) & 1;
        }
        if ((p->filled + kept) * 3 > (size_t)2 << p->slot_bits && grow(p)) return 1;
        for (size_t i = 0; i < kept; i++) __builtin_prefetch(&p->slots[hashes[i] >> (64 - p->slot_bits)], 1);
        for (size_t i = 0; i < kept; i++) {
            size_t first = first_place(p, hashes[i], windows[i], wide);
            p->matched = first != windows[i];
            p->matched_place = windows[i];
            p->matched_first = first;
            if (!p->matched) continue;
            places[*found] = (uint32_t)windows[i];
            firsts[(*found)++] = (uint32_t)first;
        }
    }
    return 0;
}

int onepoint_passages_next(
    struct onepoint_passages *p, uint32_t *places, uint32_t *firsts, size_t capacity, size_t *found) {
    return p->wide ? find(p, places, firsts, capacity, found, 1) : find(p, places, firsts, capacity, found, 0);
}
