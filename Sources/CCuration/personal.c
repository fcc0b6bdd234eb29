#include "personal.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { run_limit = 64, cluster_limit = 4096 };

static inline int is_digit(uint8_t c) { return (uint8_t)(c - '0') < 10; }
static inline int is_letter(uint8_t c) { return (uint8_t)((c | 0x20) - 'a') < 26; }
static inline int is_hex(uint8_t c) { return is_digit(c) || (uint8_t)((c | 0x20) - 'a') < 6; }

/// The bytes of the digit at `i`: 1 in ASCII, 3 in full width, 0 when there is none.
static inline size_t digit_width(const uint8_t *text, size_t count, size_t i) {
    if (i >= count) return 0;
    if (is_digit(text[i])) return 1;
    return text[i] == 0xEF && i + 2 < count && text[i + 1] == 0xBC && (uint8_t)(text[i + 2] - 0x90) < 10 ? 3 : 0;
}

/// The bytes of the letter or digit at `i`, 1 in ASCII and 3 in full width, and what it is in ASCII; 0 when there is none.
static inline size_t word_width(const uint8_t *text, size_t count, size_t i, uint8_t *ascii) {
    uint8_t c = text[i];
    *ascii = c;
    if (is_digit(c) || is_letter(c)) return 1;
    if (c != 0xEF || i + 2 >= count) return 0;
    uint8_t last = text[i + 2];
    if (text[i + 1] == 0xBC && (uint8_t)(last - 0x90) < 10) *ascii = (uint8_t)(last - 0x90 + '0');
    else if (text[i + 1] == 0xBC && (uint8_t)(last - 0xA1) < 26) *ascii = (uint8_t)(last - 0xA1 + 'A');
    else if (text[i + 1] == 0xBD && (uint8_t)(last - 0x81) < 26) *ascii = (uint8_t)(last - 0x81 + 'a');
    else return 0;
    return 3;
}

/// The bytes of a mark at `i` that may join two groups of one number, and what it is in ASCII; 0 when there is none.
static inline size_t mark_width(const uint8_t *text, size_t count, size_t i, uint8_t *ascii) {
    uint8_t c = text[i];
    *ascii = c;
    if (c < 0x80) return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
    *ascii = '-';
    if (c == 0xEF && i + 2 < count && text[i + 1] == 0xBC) {
        if (text[i + 2] == 0x8D) return 3;  // full-width hyphen
        *ascii = text[i + 2] == 0x88 ? '(' : ')';
        return text[i + 2] == 0x88 || text[i + 2] == 0x89 ? 3 : 0;
    }
    if (c == 0xE2 && i + 2 < count && text[i + 1] == 0x80) return text[i + 2] >= 0x90 && text[i + 2] <= 0x93 ? 3 : 0;
    *ascii = ' ';
    if (c == 0xC2 && i + 1 < count && text[i + 1] == 0xA0) return 2;
    return c == 0xE3 && i + 2 < count && text[i + 1] == 0x80 && text[i + 2] == 0x80 ? 3 : 0;
}

/// The bytes of what joins two groups at `i`: a mark, or brackets and perhaps a mark beside one.
static inline size_t separator_width(const uint8_t *text, size_t count, size_t i, size_t *dots) {
    size_t j = i;
    for (int marks = 0; j < count && marks < 3; marks++) {
        uint8_t mark;
        size_t width = mark_width(text, count, j, &mark);
        if (!width) break;
        j += width;
        if (mark == '.') *dots += 1;
        if (mark == '(' || mark == ')') continue;
        if (j >= count || !(width = mark_width(text, count, j, &mark)) || (mark != '(' && mark != ')')) break;
    }
    return j - i;
}

/// Whether the character at `i` counts doors: 号 弄 室 栋 幢 座.
static inline int is_door(const uint8_t *text, size_t count, size_t i) {
    if (i + 2 >= count || text[i] != 0xE5 && text[i] != 0xE6) return 0;
    uint32_t c = (uint32_t)text[i] << 16 | (uint32_t)text[i + 1] << 8 | text[i + 2];
    return c == 0xE58FB7 || c == 0xE5BC84 || c == 0xE5AEA4 || c == 0xE6A08B || c == 0xE5B9A2 || c == 0xE5BAA7;
}

