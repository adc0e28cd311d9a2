"""What the export of a decoder needs beside that of an encoder: chat template, end tokens, recommended sampling."""

from __future__ import annotations

from linnet_export.generation.chat_template import ChatTemplate, derive_template
from linnet_export.generation.settings import GenerationSettings, read_generation_settings

__all__ = ["ChatTemplate", "GenerationSettings", "derive_template", "read_generation_settings"]
