#include "curation.h"

#include <string.h>

#include "word_table.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

// Odd constants without structure: the golden ratio's fraction, and the multipliers of MurmurHash3's 64-bit finaliser
// (https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp).
#define SEED UINT64_C(0x9E3779B97F4A7C15)
#define GROUP UINT64_C(0xFF51AFD7ED558CCD)
#define MIX UINT64_C(0xC4CEB9FE1A85EC53)

// Bijective in the group, so that words of up to eight bytes never collide.
static inline uint64_t add_group(uint64_t hash, uint64_t group) {
    hash = (hash ^ group) * GROUP;
    return hash ^ hash >> 32;
}

static inline void open_word(struct onepoint_word *word, size_t start) {
    *word = (struct onepoint_word){.hash = SEED, .open = 1, .start = start};
}

static inline void add_byte(struct onepoint_word *word, uint64_t byte) {
    word->group |= byte << (8 * word->filled);
    if (++word->filled == 8) {
        word->hash = add_group(word->hash, word->group);
        word->group = word->filled = 0;
    }
}

static inline void add_point(struct onepoint_word *word, uint32_t point) {
    uint8_t bytes[4];
    size_t length = onepoint_utf8_encode(point, bytes);
    for (size_t i = 0; i < length; i++) add_byte(word, bytes[i]);
}

static inline uint64_t close_word(struct onepoint_word *word) {
    word->open = 0;
    return word->filled ? add_group(word->hash, word->group) : word->hash;
}

// Lower-cased, or 0 for what parts words.
static inline uint8_t ascii_word(uint8_t byte) {
    uint8_t lower = byte | 0x20;
    if ((uint8_t)(lower - 'a') < 26) return lower;
    return (uint8_t)(byte - '0') < 10 || byte == '_' ? byte : 0;
}

#if defined(__SSE2__)
struct ascii16 {
    unsigned words, high;  // a bit for each of sixteen bytes: letters, digits and underscores; what is not ASCII
};