/// Whether a colon at `i` can be one of an IPv6 address: hexadecimal digits or a colon on both sides, and another colon near.
static inline int is_address_colon(const uint8_t *text, size_t count, size_t i) {
    if (i == 0 || i + 1 >= count || !is_hex(text[i - 1])) return 0;
    if (text[i + 1] == ':') return 1;
    for (size_t j = i + 1; j < count && j <= i + 5; j++) {
        if (text[j] == ':') return j > i + 1;
        if (!is_hex(text[j])) return 0;
    }
    return 0;
}

size_t onepoint_personal_scan(
    const uint8_t *text, size_t count, size_t from, const uint8_t *flags,
    struct onepoint_personal_event *events, size_t capacity, size_t *next) {
    size_t found = 0, i = from;
    // One number may write two events.
    while (i < count && found + 2 <= capacity) {
        uint8_t c = text[i];
        if (c < 0x80) {
#if defined(__SSE2__)
            while (i + 16 <= count) {
                __m128i b = _mm_loadu_si128((const __m128i *)(text + i));
                // The colon follows the digits in ASCII: `0` to `:` is one range of eleven.
                __m128i d = _mm_sub_epi8(b, _mm_set1_epi8('0'));
                __m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8(10)), d);
                __m128i at = _mm_cmpeq_epi8(b, _mm_set1_epi8('@'));
                int hits = _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(digits, at), b));
                if (hits) {
                    i += (size_t)__builtin_ctz((unsigned)hits);
                    break;
                }
                i += 16;
            }
            if (i >= count) break;
            c = text[i];
#endif
            if (c >= 0x80) continue;
            if (c == '@') {
                events[found++] = (struct onepoint_personal_event){i, i + 1, ONEPOINT_PERSONAL_AT};
                i += 1;
                continue;
            }
            if (c == ':') {
                if (is_address_colon(text, count, i))
                    events[found++] = (struct onepoint_personal_event){i, i + 1, ONEPOINT_PERSONAL_COLON};
                i += 1;
                continue;
            }
            if (!is_digit(c)) {
                i += 1;
                continue;
            }
        } else if (c >= 0xE0 && c < 0xF0) {
            if (i + 2 >= count) {
                i += 1;
                continue;
            }
            uint32_t code = (uint32_t)(c & 15) << 12 | (uint32_t)(text[i + 1] & 63) << 6 | (text[i + 2] & 63);
            uint8_t flag = flags[code];
            if (flag & ONEPOINT_PERSONAL_CUE
                || (flag & ONEPOINT_PERSONAL_PLATE && i + 3 < count && (uint8_t)(text[i + 3] - 'A') < 26))
                events[found++] = (struct onepoint_personal_event){i, i + 3, ONEPOINT_PERSONAL_CHARACTER};
            if (c == 0xEF) {
                if (code == 0xFF20) events[found++] = (struct onepoint_personal_event){i, i + 3, ONEPOINT_PERSONAL_AT};
                if (code < 0xFF10 || code > 0xFF19) {
                    i += 3;
                    continue;
                }
            } else {
                i += 3;
                continue;
            }
        } else {
            i += 1;
            continue;
        }

        // A digit: the cluster that it begins, with the letters before it.
        size_t start = i, floor = i > from + run_limit ? i - run_limit : from;
        while (start > floor && is_letter(text[start - 1])) start -= 1;
        size_t j = start, end = start, digits = 0, dots = 0, run_start = start, last_digits = i;
        int iban = 0;
        for (;;) {
            size_t run = 0, width, group_digits = j;
            run_start = j;
            while (j < count) {
                uint8_t ascii;
                if (!(width = word_width(text, count, j, &ascii))) break;
                if (is_digit(ascii)) digits += 1;
                j += width;
                run += 1;
            }
            if (run_start == start && run == 4 && !is_digit(text[start]) && is_letter(text[start + 1])
                && digits == 2 && j < count && text[j] == ' ') {
                iban = 1;
            }
            last_digits = group_digits;
            if (run > run_limit) {
                // Too long for any of ours: whoever looks beyond the cluster's end still sees that something follows.
                if (run_start == start) end = start;
                break;
            }
            end = j;
            if (j - start > cluster_limit) break;
            size_t points = 0, gap = separator_width(text, count, j, &points);
            if (!gap || !digit_width(text, count, j + gap)) break;
            dots += points;
            j += gap;
        }
        if (end > start) {
            if (is_door(text, count, end))
                events[found++] = (struct onepoint_personal_event){last_digits, end, ONEPOINT_PERSONAL_DOOR};
            if (digits >= 5 || dots >= 3 || iban)
                events[found++] = (struct onepoint_personal_event){start, end, ONEPOINT_PERSONAL_NUMBER};
        }
        i = j > i ? j : i + 1;
    }
    *next = i;
    return found;
}

