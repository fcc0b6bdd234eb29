"""A trained byte-transformer as its training writes it."""

import numpy as np
from contract import BadInput, files_under, read_json
from transformer import Shape, Transformer

FORMAT = "onepoint-byte-transformer/1"


def load(folder):
    """The computation and its flat parameters, from the folder of the output `model`."""
    descriptions = files_under(folder, "model.json")
    if not descriptions:
        raise BadInput("the input 'model' has no model.json; give the output 'model' of byte-transformer")
    description = read_json(descriptions[0])
    if not isinstance(description, dict) or description.get("format") != FORMAT:
        raise BadInput(f"the input 'model' is not of the format {FORMAT}")
    try:
        shape = Shape(**description["shape"])
        with np.load(descriptions[0].with_name("model.npz")) as kept:
            flat = kept["parameters"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"the input 'model' cannot be read: {error}") from None
    if flat.shape != (shape.parameter_count,):
        raise BadInput(f"the model has {flat.size} parameters where its sizes ask for {shape.parameter_count}")
    return Transformer(shape), flat
