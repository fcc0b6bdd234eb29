#ifndef ONEPOINT_PERSONAL_H
#define ONEPOINT_PERSONAL_H

#include <stddef.h>
#include <stdint.h>

/// What the first pass found; `onepoint_personal_scan` says what `start` and `end` are of.
enum {
    ONEPOINT_PERSONAL_NUMBER = 0,
    ONEPOINT_PERSONAL_AT = 1,
    ONEPOINT_PERSONAL_COLON = 2,
    ONEPOINT_PERSONAL_CHARACTER = 3,
    ONEPOINT_PERSONAL_DOOR = 4,
};

/// The two bits of `flags` that the first pass looks at.
enum { ONEPOINT_PERSONAL_CUE = 0x40, ONEPOINT_PERSONAL_PLATE = 0x80 };

struct onepoint_personal_event {
    size_t start, end;
    uint32_t kind;
};

/// Finds the places of `text[from..<count]` that personal data can be at, in order, in linear time.
///
/// - NUMBER: a cluster of letters-and-digits runs joined by single separators (` -./()`, both widths of digits) that has
///   five digits or more, or three dots, or begins like an IBAN. At most 4,096 bytes and one run; runs of more than
///   64 characters are left out.
/// - DOOR: a run of digits, `start ..< end`, that 号, 弄, 室, 栋, 幢 or 座 follows (a NUMBER may follow for the same digits).
/// - AT: `@` or `＠`. COLON: one that an IPv6 address may have. CHARACTER: one whose byte of `flags` has the
///   bit CUE, or has the bit PLATE and is followed by a capital letter.
///
/// `flags` has 65,536 bytes, by code point. Returns the number of events written and sets `*next` to where to go on
/// (`count` at the end). `text` may be any bytes.
size_t onepoint_personal_scan(
    const uint8_t *text, size_t count, size_t from, const uint8_t *flags,
    struct onepoint_personal_event *events, size_t capacity, size_t *next);

/// Bytes that a NUMBER has at most.
enum { ONEPOINT_PERSONAL_CLUSTER_MAX = 4608 };

/// A run of letters and digits of a NUMBER, by the index of its characters; `separator` is the last before it, `)` when one of
/// them is a bracket, 0 when there is none.
struct onepoint_personal_group {
    uint16_t start, end;
    uint8_t separator, has_letters;
};

/// Writes the characters of `text[start..<end]`, a NUMBER, to `characters` in ASCII, where each begins and where the last
/// ends, counted from `start`, to `offsets`, and its groups to `groups`; both have room for ONEPOINT_PERSONAL_CLUSTER_MAX + 1.
///
/// Returns the number of groups, and of characters in `*length`.
size_t onepoint_personal_cut(
    const uint8_t *text, size_t start, size_t end, uint8_t *characters, uint16_t *offsets,
    struct onepoint_personal_group *groups, size_t *length);

/// A list of words (separated by single spaces, ASCII letters small), and which beginnings they have: the first byte of those
/// in Latin letters, a hash of the first three bytes of the others. `words` must outlive it.
struct onepoint_personal_cues {
    const uint8_t *words;
    size_t count;
    uint64_t latin[2], han[4];
};

struct onepoint_personal_cues onepoint_personal_cues_make(const uint8_t *words, size_t count);

/// Where the last of the words that stands in `text[low..<high]` ends; 0 when none does. ASCII capitals of the text count as
/// small letters; a Latin word counts only when no ASCII letter is beside it.
size_t onepoint_personal_cue(
    const struct onepoint_personal_cues *cues, const uint8_t *text, size_t count, size_t low, size_t high);

#endif
