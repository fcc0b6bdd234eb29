#include "quality_bytes.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

static inline int is_stop(const uint8_t *text) {
    const uint8_t next = text[1] | 0x20;
    switch (text[0]) {
    case '#': return 1;
    case '.': return text[1] == '.';
    case 'j': case 'J': case 'v': case 'V': return next == 'a';
    case 'm': case 'M': return next == 's' || text[1] == ' ';
    case 'k': case 'K': return next == 'i';
    case 0xE2: return text[1] == 0x84 || (text[1] == 0x80 && text[2] == 0xA6);
    default: return 0;
    }
}

size_t onepoint_quality_mark(const uint8_t *text, size_t from, size_t count) {
    size_t at = from;
#if defined(__SSE2__)
#define IS(BYTES, VALUE) _mm_cmpeq_epi8(BYTES, _mm_set1_epi8((char)(VALUE)))
#define BOTH(A, B) _mm_and_si128(A, B)
#define EITHER(A, B) _mm_or_si128(A, B)
    for (; at + 16 <= count; at += 16) {
        const __m128i small = _mm_set1_epi8(0x20);
        const __m128i raw = _mm_loadu_si128((const __m128i *)(text + at));
        const __m128i raw_next = _mm_loadu_si128((const __m128i *)(text + at + 1));
        const __m128i raw_third = _mm_loadu_si128((const __m128i *)(text + at + 2));
        const __m128i here = _mm_or_si128(raw, small), next = _mm_or_si128(raw_next, small);
        __m128i stops = EITHER(IS(raw, '#'), BOTH(IS(raw, '.'), IS(raw_next, '.')));
        stops = EITHER(stops, BOTH(EITHER(IS(here, 'j'), IS(here, 'v')), IS(next, 'a')));
        stops = EITHER(stops, BOTH(IS(here, 'm'), EITHER(IS(next, 's'), IS(raw_next, ' '))));
        stops = EITHER(stops, BOTH(IS(here, 'k'), IS(next, 'i')));
        const __m128i dots = BOTH(IS(raw_next, 0x80), IS(raw_third, 0xA6));
        stops = EITHER(stops, BOTH(IS(raw, 0xE2), EITHER(IS(raw_next, 0x84), dots)));
        const unsigned mask = (unsigned)_mm_movemask_epi8(stops);
        if (mask) return at + (unsigned)__builtin_ctz(mask);
    }
#endif
    while (at < count && !is_stop(text + at)) at++;
    return at;
}
