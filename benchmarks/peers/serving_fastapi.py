"""FastAPI server with ONNX Runtime, as people write it: embeddings in OpenAI's form with a key.

    python serving_fastapi.py MODEL.onnx TOKENIZER.json KEY PORT PROCESSES

It runs in an environment of its own, without linnet and without PyTorch.
"""

from __future__ import annotations

import base64
import hmac
import os
import sys
from typing import Any

import numpy as np
import onnxruntime
import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException
from pydantic import BaseModel
from tokenizers import Tokenizer


class Request(BaseModel):
    """Body of a request."""

    model: str
    input: str | list[str]
    encoding_format: str = "float"


def make_app() -> FastAPI:
    """Return the application of one process."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    path, tokenizer_path, key = os.environ["PEER_MODEL"], os.environ["PEER_TOKENIZER"], os.environ["PEER_KEY"]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    tokenizer = Tokenizer.from_file(tokenizer_path)
    tokenizer.no_padding()
    names = [each.name for each in session.get_inputs()]
    app = FastAPI()

    def admit(authorization: str = Header(default="")) -> None:
        if not hmac.compare_digest(authorization.encode(), f"Bearer {key}".encode()):
            raise HTTPException(status_code=401)

    @app.post("/v1/embeddings", dependencies=[Depends(admit)])
    def embeddings(request: Request) -> dict[str, Any]:
        texts = [request.input] if isinstance(request.input, str) else request.input
        data, tokens = [], 0
        for index, text in enumerate(texts):
            encoding = tokenizer.encode(text)
            tokens += len(encoding.ids)
            arrays = {"input_ids": encoding.ids, "token_type_ids": encoding.type_ids,
                      "attention_mask": encoding.attention_mask}  # fmt: skip
            vector = session.run(None, {name: np.array([arrays[name]], dtype=np.int64) for name in names})[0].reshape(
                -1
            )
            vector = (vector / np.linalg.norm(vector)).astype("<f4")
            shown = base64.b64encode(vector.tobytes()).decode()
            data.append({"object": "embedding", "index": index, "embedding": shown})
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        return {"object": "list", "model": request.model, "data": data, "usage": usage}

    return app


if __name__ == "__main__":
    os.environ["PEER_MODEL"], os.environ["PEER_TOKENIZER"], os.environ["PEER_KEY"] = sys.argv[1:4]
    os.environ["PYTHONPATH"] = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH120, PTH100
    sys.path.insert(0, os.environ["PYTHONPATH"])
    uvicorn.run(
        "serving_fastapi:make_app", factory=True, port=int(sys.argv[4]), workers=int(sys.argv[5]), access_log=False
    )
