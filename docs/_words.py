"""The words of docs/reference.md. A test holds the names in these tables against the code."""

# ruff: noqa: INP001 - a folder of texts, no package

from typing import Final

EXIT_CODES: Final = {
    0: "All is well.",
    1: "Not all is well: a message is refused or came back as a dead letter, a routing table is wrong, "
    "the broker has no place for what was sent, nothing is found.",
    2: "The command line, a setting, or a file or folder it names is wrong.",
    3: "The broker cannot be reached, refuses the login, or has something of the topology with other settings; or the "
    "store cannot be reached or used.",
}

REASONS: Final = {
    "unreadable": "The bytes are no message, or the header lacks its verb or noun.",
    "invalid": "A schema or a rule refuses the message.",
    "foreign-context": "Header.Context names another context than that of the gateway.",
    "unbound": "No binding of `cim.in` takes the routing key it was published with.",
    "unroutable": "The message is valid, and no route takes it.",
    "no-conversation": "A reply, and its routing key does not say whom it is for.",
    "undeliverable": "The queue it was to go to does not exist; `receiver` names it.",
    "internal-error": "A defect of the gateway; `text` names it, the log has the traceback.",
}

DEAD_HEADERS: Final = {
    "reason": "One of the reasons above.",
    "code": "The reply code of the first error.",
    "rule": "The id of the rule, or the constraint of XML Schema, of the first error.",
    "text": "What is wrong.",
    "advice": "What to do about it.",
    "line": "The line in the message, from 1; absent where none is known.",
    "xpath": "The element, as a path of local names; absent where none is known.",
    "exchange": "The exchange that the message came through.",
    "routing_key": "The routing key that the message came with.",
    "correlation_id": "The CorrelationID, else the MessageID, else AMQP's correlation_id.",
    "first_seen": "When the message first became a dead letter, UTC; a retry does not change it.",
    "attempts": "How often the broker had handed the message out by then.",
    "answered": "Where the answer went; `not due`; or why there was no place for it.",
    "receiver": "Only with `undeliverable`: the address that took nothing; a URL without its query.",
    "endpoint": "Only where an answer was to be posted to a URL: the name of the endpoint.",
    "status": "The HTTP status of the endpoint's last answer, if it gave any.",
    "posts": "How often it was posted since it was last taken from its queue.",
    "url_cut": "`true` where `receiver` is a URL that had a query or a password.",
    "conversation": "The id of the conversation that it belongs to, where that is known.",
    "masked": "`true` where personal data was taken out of the message: it is not the bytes that came.",
    "cim-retried": "How often it was sent again out of the dead letters.",
    "cim-replay": "Which [replay](replay.md) sent it, `/`, and its place in what was recorded; a retry keeps it.",
    "cim-message-id": "The envelope's MessageID.",
    "cim-redelivered": "`true` where this may be a second copy.",
}

SETTINGS_TEXT: Final = """\
Each can be set in four places; the first of these that has it wins:

1. the options `--log-level` and `--verbose`, before the command, for `log_level` alone;
2. the environment: `CIMGATE_` and the name in capitals, `CIMGATE_PREFETCH=100`; an empty variable counts as not set;
3. a file that holds a secret, `CIMGATE_AMQP_URL_FILE=/run/secrets/url`, for `amqp_url` and `amqp_password`;
4. a TOML file: the one of `--config FILE`, else of `CIMGATE_CONFIG`, else `./cimgate.toml` where it exists. Paths in it
   are relative to the file.

`cimgate config show` tells which one it was. Durations are seconds; sizes are bytes, and `"16 MiB"` is understood."""

RULES_TEXT: Final = """\
An error refuses the message; with a warning it passes, and `cimgate validate` shows it. [inferred] marks what is our
reading or a policy of ours, not read from a source; see [the standard](standard.md). `cimgate rules RULE` tells more of
one. Where the last column says yes, a site can make it an error, a warning or silent, for all sources or for one."""

CONSTRAINTS_TEXT: Final = """\
A rule that begins with `cvc-` is a constraint of XML Schema: the envelope, or what it carries, is not valid by its
schema. Its code is 1.5, 1.6 or 1.7 where something is missing in the header, the request or the payload; 2.9 for a verb
and 2.5 for a noun that the envelope does not list; else 1.8."""

CODES_TEXT: Final = """\
Codes 1.1 to 1.4, 2.1 to 2.3, 2.7, 2.8 and 2.11 are not known from any source we could reach. The gateway itself gives
those marked, in answers and dead letters. Partners send private codes too, and they pass."""

DEAD_LETTERS_TEXT: Final = """\
A dead letter is the message byte for byte, in the queue `cim.dead`, with the routing key `<reason>.<Noun>.<verb>` (`-`
where there is none) and these headers. Texts are cut at 1,000 characters."""

TOPOLOGY_TEXT: Final = """\
For the context TESTING and the systems of the shipped routes. All of it is durable; queues are quorum queues."""
