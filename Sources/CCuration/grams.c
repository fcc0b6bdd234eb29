#include "grams.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Odd, so that no power of it is a zero divisor: the fraction of the golden ratio in 64 bits.
static const uint64_t base = 0x9E3779B97F4A7C15ull;

/// The finaliser of SplitMix64 (Steele, Lea, Flood, 2014).
static inline uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
}

static inline int is_ascii_word(uint8_t c) { return (uint8_t)(c - '0') < 10 || (uint8_t)((c | 0x20) - 'a') < 26; }

/// Whether the byte at `i` begins a letter of two bytes; `C3 97` and `C3 B7` are the signs × and ÷.
static inline int is_letter_of_two(const uint8_t *view, size_t count, size_t i) {
    if (view[i] < 0xC3 || view[i] >= 0xE0 || i + 1 >= count) return 0;
    return view[i] != 0xC3 || (view[i + 1] != 0x97 && view[i + 1] != 0xB7);
}

/// Whether a character of three bytes counts as a token: letters and syllables do, marks do not.
static inline int is_token(uint32_t code) {
    if (code >= 0x3400 && code < 0xA000) return 1;
    if (code < 0x2000) return 1;
    if (code < 0x2C00) return 0;
    if (code >= 0x3000 && code < 0x3040) return code == 0x3005 || code == 0x3007;
    if (code >= 0xFE10 && code < 0xFF10) return 0;
    return code < 0xFFF0;
}

/// The end of the word that begins at `i`.
static inline size_t word_end(const uint8_t *view, size_t count, size_t i) {
    for (;;) {
#if defined(__SSE2__)
        while (i + 16 <= count) {
            __m128i b = _mm_loadu_si128((const __m128i *)(view + i));
            __m128i digit = _mm_sub_epi8(b, _mm_set1_epi8('0'));
            __m128i letter = _mm_sub_epi8(_mm_or_si128(b, _mm_set1_epi8(0x20)), _mm_set1_epi8('a'));
            __m128i is_digit = _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit);
            __m128i is_letter = _mm_cmpeq_epi8(_mm_min_epu8(letter, _mm_set1_epi8(25)), letter);
            unsigned others = 0xFFFF & ~(unsigned)_mm_movemask_epi8(_mm_or_si128(is_digit, is_letter));
            if (others) {
                i += (size_t)__builtin_ctz(others);
                break;
            }
            i += 16;
        }
#endif
        while (i < count && view[i] < 0x80 && is_ascii_word(view[i])) i += 1;
        if (i >= count || !is_letter_of_two(view, count, i)) return i;
        i += 2;
    }
}

/// `room` is how many bytes may be read from `word` on, the word's own and those behind it.
static inline uint64_t hash_word(const uint8_t *word, size_t length, size_t room) {
    uint64_t hash = length * base;
    while (length > 8) {
        uint64_t part;
        memcpy(&part, word, 8);
        hash = mix(hash ^ part);
        word += 8;
        length -= 8;
        room -= 8;
    }
    uint64_t part = 0;
    if (room >= 8) {
        memcpy(&part, word, 8);
        part &= ~0ull >> (64 - 8 * length);
    } else {
        for (size_t k = 0; k < length; k++) part |= (uint64_t)word[k] << 8 * k;
    }
    return mix(hash ^ part);
}

void onepoint_grams_begin(struct onepoint_grams_state *state, uint32_t words, uint32_t characters, uint32_t short_target) {
    memset(state, 0, sizeof *state);
    state->word_units = characters;
    state->character_units = words;
    state->target[0] = words * characters;
    state->target[1] = short_target;
    state->powers[0] = 1;
    for (int k = 1; k < ONEPOINT_GRAM_RING; k++) state->powers[k] = state->powers[k - 1] * base;
}

void onepoint_grams_restart(struct onepoint_grams_state *state) {
    state->next = 0;
    state->tokens = state->prefix = 0;
    for (int kind = 0; kind < 2; kind++) {
        state->first[kind] = 0;
        state->sum[kind] = 0;
    }
}

/// Two bits of one word of the filter for each hash.
static inline uint64_t filter_bits(uint64_t hash) { return 1ull << (hash & 63) | 1ull << (hash >> 6 & 63); }

void onepoint_grams_filter_add(uint64_t *filter, uint64_t filter_mask, uint64_t hash) {
    filter[(hash >> 12) & filter_mask] |= filter_bits(hash);
}

/// A window that waits for its word of the filter.
struct window {
    uint64_t hash, last_token;
    uint32_t tokens, kind;
};

static inline struct onepoint_gram gram(const struct onepoint_grams_state *state, struct window w) {
    return (struct onepoint_gram){
        w.hash, state->starts[(w.last_token + 1 - w.tokens) % ONEPOINT_GRAM_RING],
        state->ends[w.last_token % ONEPOINT_GRAM_RING], w.last_token, w.tokens, w.kind};
}

