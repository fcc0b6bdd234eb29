#ifndef ONEPOINT_QUALITY_TABLES_H
#define ONEPOINT_QUALITY_TABLES_H

#include <stdint.h>

#pragma clang assume_nonnull begin

/// What Python, datatrove and spaCy say of characters and of English words, as scripts/make-quality-tables read it.
struct onepoint_quality_tables {
    /// The class of a character is masks[blocks[index[c >> 8] << 8 | (c & 255)]]; its bits are CharacterClass.swift's.
    const uint32_t *class_masks;
    /// The same for bytes: nought from 128 on.
    const uint32_t *class_ascii;
    const uint8_t *class_index, *class_blocks;

    /// Strings that are cut into words of their own: text, where each begins, an open table of 4,096 slots with their
    /// numbers from one (and five bits of the hash above eleven), and the byte lengths of up to three words each.
    const char *exception_text;
    const uint16_t *exception_offsets, *exception_slots;
    /// By the low five bits of their first byte: a bit for the low five of the last byte of each.
    const uint32_t *exception_ends;
    const uint8_t *exception_words;

    /// Words of which some exceptions are made (1,024 slots), and the automaton over their numbers that knows those
    /// exceptions again: 2,048 slots of edges, each (state << 8 | number), where they lead, and which states are ends.
    const char *piece_text;
    const uint16_t *piece_offsets, *piece_slots;
    const uint32_t *edge_keys;
    const uint16_t *edge_states;
    const uint8_t *state_ends;

    /// Units and currencies that are cut from the number before them (512 slots).
    const char *unit_text;
    const uint16_t *unit_offsets, *unit_slots;
};

const struct onepoint_quality_tables *onepoint_quality_tables(void);

#pragma clang assume_nonnull end

#endif
