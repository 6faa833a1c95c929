"""Scores pairs with llama.cpp; run by the Python of ``make bench-tools``, so it imports nothing of ours.

Its only argument is JSON: gguf, num_context, num_threads, score_tokens (ten digits and the end). Each line
on stdin is a list of [prefix, suffix] token ids, those of one job one after the other; each gives one line
``{"scores": ["85", ...]}`` on stdout.
"""

import json
import sys

import llama_cpp
import numpy as np

MOST_DIGITS = 2


def main() -> None:
    settings = json.loads(sys.argv[1])
    model = llama_cpp.Llama(
        model_path=settings["gguf"],
        n_ctx=settings["num_context"],
        n_batch=settings["num_context"],
        n_ubatch=512,  # llama.cpp's own default: what its products are tuned for
        n_threads=settings["num_threads"],
        n_threads_batch=settings["num_threads"],
        # Without it, sliding layers forget the job's beginning and its state cannot be gone back to.
        swa_full=True,
        verbose=False,
    )
    print(json.dumps({"version": llama_cpp.__version__}), flush=True)
    for line in sys.stdin:
        scores = score_pairs(model, json.loads(line), settings["score_tokens"])
        print(json.dumps({"scores": scores}), flush=True)


def score_pairs(model: llama_cpp.Llama, pairs: list[list[list[int]]], score_tokens: list[int]) -> list[str]:
    """Returns the likeliest score of each pair as digits."""
    kept: list[int] = []
    scores = []
    for prefix, suffix in pairs:
        if prefix != kept:
            model.reset()
            model.eval(prefix)
            kept = prefix
        # What lies behind the job is overwritten: eval drops the states from here on.
        model.n_tokens = len(prefix)
        model.eval(suffix)
        scores.append(decode_score(model, score_tokens))
    return scores


def decode_score(model: llama_cpp.Llama, score_tokens: list[int]) -> str:
    """Decodes up to two digits, the likeliest ones."""
    digits = score_tokens[:-1]
    found = [best_of(model, digits)]
    while len(found) < MOST_DIGITS:
        model.eval([digits[found[-1]]])
        best = best_of(model, score_tokens)
        if best == len(digits):
            break
        found.append(best)
    return "".join(map(str, found))


def best_of(model: llama_cpp.Llama, tokens: list[int]) -> int:
    """Returns the index of the likeliest of some tokens behind what was evaluated last."""
    logits = np.ctypeslib.as_array(model._ctx.get_logits_ith(-1), shape=(model.n_vocab(),))
    return int(np.argmax(logits[tokens]))


if __name__ == "__main__":
    main()
