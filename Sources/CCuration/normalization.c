#include "normalization.h"

#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "normalization_table.h"

enum { dropped = 0xD800, expansion_first = 0xD801, separators_max = 4, invalid = 0xFFFFFFFF };

/// Decodes the character at `i`: its code point and its length; an invalid byte is `invalid` and one byte long.
static inline uint32_t decode(const uint8_t *text, size_t count, size_t i, size_t *length) {
    uint8_t c = text[i];
    if (c < 0x80) {
        *length = 1;
        return c;
    }
    if (c >= 0xE0 && c < 0xF0 && i + 2 < count && (text[i + 1] & 0xC0) == 0x80 && (text[i + 2] & 0xC0) == 0x80) {
        *length = 3;
        return (uint32_t)(c & 15) << 12 | (uint32_t)(text[i + 1] & 63) << 6 | (text[i + 2] & 63);
    }
    if (c >= 0xC2 && c < 0xE0 && i + 1 < count && (text[i + 1] & 0xC0) == 0x80) {
        *length = 2;
        return (uint32_t)(c & 31) << 6 | (text[i + 1] & 63);
    }
    if (c >= 0xF0 && c < 0xF5 && i + 3 < count && (text[i + 1] & 0xC0) == 0x80 && (text[i + 2] & 0xC0) == 0x80
        && (text[i + 3] & 0xC0) == 0x80) {
        *length = 4;
        return (uint32_t)(c & 7) << 18 | (uint32_t)(text[i + 1] & 63) << 12 | (uint32_t)(text[i + 2] & 63) << 6
            | (text[i + 3] & 63);
    }
    *length = 1;
    return invalid;
}

/// The place of a code point in the table; 0 (NUL, which is not mapped) for those that have none.
static inline uint32_t place(uint32_t code) {
    if (code < 0x10000) return code;
    if (code - 0x1D400 < 1024) return 65536 + (code - 0x1D400);
    if (code - 0x1F100 < 256) return 65536 + 1024 + (code - 0x1F100);
    return 0;
}

/// Tags and variation selectors of plane 14.
static inline int is_tag(uint32_t code) { return code >= 0xE0000 && code <= 0xE01EF; }

static inline int is_han(uint32_t code) { return code >= 0x3400 && code <= 0x9FFF; }

void onepoint_normalization_fill(struct onepoint_normalization *table) {
    for (size_t k = 0; k < sizeof normalization_runs / sizeof normalization_runs[0]; k++) {
        const uint32_t *run = normalization_runs[k];
        for (uint32_t n = 0; n < run[2]; n++)
            table->map[place(run[0] + n * run[3])] = (uint16_t)(run[1] + n * run[3]);
    }
    for (size_t k = 0; k < sizeof normalization_dropped / sizeof normalization_dropped[0]; k++)
        for (uint32_t n = 0; n < normalization_dropped[k][1]; n++)
            table->map[place(normalization_dropped[k][0] + n)] = dropped;
    const uint8_t *list = (const uint8_t *)normalization_characters;
    size_t count = sizeof normalization_characters - 1, length = 0;
    for (size_t i = 0; i < count;) {
        uint32_t from = decode(list, count, i, &length);
        i += length;
        uint32_t to = decode(list, count, i, &length);
        i += length;
        table->map[place(from)] = (uint16_t)to;
    }
    list = (const uint8_t *)normalization_expansions;
    count = sizeof normalization_expansions - 1;
    uint32_t index = 0;
    for (size_t i = 0; i < count && index < ONEPOINT_NORMALIZATION_EXPANSIONS;) {
        uint32_t from = decode(list, count, i, &length);
        i += length;
        size_t start = i;
        while (list[i] != '\n') i += 1;
        table->map[place(from)] = (uint16_t)(expansion_first + index);
        table->expansion_start[index] = (uint16_t)start;
        table->expansion_length[index] = (uint8_t)(i - start);
        index += 1;
        i += 1;
    }
    for (uint32_t c = 'A'; c <= 'Z'; c++) table->map[c] = (uint16_t)(c + 32);
}

static inline size_t encode(uint32_t code, uint8_t *out) {
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (uint8_t)(0xC0 | code >> 6);
        out[1] = (uint8_t)(0x80 | (code & 63));
        return 2;
    }
    out[0] = (uint8_t)(0xE0 | code >> 12);
    out[1] = (uint8_t)(0x80 | (code >> 6 & 63));
    out[2] = (uint8_t)(0x80 | (code & 63));
    return 3;
}

/// Characters that are put between Han characters to hide a word; punctuation that ends a clause is not among them.
static inline int is_separator(uint32_t code) {
    if (code < 0x80) {
        static const uint64_t bits[2] = {
            // tab, space, " # $ % & ' * + - . / < = >
            1ull << 9 | 1ull << 32 | 1ull << 34 | 1ull << 35 | 1ull << 36 | 1ull << 37 | 1ull << 38 | 1ull << 39 | 1ull << 42
                | 1ull << 43 | 1ull << 45 | 1ull << 46 | 1ull << 47 | 1ull << 60 | 1ull << 61 | 1ull << 62,
            // @ [ \ ] ^ _ ` { | } ~
            1ull << 0 | 1ull << 27 | 1ull << 28 | 1ull << 29 | 1ull << 30 | 1ull << 31 | 1ull << 32 | 1ull << 59 | 1ull << 60
                | 1ull << 61 | 1ull << 62,
        };
        return bits[code >> 6] >> (code & 63) & 1;
    }
    switch (code) {
    case 0xB7: case 0x2022: case 0x2027: case 0x203B: case 0x2219: case 0x30FB: case 0x25A0: case 0x25A1: case 0x25C6:
    case 0x25C7: case 0x25CB: case 0x25CF: case 0x2605: case 0x2606: case 0x2500: case 0x2014: case 0x2013:
        return 1;
    default: return 0;
    }
}