static inline struct ascii16 look(const uint8_t *bytes) {
    __m128i raw = _mm_loadu_si128((const __m128i *)bytes);
    __m128i letter = _mm_sub_epi8(_mm_or_si128(raw, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
    __m128i digit = _mm_sub_epi8(raw, _mm_set1_epi8('0'));
    letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
    digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
    digit = _mm_or_si128(digit, _mm_cmpeq_epi8(raw, _mm_set1_epi8('_')));
    return (struct ascii16){
        .words = (unsigned)_mm_movemask_epi8(_mm_or_si128(letter, digit)), .high = (unsigned)_mm_movemask_epi8(raw)};
}

static const uint8_t front_mask[32] = {
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};

// The hash of a word of ASCII of 1 to 16 bytes; sixteen are read.
static inline uint64_t hash_ascii(const uint8_t *bytes, unsigned length) {
    __m128i raw = _mm_loadu_si128((const __m128i *)bytes);
    __m128i upper = _mm_sub_epi8(raw, _mm_set1_epi8('A'));
    upper = _mm_cmpeq_epi8(_mm_min_epu8(upper, _mm_set1_epi8(25)), upper);
    raw = _mm_or_si128(raw, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
    raw = _mm_and_si128(raw, _mm_loadu_si128((const __m128i *)(front_mask + 16 - length)));
    uint64_t first = add_group(SEED, (uint64_t)_mm_cvtsi128_si64(raw));
    uint64_t second = add_group(first, (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(raw, raw)));
    return length > 8 ? second : first;
}
#endif

static inline __attribute__((always_inline)) size_t split(
    struct onepoint_word *word, const uint8_t *bytes, size_t count, size_t *position, uint64_t *hashes, size_t capacity,
    uint32_t *starts, uint32_t *ends, int offsets) {
    size_t at = *position, found = 0;
    struct onepoint_word open = *word;
#define EMIT(HASH, START, END)                                                        \
    do {                                                                              \
        if (offsets) starts[found] = (uint32_t)(START), ends[found] = (uint32_t)(END); \
        hashes[found++] = (HASH);                                                     \
    } while (0)
    // One step may write two: the word before an ideograph, and the ideograph.
    while (at < count && found + 1 < capacity) {
        uint8_t byte = bytes[at];
#if defined(__SSE2__)
        if (byte < 0x80 && !open.open && count - at >= 16) {
            struct ascii16 ascii = look(bytes + at);
            if (!ascii.high && count - at >= 80 && found + 33 <= capacity) {
                // Words of 64 bytes at once, up to what is not ASCII: first where they start and end, then each on
                // its own, so that none waits for the one before.
                uint64_t words = ascii.words, high = 0;
                for (unsigned part = 16; part < 64; part += 16) {
                    ascii = look(bytes + at + part);
                    words |= (uint64_t)ascii.words << part;
                    high |= (uint64_t)ascii.high << part;
                }
                uint64_t known = high ? (high & -high) - 1 : UINT64_MAX;
                words &= known;
                uint64_t first = words & ~(words << 1), end = ~words & words << 1 & known;
                size_t base = at;
                while (end) {
                    unsigned from = (unsigned)__builtin_ctzll(first), length = (unsigned)__builtin_ctzll(end) - from;
                    if (length > 16) break;
                    EMIT(hash_ascii(bytes + base + from, length), base + from, base + from + length);
                    first &= first - 1;
                    end &= end - 1;
                }
                // A word that is long, or may go on beyond, is left for the next round, and the steps below if it
                // comes first.
                at = first ? base + (unsigned)__builtin_ctzll(first) : base + (unsigned)__builtin_popcountll(known);
                if (at > base) continue;
            } else {
                unsigned skipped = (unsigned)__builtin_ctz(ascii.words | ascii.high | 0x10000);
                unsigned length = (unsigned)__builtin_ctz(~ascii.words);
                if (skipped) { at += skipped; continue; }
                if (length < 16 && !(ascii.high >> length & 1)) {
                    EMIT(hash_ascii(bytes + at, length), at, at + length);
                    at += length + 1;  // What ended it is ASCII, and no word.
                    continue;
                }
            }
        }
#endif
        if (byte < 0x80) {
            uint8_t lower = ascii_word(byte);
            if (lower) {
                if (!open.open) open_word(&open, at);
                add_byte(&open, lower);
            } else if (open.open) {
                EMIT(close_word(&open), open.start, at);
            }
            at++;
            continue;
        }
        // Most of Chinese, U+4E00 to U+9FFF, stays in this loop; the table says the same.
        if (byte >= 0xE4 && byte <= 0xE9 && count - at >= 3) {
            size_t first = at;
            if (open.open) EMIT(close_word(&open), open.start, at);
            while (count - at >= 3 && found < capacity) {
                uint32_t bytes3 = (uint32_t)bytes[at] | (uint32_t)bytes[at + 1] << 8 | (uint32_t)bytes[at + 2] << 16;
                uint32_t point = (bytes3 & 0xF) << 12 | (bytes3 >> 2 & 0xFC0) | (bytes3 >> 16 & 0x3F);
                if ((bytes3 & 0xC0C0F0) != 0x8080E0 || point - 0x4E00 >= 0x5200) break;
                EMIT(add_group(SEED, bytes3), at, at + 3);
                at += 3;
            }
            if (at != first) continue;
        }
        size_t length;
        uint32_t point = onepoint_utf8_next(bytes + at, count - at, &length);
        if (length == 0) break;
        struct onepoint_word_trait trait = onepoint_word_trait_of(point);
        if (trait.kind == ONEPOINT_WORD) {
            if (!open.open) open_word(&open, at);
            add_point(&open, point + (uint32_t)trait.fold);
        } else {
            if (open.open) EMIT(close_word(&open), open.start, at);
            if (trait.kind == ONEPOINT_ALONE) {
                struct onepoint_word alone;
                open_word(&alone, at);
                add_point(&alone, point + (uint32_t)trait.fold);
                EMIT(close_word(&alone), at, at + length);
            }
        }
        at += length;
    }
#undef EMIT
    *word = open;
    *position = at;
    return found;
}

size_t onepoint_words(
    struct onepoint_word *word, const uint8_t *bytes, size_t count, size_t *position, uint64_t *hashes, size_t capacity,
    uint32_t *starts, uint32_t *ends) {
    if (starts) return split(word, bytes, count, position, hashes, capacity, starts, ends, 1);
    return split(word, bytes, count, position, hashes, capacity, 0, 0, 0);
}

uint64_t onepoint_words_end(struct onepoint_word *word, int *found) {
    *found = word->open != 0;
    return word->open ? close_word(word) : 0;
}

static inline uint64_t finish(uint64_t hash) {
    hash = (hash ^ hash >> 33) * GROUP;
    hash = (hash ^ hash >> 29) * MIX;
    return hash ^ hash >> 32;
}

// A polynomial in an odd base, so that order counts; the words' hashes are themselves without structure.
#define BASE UINT64_C(0xD6E8FEB86659FD93)

void onepoint_shingles(const uint64_t *words, size_t count, uint64_t *shingles) {
    const uint64_t b1 = BASE, b2 = b1 * b1, b3 = b2 * b1, b4 = b3 * b1;
    for (size_t i = 0; i + 4 < count; i++)
        shingles[i] = finish(words[i] * b4 + words[i + 1] * b3 + words[i + 2] * b2 + words[i + 3] * b1 + words[i + 4]);
}

uint64_t onepoint_short_shingle(const uint64_t *words, size_t count) {
    uint64_t sum = count;
    for (size_t i = 0; i < count; i++) sum = sum * BASE + words[i];
    return finish(sum);
}
