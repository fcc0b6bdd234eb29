#include "curation.h"

#include <stdlib.h>
#include <string.h>

// Suffix arrays by induced sorting: Nong, Zhang, Chan, "Linear suffix array construction by almost pure induced-sorting" (2009).
// The end of the text counts as a character below all others, which is not stored. `wide` says whether the text is
// of int32_t or of bytes; it is constant where these are inlined.

#define INLINE static inline __attribute__((always_inline))

INLINE int32_t at(const void *text, int32_t i, const int wide) {
    return wide ? ((const int32_t *)text)[i] : ((const uint8_t *)text)[i];
}

INLINE int is_s(const uint8_t *types, int32_t i) { return types[i >> 3] >> (i & 7) & 1; }

// Leftmost of S type: where a run that rises begins.
INLINE int is_lms(const uint8_t *types, int32_t i) { return i > 0 && is_s(types, i) && !is_s(types, i - 1); }

INLINE void set_buckets(
    const void *text, int32_t count, int32_t *buckets, int32_t alphabet, int ends, const int wide) {
    memset(buckets, 0, (size_t)alphabet * sizeof *buckets);
    for (int32_t i = 0; i < count; i++) buckets[at(text, i, wide)]++;
    int32_t sum = 0;
    for (int32_t c = 0; c < alphabet; c++) {
        int32_t here = buckets[c];
        buckets[c] = ends ? sum + here : sum;
        sum += here;
    }
}

// From the LMS suffixes at the ends of their buckets to all suffixes.
INLINE void induce(
    const void *text, int32_t *suffixes, int32_t count, int32_t *buckets, int32_t alphabet, const uint8_t *types,
    const int wide) {
    set_buckets(text, count, buckets, alphabet, 0, wide);
    suffixes[buckets[at(text, count - 1, wide)]++] = count - 1;
    for (int32_t i = 0; i < count; i++) {
        int32_t j = suffixes[i] - 1;
        if (j >= 0 && !is_s(types, j)) suffixes[buckets[at(text, j, wide)]++] = j;
    }
    set_buckets(text, count, buckets, alphabet, 1, wide);
    for (int32_t i = count - 1; i >= 0; i--) {
        int32_t j = suffixes[i] - 1;
        if (j >= 0 && is_s(types, j)) suffixes[--buckets[at(text, j, wide)]] = j;
    }
}

INLINE int same_lms(const void *text, int32_t count, const uint8_t *types, int32_t a, int32_t b, const int wide) {
    for (int32_t length = 0;; length++) {
        if (a + length == count || b + length == count) return 0;
        if (at(text, a + length, wide) != at(text, b + length, wide)) return 0;
        if (is_s(types, a + length) != is_s(types, b + length)) return 0;
        if (length > 0) {
            int a_ends = is_lms(types, a + length), b_ends = is_lms(types, b + length);
            if (a_ends || b_ends) return a_ends && b_ends;
        }
    }
}

static int suffixes_wide(const void *text, int32_t *suffixes, int32_t count, int32_t alphabet);

