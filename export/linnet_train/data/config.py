"""Settings of the training data: files and columns."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from linnet.errors import InvalidArgumentError
from linnet_bench.accuracy.delimited import DelimitedFormat, delimiter_character
from linnet_train.fields import Bounds, setting, value_problems

__all__ = ["DataConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Files of the rows, and their columns.

    Attributes:
        train: .jsonl, .json, .csv or .tsv; anything else is CoNLL.
        validation: rows that are never trained on: early stopping and calibration look at them.
        validation_split: without `validation`, the share of each class that is held out instead.
        text_column: None: found by its usual name; so are the next two.
        pair_column: column of the second text.
        label_column: column of the label, the tags, the answers or the score.
        no_header: the first row of a CSV is data; False: found out.
        delimiter: what separates the fields of a CSV, one character or `tab`; None: found out.
        out_of_scope: the label of requests that belong to no class; None: `oos`, if it occurs.
        label_all_tokens: token-classification trains every token of a word and not only the first; then
            `aggregation_strategy="simple"` joins whole words. The name is that of transformers' `run_ner.py`.
    """

    train: Path = setting("rows to train on: .jsonl, .json, .csv, .tsv; CoNLL", "--data", metavar="FILE")
    validation: Path | None = setting(
        "rows to measure on, never to train on", metavar="FILE", replaces=("--validation-split",), default=None
    )
    validation_split: float = setting(
        "share of each class to hold out without --validation (default {default})", metavar="SHARE", default=0.1,
        bounds=Bounds("a share above 0 and below 0.9", lambda share: 0 < share < 0.9),
    )  # fmt: skip
    text_column: str | None = setting("name or number of the column with the text", metavar="NAME", default=None)
    pair_column: str | None = setting("name or number of the column with the second text", metavar="NAME", default=None)
    label_column: str | None = setting("name or number of the column with the label", metavar="NAME", default=None)
    no_header: bool = setting("read the first row of a CSV as data, not as names of columns", default=False)
    delimiter: str | None = setting(
        "character between the fields of a CSV, or tab (default: detected)", metavar="CHARACTER", default=None
    )
    out_of_scope: str | None = setting(
        "label of texts that belong to no class (default: oos, if it occurs)", metavar="LABEL", of_some_tasks=True,
        default=None,
    )  # fmt: skip
    label_all_tokens: bool = setting(
        "train all tokens of a word, not only its first (token-classification)", of_some_tasks=True, default=False
    )

    def problems(self) -> list[str]:
        """Return a sentence for each invalid setting."""
        found = value_problems(self)
        if self.delimiter is not None:
            try:
                delimiter_character(self.delimiter)
            except InvalidArgumentError as error:
                found.append(str(error))
        given = [name for name, value in (("no_header", self.no_header), ("delimiter", self.delimiter)) if value]
        files = [path for path in (self.train, self.validation) if path is not None]
        if given and not any(map(self._is_delimited, files)):
            found.append(f"{' and '.join(given)} is for .csv and .tsv, and {files[0].name} is neither")
        return found

    def _is_delimited(self, path: Path) -> bool:
        ending = path.suffix.lower()
        return ending in (".csv", ".tsv") or (self.delimiter is not None and ending not in (".json", ".jsonl"))

    @property
    def delimited(self) -> DelimitedFormat:
        """What is known of a file with delimiters."""
        names = (self.text_column, self.pair_column, self.label_column)
        return DelimitedFormat(
            header=False if self.no_header else None,
            delimiter=self.delimiter,
            names=tuple(name for name in names if name is not None),
        )
