#include "linear.h"

#include <math.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// The wider loops only add, multiply, divide and take roots, element by element, so that both versions give the same
// bits. A fused multiply and add would not, which is why no target with one is named, and compilers may make none.
#pragma STDC FP_CONTRACT OFF
#if defined(__x86_64__) && defined(__linux__)
#define WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WIDE
#endif

enum { WORD_MAX = 60 };

// The simple lower case of Unicode for the scripts that have one in everyday use: Latin, Greek, Cyrillic, Armenian.
static uint32_t lower(uint32_t c) {
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c < 0x100) return c >= 0xC0 && c <= 0xDE && c != 0xD7 ? c + 32 : c;
    if (c < 0x180) {
        if (c == 0x130) return 'i';
        if (c == 0x178) return 0xFF;
        if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c + (c & 1);
        return c == 0x138 || c == 0x149 || c == 0x17F ? c : c | 1;
    }
    if (c < 0x250) {
        switch (c) {
        case 0x181: return 0x253;
        case 0x18A: return 0x257;
        case 0x18E: return 0x1DD;
        case 0x18F: return 0x259;
        case 0x190: return 0x25B;
        case 0x186: return 0x254;
        case 0x198: return 0x199;
        case 0x1A0: return 0x1A1;
        case 0x1AF: return 0x1B0;
        case 0x1B3: return 0x1B4;
        default: return (c >= 0x1DE && c < 0x220) ? c | 1 : c;
        }
    }
    if (c >= 0x370 && c < 0x400) {
        if (c >= 0x391 && c <= 0x3A9) return c + 32;
        if (c == 0x386) return 0x3AC;
        if (c >= 0x388 && c <= 0x38A) return c + 37;
        if (c == 0x38C) return 0x3CC;
        return c == 0x38E || c == 0x38F ? c + 63 : c;
    }
    if (c >= 0x400 && c < 0x530) {
        if (c < 0x410) return c + 80;
        if (c < 0x430) return c + 32;
        if ((c >= 0x460 && c <= 0x481) || (c >= 0x48A && c <= 0x4BF) || c >= 0x4D0) return c | 1;
        if (c == 0x4C0) return 0x4CF;
        return c >= 0x4C1 && c <= 0x4CE ? c + (c & 1) : c;
    }
    if (c >= 0x531 && c <= 0x556) return c + 48;
    if (c >= 0x1E00 && c < 0x1F00 && !(c >= 0x1E96 && c <= 0x1E9F)) return c | 1;
    return c >= 0xFF21 && c <= 0xFF3A ? c - 0xFEE0 + 32 : c;
}