INLINE int sort_suffixes(const void *text, int32_t *suffixes, int32_t count, int32_t alphabet, const int wide) {
    if (count == 0) return 0;
    if (count == 1) { suffixes[0] = 0; return 0; }
    uint8_t *types = calloc((size_t)count / 8 + 1, 1);
    int32_t *buckets = malloc((size_t)alphabet * sizeof *buckets);
    if (!types || !buckets) { free(types); free(buckets); return 1; }
    for (int32_t i = count - 2; i >= 0; i--) {
        int32_t here = at(text, i, wide), next = at(text, i + 1, wide);
        if (here < next || (here == next && is_s(types, i + 1))) types[i >> 3] |= (uint8_t)(1 << (i & 7));
    }

    // The LMS substrings in order, by inducing from the LMS suffixes in any order.
    set_buckets(text, count, buckets, alphabet, 1, wide);
    memset(suffixes, 0xFF, (size_t)count * sizeof *suffixes);
    for (int32_t i = 1; i < count; i++)
        if (is_lms(types, i)) suffixes[--buckets[at(text, i, wide)]] = i;
    induce(text, suffixes, count, buckets, alphabet, types, wide);
    int32_t found = 0;
    for (int32_t i = 0; i < count; i++)
        if (is_lms(types, suffixes[i])) suffixes[found++] = suffixes[i];

    // Their names make a text of at most half the length. No two are neighbours, so that half of a position is its own.
    memset(suffixes + found, 0xFF, (size_t)(count - found) * sizeof *suffixes);
    int32_t names = 0;
    for (int32_t i = 0; i < found; i++) {
        if (i == 0 || !same_lms(text, count, types, suffixes[i - 1], suffixes[i], wide)) names++;
        suffixes[found + suffixes[i] / 2] = names - 1;
    }
    int32_t *reduced = suffixes + count - found;
    for (int32_t i = count - 1, end = count; i >= found; i--)
        if (suffixes[i] >= 0) suffixes[--end] = suffixes[i];
    int failed = 0;
    if (names < found)
        failed = suffixes_wide(reduced, suffixes, found, names);
    else
        for (int32_t i = 0; i < found; i++) suffixes[reduced[i]] = i;

    if (!failed) {
        for (int32_t i = 1, next = 0; i < count; i++)
            if (is_lms(types, i)) reduced[next++] = i;
        for (int32_t i = 0; i < found; i++) suffixes[i] = reduced[suffixes[i]];
        memset(suffixes + found, 0xFF, (size_t)(count - found) * sizeof *suffixes);
        set_buckets(text, count, buckets, alphabet, 1, wide);
        for (int32_t i = found - 1; i >= 0; i--) {
            int32_t j = suffixes[i];
            suffixes[i] = -1;
            suffixes[--buckets[at(text, j, wide)]] = j;
        }
        induce(text, suffixes, count, buckets, alphabet, types, wide);
    }
    free(types);
    free(buckets);
    return failed;
}

static int suffixes_wide(const void *text, int32_t *suffixes, int32_t count, int32_t alphabet) {
    return sort_suffixes(text, suffixes, count, alphabet, 1);
}

int onepoint_suffixes_bytes(const uint8_t *text, int32_t *suffixes, int32_t count) {
    return sort_suffixes(text, suffixes, count, 256, 0);
}

int onepoint_suffixes_numbers(const int32_t *text, int32_t *suffixes, int32_t count, int32_t alphabet) {
    return sort_suffixes(text, suffixes, count, alphabet, 1);
}

// Common prefixes in the order of the text: Kärkkäinen, Manzini, Puglisi, "Permuted longest-common-prefix array" (2009).
INLINE void find_repeats(
    const void *text, const int32_t *suffixes, int32_t count, int32_t length, const int32_t *ends, int32_t *first,
    const int wide) {
    // `first` holds the neighbour in the suffix array, then whether it begins with the same `length`.
    enum { ALONE = -1, REPEATS = -2, CUT = -3, CUT_REPEATS = -4 };
    if (count == 0) return;
    first[suffixes[0]] = ALONE;
    for (int32_t i = 1; i < count; i++) first[suffixes[i]] = suffixes[i - 1];
    int32_t common = 0, document = 0;
    for (int32_t i = 0; i < count; i++) {
        while (ends[document] <= i) document++;
        int32_t other = first[i];
        if (other == ALONE) {
            common = 0;
        } else {
            // Beyond `length` nobody asks, so that the work is linear in repeats too.
            while (common < length && i + common < count && other + common < count &&
                   at(text, i + common, wide) == at(text, other + common, wide))
                common++;
        }
        int cut = ends[document] - i < length;
        first[i] = common >= length ? (cut ? CUT_REPEATS : REPEATS) : (cut ? CUT : ALONE);
        if (common > 0) common--;
    }
    for (int32_t start = 0, end; start < count; start = end) {
        end = start + 1;
        while (end < count && (first[suffixes[end]] == REPEATS || first[suffixes[end]] == CUT_REPEATS)) end++;
        int32_t earliest = INT32_MAX;
        for (int32_t i = start; i < end; i++) {
            int32_t position = suffixes[i];
            if (first[position] > CUT && position < earliest) earliest = position;
        }
        for (int32_t i = start; i < end; i++) {
            int32_t position = suffixes[i];
            first[position] = first[position] > CUT && position != earliest ? earliest : ALONE;
        }
    }
}

void onepoint_repeats_bytes(
    const uint8_t *text, const int32_t *suffixes, int32_t count, int32_t length, const int32_t *ends, int32_t *first) {
    find_repeats(text, suffixes, count, length, ends, first, 0);
}

void onepoint_repeats_numbers(
    const int32_t *text, const int32_t *suffixes, int32_t count, int32_t length, const int32_t *ends, int32_t *first) {
    find_repeats(text, suffixes, count, length, ends, first, 1);
}