/// The end of the separators at `i` when a Han character follows them, else 0.
static size_t separators_end(const struct onepoint_normalization *table, const uint8_t *text, size_t count, size_t i) {
    int seen = 0;
    for (int steps = 0; i < count && steps < 2 * separators_max; steps++) {
        size_t length;
        uint32_t code = decode(text, count, i, &length);
        uint32_t mapped = code == invalid ? 0 : table->map[place(code)];
        if (mapped == dropped || is_tag(code)) {
            i += length;
            continue;
        }
        if (is_han(mapped ? mapped : code)) return seen ? i : 0;
        if (!is_separator(mapped ? mapped : code) || ++seen > separators_max) return 0;
        i += length;
    }
    return 0;
}

int onepoint_normalize(
    const struct onepoint_normalization *table, const uint8_t *text, size_t count, uint8_t *view, size_t view_capacity,
    struct onepoint_segment *segments, size_t segment_capacity, struct onepoint_normalization_state *state) {
    size_t i = state->consumed, v = state->produced, s = state->segments;
    int after_han = state->after_han, is_broken = state->is_broken || (i == 0 && s == 0);
    int done = 1;
    while (i < count) {
        if (v + 32 > view_capacity || s + 2 > segment_capacity) {
            done = 0;
            break;
        }
        uint8_t c = text[i];
        if (c < 0x80) {
            if (after_han && is_separator(c)) {
                size_t end = separators_end(table, text, count, i);
                if (end) {
                    i = end;
                    is_broken = 1;
                    continue;
                }
            }
            if (is_broken) {
                segments[s++] = (struct onepoint_segment){v, i, 0};
                is_broken = 0;
            }
            after_han = 0;
#if defined(__SSE2__)
            int moved = 0;
            while (i + 16 <= count && v + 32 <= view_capacity) {
                __m128i b = _mm_loadu_si128((const __m128i *)(text + i));
                int high = _mm_movemask_epi8(b);
                __m128i d = _mm_sub_epi8(b, _mm_set1_epi8('A'));
                __m128i is_capital = _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(25)), d);
                _mm_storeu_si128((__m128i *)(view + v), _mm_or_si128(b, _mm_and_si128(is_capital, _mm_set1_epi8(0x20))));
                int n = high ? __builtin_ctz((unsigned)high) : 16;
                i += (size_t)n;
                v += (size_t)n;
                moved = 1;
                if (n < 16) break;
            }
            if (moved) continue;
#endif
            view[v++] = (uint8_t)(c - 'A') < 26 ? c | 0x20 : c;
            i += 1;
            continue;
        }
        // Runs of Han characters, most of which are themselves or one other of three bytes: no segment ends in them.
        if (c >= 0xE3 && c < 0xEA && !is_broken) {
            size_t from = i;
            while (i + 4 <= count && v + 32 <= view_capacity && (text[i + 1] & 0xC0) == 0x80 && (text[i + 2] & 0xC0) == 0x80) {
                uint32_t code = (uint32_t)(text[i] & 15) << 12 | (uint32_t)(text[i + 1] & 63) << 6 | (text[i + 2] & 63);
                if ((text[i] & 0xF0) != 0xE0 || !is_han(code)) break;
                uint32_t mapped = table->map[code];
                if (mapped) {
                    if (!is_han(mapped)) break;
                    encode(mapped, view + v);
                } else {
                    memcpy(view + v, text + i, 4);
                }
                v += 3;
                i += 3;
            }
            if (i > from) {
                after_han = 1;
                continue;
            }
        }
        size_t length;
        uint32_t code = decode(text, count, i, &length);
        uint32_t mapped = code == invalid ? 0 : table->map[place(code)];
        if (mapped == dropped || is_tag(code)) {
            i += length;
            is_broken = 1;
            continue;
        }
        if (after_han && !is_han(code) && is_separator(mapped ? mapped : code)) {
            size_t end = separators_end(table, text, count, i);
            if (end) {
                i = end;
                is_broken = 1;
                continue;
            }
        }
        uint8_t bytes[4];
        const uint8_t *from = text + i;
        size_t size = length;
        if (mapped >= expansion_first && mapped < 0xE000) {
            uint32_t index = mapped - expansion_first;
            from = (const uint8_t *)normalization_expansions + table->expansion_start[index];
            size = table->expansion_length[index];
            after_han = 0;
        } else if (mapped) {
            from = bytes;
            size = encode(mapped, bytes);
            after_han = is_han(mapped);
        } else {
            after_han = is_han(code);
        }
        if (size != length) {
            segments[s++] = (struct onepoint_segment){v, i, i + length};
            is_broken = 1;
        } else if (is_broken) {
            segments[s++] = (struct onepoint_segment){v, i, 0};
            is_broken = 0;
        }
        for (size_t k = 0; k < size; k++) view[v + k] = from[k];
        v += size;
        i += length;
    }
    state->consumed = i;
    state->produced = v;
    state->segments = s;
    state->after_han = (uint8_t)after_han;
    state->is_broken = (uint8_t)is_broken;
    return done;
}