size_t onepoint_personal_cut(
    const uint8_t *text, size_t start, size_t end, uint8_t *characters, uint16_t *offsets,
    struct onepoint_personal_group *groups, size_t *length) {
    size_t count = 0, found = 0, i = start;
    uint8_t separator = 0;
    struct onepoint_personal_group *group = 0;
    while (i < end && count < ONEPOINT_PERSONAL_CLUSTER_MAX) {
        uint8_t c;
        offsets[count] = (uint16_t)(i - start);
        size_t width = word_width(text, end, i, &c);
        if (!width) width = mark_width(text, end, i, &c);
        i += width ? width : 1;
        characters[count] = c;
        int letter = is_letter(c);
        if (letter || is_digit(c)) {
            if (!group) {
                group = &groups[found++];
                *group = (struct onepoint_personal_group){(uint16_t)count, 0, separator, 0};
                separator = 0;
            }
            group->has_letters |= (uint8_t)letter;
            group->end = (uint16_t)(count + 1);
        } else {
            group = 0;
            separator = c == '(' || c == ')' || separator == ')' ? ')' : c;
        }
        count += 1;
    }
    offsets[count] = (uint16_t)(i - start);
    *length = count;
    return found;
}

static inline uint8_t small(uint8_t c) { return (uint8_t)(c - 'A') < 26 ? c | 0x20 : c; }

static inline uint8_t beginning(const uint8_t *bytes) { return (uint8_t)(bytes[0] + bytes[1] * 5 + bytes[2] * 11); }

struct onepoint_personal_cues onepoint_personal_cues_make(const uint8_t *words, size_t count) {
    struct onepoint_personal_cues cues = {words, count, {0, 0}, {0, 0, 0, 0}};
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && words[i - 1] != ' ') continue;
        if (words[i] < 0x80) {
            cues.latin[words[i] >> 6] |= 1ull << (words[i] & 63);
        } else if (i + 2 < count) {
            uint8_t hash = beginning(words + i);
            cues.han[hash >> 6] |= 1ull << (hash & 63);
        }
    }
    return cues;
}

size_t onepoint_personal_cue(
    const struct onepoint_personal_cues *cues, const uint8_t *text, size_t count, size_t low, size_t high) {
    const uint8_t *words = cues->words;
    for (size_t at = high; at-- > low;) {
        uint8_t c = small(text[at]);
        if (c < 0x80) {
            if (!(cues->latin[c >> 6] >> (c & 63) & 1) || (at > 0 && is_letter(text[at - 1]))) continue;
        } else {
            if (c < 0xE0 || at + 3 > high) continue;
            uint8_t hash = beginning(text + at);
            if (!(cues->han[hash >> 6] >> (hash & 63) & 1)) continue;
        }
        for (size_t start = 0; start < cues->count;) {
            size_t k = 0;
            while (start + k < cues->count && words[start + k] != ' ' && at + k < high
                   && words[start + k] == small(text[at + k]))
                k += 1;
            if (start + k == cues->count || words[start + k] == ' ') {
                if (c >= 0x80 || at + k >= count || !is_letter(text[at + k])) return at + k;
            }
            while (start + k < cues->count && words[start + k] != ' ') k += 1;
            start += k + 1;
        }
    }
    return 0;
}