/// Moves those that the filter may have to `grams`.
static size_t sift(
    const struct onepoint_grams_state *state, const struct onepoint_grams_filter *filter, const struct window *batch,
    size_t count, struct onepoint_gram *grams) {
    size_t found = 0;
    for (size_t k = 0; k < count; k++) {
        uint64_t hash = batch[k].hash, bits = filter_bits(hash);
        uint32_t kind = batch[k].kind;
        if ((filter->words[kind][(hash >> 12) & filter->mask[kind]] & bits) == bits) grams[found++] = gram(state, batch[k]);
    }
    return found;
}

/// Where the window of one size begins, and what its tokens weigh.
struct slide {
    uint64_t first;
    uint32_t sum, target;
};

/// Moves the window on by the last of `tokens`, which weighs `units`: the fewest last tokens that weigh `target`. Returns how many
/// they are; 0 when all of them weigh less.
static inline __attribute__((always_inline)) uint32_t
slide(struct slide *window, const uint16_t *restrict ring, uint64_t tokens, uint32_t units) {
    uint32_t sum = window->sum + units;
    uint64_t first = window->first;
    for (;;) {
        uint32_t oldest = ring[first % ONEPOINT_GRAM_RING];
        if (sum - oldest < window->target || first + 1 >= tokens) break;
        sum -= oldest;
        first += 1;
    }
    window->sum = sum;
    window->first = first;
    return sum < window->target ? 0 : (uint32_t)(tokens - first);
}

size_t onepoint_grams_scan(
    struct onepoint_grams_state *state, const uint8_t *view, size_t count, const struct onepoint_grams_filter *filter,
    struct onepoint_gram *grams, size_t capacity) {
    // The filter of a large index is not in the cache: its words are asked for when a window is known and looked at when
    // a batch of windows is.
    struct window batch[ONEPOINT_GRAM_BATCH];
    size_t waiting = 0, found = 0, i = state->next;
    uint64_t tokens = state->tokens, prefix = state->prefix;
    // Copies, so that the compiler need not think that a window written may be one of them.
    struct slide slides[2] = {
        {state->first[0], state->sum[0], state->target[0]}, {state->first[1], state->sum[1], state->target[1]}};
    const uint32_t word_units = state->word_units, character_units = state->character_units;
    const uint64_t *powers = state->powers;
    int kinds[2] = {!filter || filter->words[0], !filter || filter->words[1]};
    while (i < count) {
        if (waiting + 2 > ONEPOINT_GRAM_BATCH) {
            found += sift(state, filter, batch, waiting, grams + found);
            waiting = 0;
        }
        if (found + waiting + 2 > capacity) break;
        uint8_t c = view[i];
        size_t start = i;
        uint64_t hash;
        uint32_t units;
        if (c < 0x80 ? is_ascii_word(c) : is_letter_of_two(view, count, i)) {
            i = word_end(view, count, i);
            hash = hash_word(view + start, i - start, count - start);
            units = word_units;
        } else if ((c & 0xF0) == 0xE0 && i + 2 < count) {
            uint32_t code = (uint32_t)(c & 15) << 12 | (uint32_t)(view[i + 1] & 63) << 6 | (view[i + 2] & 63);
            i += 3;
            if (!is_token(code)) continue;
            hash = mix(code + base);
            units = character_units;
        } else {
            i += 1;
            continue;
        }
        uint32_t slot = tokens % ONEPOINT_GRAM_RING;
        state->prefixes[slot] = prefix;
        state->starts[slot] = start;
        state->ends[slot] = i;
        state->units[slot] = (uint16_t)units;
        prefix = prefix * base + hash;
        tokens += 1;
#pragma clang loop unroll(full)
        for (uint32_t kind = 0; kind < 2; kind++) {
            if (!kinds[kind]) continue;
            uint32_t length = slide(&slides[kind], state->units, tokens, units);
            if (!length) continue;
            uint64_t hash_before = state->prefixes[(tokens - length) % ONEPOINT_GRAM_RING];
            // Kinds differ, so that a window of one size is not taken for one of the other.
            struct window window = {(prefix - hash_before * powers[length]) ^ kind, tokens - 1, length, kind};
            if (!filter) {
                grams[found++] = gram(state, window);
                continue;
            }
            batch[waiting++] = window;
            __builtin_prefetch(&filter->words[kind][(window.hash >> 12) & filter->mask[kind]]);
        }
    }
    if (waiting) found += sift(state, filter, batch, waiting, grams + found);
    for (int kind = 0; kind < 2; kind++) {
        state->first[kind] = slides[kind].first;
        state->sum[kind] = slides[kind].sum;
    }
    state->next = i;
    state->tokens = tokens;
    state->prefix = prefix;
    return found;
}
