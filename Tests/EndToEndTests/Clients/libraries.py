"""What transformers and datasets do, done against one point: python3 libraries.py PROJECT

The environment has HF_ENDPOINT, HF_TOKEN and HF_HOME.
"""

import sys

import datasets
import transformers
from huggingface_hub import HfApi
from tokenizers import Tokenizer, models, pre_tokenizers

project = sys.argv[1]
model, data = f"{project}/tiny-bert", f"{project}/tiny-data"


def step(what):
    print("ok", what, flush=True)


config = transformers.BertConfig(
    vocab_size=8, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8
)
words = Tokenizer(models.WordLevel({"[UNK]": 0, "hello": 1, "world": 2}, unk_token="[UNK]"))
words.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]")
config.push_to_hub(model, private=True)
tokenizer.push_to_hub(model, private=True)
step("push_to_hub")

assert transformers.AutoConfig.from_pretrained(model).hidden_size == 8
assert transformers.AutoTokenizer.from_pretrained(model)("hello world")["input_ids"] == [1, 2]
step("from_pretrained")

try:
    import torch
except ImportError:
    print("skipped the weights of a model: torch is not here", flush=True)
else:
    weights = transformers.BertModel(config)
    weights.push_to_hub(model, private=True)
    again = transformers.AutoModel.from_pretrained(model)
    assert all(torch.equal(a, b) for a, b in zip(weights.parameters(), again.parameters()))
    assert HfApi().model_info(model).safetensors.total == sum(p.numel() for p in weights.parameters())
    step("the weights of a model")

table = datasets.Dataset.from_dict({"text": [f"line {number}" for number in range(1000)], "label": [0, 1] * 500})
table.push_to_hub(data, private=True)
assert datasets.load_dataset(data)["train"][999] == {"text": "line 999", "label": 1}
stream = datasets.load_dataset(data, split="train", streaming=True)
assert next(iter(stream))["text"] == "line 0"
step("push_to_hub and load_dataset")

HfApi().create_repo(data + "-csv", repo_type="dataset", private=True)
HfApi().upload_file(
    repo_id=data + "-csv", repo_type="dataset", path_or_fileobj=b"a,b\n1,2\n3,4\n", path_in_repo="train.csv"
)
assert datasets.load_dataset(data + "-csv")["train"]["b"][:] == [2, 4]
step("load_dataset of a file")
print("all", transformers.__version__, datasets.__version__)
