#include "linear.h"

// `#embed` is of C23; Clang has it in every mode and would only remark on its use.
#pragma clang diagnostic ignored "-Wc23-extensions"

static const uint8_t model[] = {
#embed "language.model"
};

const uint8_t *onepoint_language_model(size_t *count) {
    *count = sizeof model;
    return model;
}
