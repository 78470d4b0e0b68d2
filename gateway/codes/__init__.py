"""Code registries of IEC 61968-9, Annexes B to F. Pure data and its reading; no I/O beyond the package's own files."""

from gateway.codes.reply_codes import Level, ReplyCode, Result, result_of

__all__ = ["Level", "ReplyCode", "Result", "result_of"]