// Whether a character ends a word. By blocks, generously: what is taken for a letter wrongly only makes odd n-grams.
static int separates(uint32_t c) {
    if (c < 0x80) return !((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'));
    if (c < 0xC0) return !(c == 0xAA || c == 0xB5 || c == 0xBA);
    if (c < 0x600) return c == 0xD7 || c == 0xF7;
    if (c < 0x700) {
        return c < 0x610 || c == 0x61B || c == 0x61F || (c >= 0x660 && c <= 0x66D) || c == 0x6D4 ||
               (c >= 0x6F0 && c <= 0x6F9);
    }
    if (c < 0x2000) return c == 0x964 || c == 0x965;
    if (c < 0x2C00) return c != 0x200C && c != 0x200D;
    if (c < 0x3000) return 0;
    if (c < 0x3040) return c != 0x3005;
    if (c < 0xE000) return 0;
    if (c < 0xF900) return 1;
    if (c < 0xFE00) return 0;
    if (c < 0xFE70) return 1;
    if (c < 0xFF00) return 0;
    if (c < 0x10000) return c < 0xFF21 || (c > 0xFF3A && c < 0xFF41) || (c > 0xFF5A && c < 0xFF66) || c > 0xFFDC;
    return c >= 0x1F000 && c < 0x20000;
}

static int is_ideograph(uint32_t c) {
    return (c >= 0x3400 && c < 0xA000) || (c >= 0xF900 && c < 0xFB00) || (c >= 0x20000 && c < 0x32000);
}

// Kana and Hangul with the ideographs, full-width Latin with Latin.
static uint32_t kind(uint32_t c) {
    if (c < 0x370) return ONEPOINT_LATIN;
    if (c < 0x1100) return ONEPOINT_OTHER_LETTERS;
    if (c < 0x1200) return ONEPOINT_EAST_ASIAN;
    if (c < 0x1E00) return ONEPOINT_OTHER_LETTERS;
    if (c < 0x1F00) return ONEPOINT_LATIN;
    if (c < 0x2E80) return ONEPOINT_OTHER_LETTERS;
    if (c < 0xA000) return ONEPOINT_EAST_ASIAN;
    if (c < 0xAC00) return ONEPOINT_OTHER_LETTERS;
    if (c < 0xD7B0) return ONEPOINT_EAST_ASIAN;
    if (c < 0xF900) return ONEPOINT_OTHER_LETTERS;
    if (c < 0xFB00) return ONEPOINT_EAST_ASIAN;
    if (c < 0xFB07) return ONEPOINT_LATIN;
    if (c < 0xFF00) return ONEPOINT_OTHER_LETTERS;
    if (c < 0xFF66) return ONEPOINT_LATIN;
    return c < 0x10000 || c >= 0x20000 ? ONEPOINT_EAST_ASIAN : ONEPOINT_OTHER_LETTERS;
}

// Letters of ASCII in lower case; 0 for what separates.
static inline uint32_t ascii_letter(uint8_t byte) {
    const uint8_t small = byte | 0x20;
    return (uint8_t)(small - 'a') < 26 ? small : 0;
}

// Most of Chinese; what the functions above say of it.
static inline int is_common_ideograph(const uint8_t *text) {
    return text[0] >= 0xE4 && text[0] <= 0xE9 && (text[1] & 0xC0) == 0x80 && (text[2] & 0xC0) == 0x80 &&
           !(text[0] == 0xE4 && text[1] < 0xB8);
}

// One character from `*at`, which is below `count`, on; U+FFFD, which separates, for one byte that begins none.
static uint32_t take(const uint8_t *text, size_t count, size_t *at) {
    uint32_t c = text[(*at)++];
    if (c < 0x80) return c;
    size_t more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : 1;
    if (c < 0xC2 || c > 0xF4 || count - *at < more) return 0xFFFD;
    c &= 0x3Fu >> more;
    for (size_t i = 0; i < more; i++) {
        uint32_t next = text[*at + i];
        if ((next & 0xC0) != 0x80) return 0xFFFD;
        c = c << 6 | (next & 0x3F);
    }
    *at += more;
    return c;
}

static const uint64_t BASIS = 0xCBF29CE484222325u;

// FNV-1a over whole characters, with a shift that lets their high bits count.
static inline uint64_t mix(uint64_t hash, uint32_t c) {
    hash = (hash ^ c) * 0x100000001B3u;
    return hash ^ hash >> 29;
}

static inline uint32_t row(uint64_t hash, uint32_t bits) { return (uint32_t)((hash * 0x9E3779B97F4A7C15u) >> (64 - bits)); }

// N-grams of a word of letters, none of which is an ideograph, with its borders; so many at the most from each place.
static inline __attribute__((always_inline)) size_t letter_grams(const uint32_t *word, size_t end, size_t grams,
                                                                 uint32_t bits, uint32_t *out) {
    size_t made = 0;
    for (size_t start = 0; start < end; start++) {
        const size_t most = end - start < grams ? end - start : grams;
        uint64_t hash = mix(BASIS, word[start]);
        // A border alone says nothing.
        if (start > 0 && start < end - 1) out[made++] = row(hash, bits);
        for (size_t length = 1; length < most; length++) {
            hash = mix(hash, word[start + length]);
            out[made++] = row(hash + length, bits);
        }
    }
    return made;
}

// The features of one word: `word[1 ..< count + 1]`, with a border before and after it.
static size_t word_features(const struct onepoint_linear_shape *shape, const uint32_t *word, size_t count,
                            int has_ideographs, uint64_t *previous, uint32_t *out) {
    const uint32_t bits = shape->bits;
    const size_t end = count + 2;
    size_t made = 0;
    if (shape->grams > 0 && !has_ideographs) {
        made = shape->grams == 5 ? letter_grams(word, end, 5, bits, out)
                                 : letter_grams(word, end, shape->grams, bits, out);
    } else if (shape->grams > 0) {
        for (size_t start = 0; start < end; start++) {
            const int ideograph = is_ideograph(word[start]);
            size_t stop = start + (ideograph ? 2 : shape->grams);
            if (stop > end) stop = end;
            uint64_t hash = BASIS;
            for (size_t at = start; at < stop; at++) {
                hash = mix(hash, word[at]);
                // A border alone says nothing.
                if (at == start && (start == 0 || start == end - 1)) continue;
                out[made++] = row(hash + (at - start), bits);
            }
        }
    }
    if (shape->words || shape->pairs) {
        // Where words are not separated every ideograph stands for one.
        size_t at = 1;
        while (at <= count) {
            size_t length = 1;
            if (!has_ideographs) {
                length = count;
            } else if (!is_ideograph(word[at])) {
                while (at + length <= count && !is_ideograph(word[at + length])) length++;
            }
            // Short words are an n-gram already.
            const int is_feature = shape->words && length + 2 > shape->grams;
            if (is_feature || shape->pairs) {
                uint64_t hash = BASIS + 64;
                for (size_t i = at; i < at + length; i++) hash = mix(hash, word[i]);
                if (is_feature) out[made++] = row(hash, bits);
                if (shape->pairs && *previous) out[made++] = row(*previous * 31 ^ hash, bits);
                *previous = hash;
            }
            at += length;
        }
    }
    return made;
}

void onepoint_linear_letters(const uint8_t *text, size_t count, size_t bytes[4]) {
    size_t at = 0, latin = 0, east_asian = 0;
    while (at < count) {
#if defined(__SSE2__)
        // Letters of ASCII, sixteen bytes at once, up to what is not ASCII.
        while (count - at >= 16) {
            const __m128i raw = _mm_loadu_si128((const __m128i *)(text + at));
            __m128i letter = _mm_sub_epi8(_mm_or_si128(raw, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
            letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
            const unsigned high = (unsigned)_mm_movemask_epi8(raw) | 0x10000;
            const unsigned before = high & -high;
            latin += (unsigned)__builtin_popcount((unsigned)_mm_movemask_epi8(letter) & (before - 1));
            at += (unsigned)__builtin_ctz(before);
            if (before != 0x10000) break;
        }
        if (at == count) break;
#endif
        if (text[at] < 0x80) {
            latin += ascii_letter(text[at++]) != 0;
            continue;
        }
        const size_t start_of_run = at;
        while (count - at >= 3 && is_common_ideograph(text + at)) at += 3;
        if (at > start_of_run) {
            east_asian += at - start_of_run;
            continue;
        }
        size_t start = at;
        uint32_t c = take(text, count, &at);
        if (!separates(c)) bytes[kind(c)] += at - start;
    }
    bytes[ONEPOINT_LATIN] += latin;
    bytes[ONEPOINT_EAST_ASIAN] += east_asian;
}

size_t onepoint_linear_features(const struct onepoint_linear_shape *shape, const uint8_t *text, size_t count,
                                size_t *position, uint64_t *previous, uint32_t *features, size_t room) {
    uint32_t word[WORD_MAX + 2];
    word[0] = '_';
    size_t made = 0, at = *position;
    while (at < count && room >= made && room - made >= ONEPOINT_LINEAR_ROOM) {
        size_t length = 0;
        uint32_t letters = 0;
        int has_ideographs = 0;
        while (at < count && length < WORD_MAX) {
            size_t next = at;
            uint32_t c, now;
            if (text[at] < 0x80) {
                next++;
                c = ascii_letter(text[at]);
                now = c ? ONEPOINT_LATIN : 0;
            } else if (count - at >= 3 && is_common_ideograph(text + at)) {
                c = take(text, count, &next);
                now = ONEPOINT_EAST_ASIAN;
            } else {
                c = take(text, count, &next);
                now = separates(c) ? 0 : kind(c);
                c = lower(c);
            }
            if (now == 0) {
                at = next;
                if (length > 0) break;
                continue;
            }
            if (length > 0 && now != letters) break;
            at = next;
            letters = now;
            if (shape->letters != 0 && now != shape->letters) continue;
            word[++length] = c;
            has_ideographs |= c >= 0x3400;
        }
        if (length == 0) break;
        word[length + 1] = '_';
        made += word_features(shape, word, length, has_ideographs, previous, features + made);
    }
    *position = at;
    return made;
}

typedef int8_t bytes16 __attribute__((vector_size(16), aligned(1)));
typedef int16_t shorts16 __attribute__((vector_size(32)));

// Adds `groups` times 16 columns of at most 256 rows, which cannot overflow 16 bits, held in registers all the time.
static inline __attribute__((always_inline)) void add_columns(const int8_t *table, size_t stride,
                                                              const uint32_t *features, size_t count, int32_t *sums,
                                                              const int groups) {
    shorts16 part[5] = {{0}};
    for (size_t i = 0; i < count; i++) {
        // Rows lie anywhere in megabytes: the wait for one is what a feature costs.
        const size_t ahead = features[i + 12 < count ? i + 12 : count - 1];
        __builtin_prefetch(table + ahead * stride);
        __builtin_prefetch(table + ahead * stride + 63);
        const int8_t *weights = table + (size_t)features[i] * stride;
        for (int g = 0; g < groups; g++) {
            part[g] += __builtin_convertvector(*(const bytes16 *)(weights + 16 * g), shorts16);
        }
    }
    for (int g = 0; g < groups; g++) {
        for (int j = 0; j < 16; j++) sums[16 * g + j] += part[g][j];
    }
}

WIDE static void add(const int8_t *table, size_t stride, const uint32_t *features, size_t count, int32_t *sums) {
    if (stride <= 8) {
        for (size_t i = 0; i < count; i++) {
            const int8_t *weights = table + (size_t)features[i] * stride;
            for (size_t k = 0; k < stride; k++) sums[k] += weights[k];
        }
        return;
    }
    for (size_t from = 0; from < count; from += 256) {
        const size_t some = count - from < 256 ? count - from : 256;
        for (size_t k = 0; k < stride; k += 64) {
            switch ((stride - k) / 16) {
            case 1: add_columns(table + k, stride, features + from, some, sums + k, 1); break;
            case 2: add_columns(table + k, stride, features + from, some, sums + k, 2); break;
            case 3: add_columns(table + k, stride, features + from, some, sums + k, 3); break;
            case 5: add_columns(table + k, stride, features + from, some, sums + k, 5); k += 16; break;
            default: add_columns(table + k, stride, features + from, some, sums + k, 4); break;
            }
        }
    }
}

size_t onepoint_linear_sum(const struct onepoint_linear_shape *shape, const int8_t *table, size_t stride,
                           const uint8_t *text, size_t count, int32_t *sums) {
    uint32_t features[4 * ONEPOINT_LINEAR_ROOM];
    size_t position = 0, total = 0;
    uint64_t previous = 0;
    for (;;) {
        size_t made = onepoint_linear_features(shape, text, count, &position, &previous, features,
                                               sizeof features / sizeof *features);
        if (made == 0) return total;
        add(table, stride, features, made, sums);
        total += made;
    }
}

void onepoint_linear_lay_out(const uint8_t *columns, size_t rows, size_t labels, size_t stride, int8_t *table) {
    for (size_t row = 0; row < rows; row++) {
        for (size_t label = 0; label < labels; label++) {
            table[row * stride + label] = (int8_t)columns[label * rows + row];
        }
    }
}

WIDE void onepoint_linear_add_weights(const float *table, size_t stride, const uint32_t *features, size_t count,
                                      float *sums) {
    for (size_t i = 0; i < count; i++) {
        const float *weights = table + (size_t)features[i] * stride;
        for (size_t k = 0; k < stride; k++) sums[k] += weights[k];
    }
}

WIDE void onepoint_linear_step(float *table, float *squares, size_t stride, const uint32_t *features, size_t count,
                               const float *gradient, float rate) {
    for (size_t i = 0; i < count; i++) {
        float *weights = table + (size_t)features[i] * stride;
        float *square = squares + (size_t)features[i] * stride;
        for (size_t k = 0; k < stride; k++) {
            float slope = gradient[k];
            square[k] += slope * slope;
            weights[k] -= rate * slope / (sqrtf(square[k]) + 1e-4f);
        }
    }
}

// e to a power of at most 0, by the series of 2^f up to f^6 for f in -0.5 ... 0.5, good to seven digits.
static inline float power(float x) {
    if (x < -80.0f) return 0.0f;
    float scaled = x * 1.44269504f;
    float whole = rintf(scaled);
    float f = (scaled - whole) * 0.693147181f;
    float series = 1.0f + f * (1.0f + f * (0.5f + f * (0.16666667f + f * (0.041666667f + f * (0.0083333333f +
                   f * 0.0013888889f)))));
    // Two to the power of `whole`, which is above -117, so that the product is exact.
    const uint32_t bits = (uint32_t)((int32_t)whole + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return series * scale;
}

WIDE void onepoint_linear_scores(const float *bias, const int32_t *sums, size_t count, float sharpness, float scale,
                                 float *scores) {
    for (size_t k = 0; k < count; k++) {
        const float biased = sharpness * bias[k], summed = scale * (float)sums[k];
        scores[k] = biased + summed;
    }
}

WIDE void onepoint_linear_softmax(float *scores, size_t count) {
    if (count == 0) return;
    float most = scores[0], sum = 0.0f;
    for (size_t k = 1; k < count; k++) most = scores[k] > most ? scores[k] : most;
    for (size_t k = 0; k < count; k++) scores[k] = power(scores[k] - most);
    // One after the other: the order of a sum is a part of its value.
    for (size_t k = 0; k < count; k++) sum += scores[k];
    for (size_t k = 0; k < count; k++) scores[k] /= sum;
}

WIDE void onepoint_linear_add_share(const float *probabilities, size_t count, float weight, float *shares) {
    for (size_t k = 0; k < count; k++) {
        const float weighted = weight * probabilities[k];
        shares[k] += weighted;
    }
}
