"""Texts on which two forms of one tokenizer are compared."""

from __future__ import annotations

__all__ = ["PROBE_TEXTS"]

# upper case, accents, several spaces, other writing systems, digits, compatibility characters, emoji
PROBE_TEXTS = (
    "The Quick  brown   fox can't jump over 13 lazy dogs.",
    "Crème brûlée, ÜBER-Größe, naïve façade; ĐỒNG",
    "Привет, как твои дела? Ёлка",
    "日本語のテキスト、ｶﾀｶﾅ と 全角 ＡＢＣ１２３",
    "今天天气很好。한국어 문장입니다.",
    "مرحبا بالعالم 123 नमस्ते दुनिया สวัสดี",
    "1,234.56 € ½ ﬁne ① x² user_name@example.com https://a.b/c?d=e#f",
    "tabs\tand\nlines 👍🏽 — “quoted” … (brackets) [x]",
)
