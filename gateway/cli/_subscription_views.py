"""How subscriptions are shown."""

import json
from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from gateway.cli._shared import counted, out, printable
from gateway.cli._subscription_actions import Created, Lag, Listed
from gateway.cli._times import clock, full, roughly
from gateway.endpoints.urls import shown
from gateway.message.nouns import OPERATION_SET, PART9_NOUNS
from gateway.settings import Settings
from gateway.subscriptions import (
    Delivery,
    Judged,
    Subscription,
    ToFeed,
    ToFile,
    ToQueue,
    ToWebhook,
    described,
    selection,
)
from gateway.subscriptions.documents import document_of
from gateway.validation.wording import nearest


def doubts(wanted: Subscription, settings: Settings) -> Iterator[str]:
    """Say what in a new subscription looks like a mistake."""
    known = {*PART9_NOUNS, OPERATION_SET}
    for noun in wanted.filter.nouns:
        if noun not in known:
            close = nearest(noun, known)
            meant = f" Did you mean {close}?" if close else ""
            yield f"note: {noun} is no noun of IEC 61968-9.{meant}"
    if isinstance(wanted.delivery, ToWebhook):
        name, _ = settings.coverage().endpoint(wanted.delivery.url, "webhook")
        if not any(table.name == name and table.signs for table in settings.endpoints):
            yield f"note: the endpoint {name} has no secret_file, so the posts are not signed."
    if not settings.publish_events:
        yield "note: publish_events is off, so only events that the gateway itself makes can be taken."


def show_list(found: Sequence[Listed], now: float) -> None:
    """Show all in a table."""
    table = Table("subscription", "to", "takes", "since", box=None, pad_edge=False)
    for one in found:
        if (subscription := one.subscription) is None:
            table.add_row(one.name, "", Text(printable(one.problem), "red"), "")
            continue
        takes = printable(described(subscription.filter))
        since = Text("being deleted", "red") if one.ended else Text(clock(subscription.created_at, now))
        table.add_row(one.name, Text(printable(_place(subscription.delivery))), Text(takes), since)
    out.print(table)


def show_created(result: Created) -> None:
    """Say what is there now, and from when on it holds."""
    one = result.subscription
    before = f" It was there since {full(one.created_at)}." if result.there else ""
    out.print(Text(printable(f"Subscription {one.name}: {described(one.filter)}.{before}")))
    out.print(Text(printable(f"Its events go to {_goal(one)}.")))
    if selection(one).judged is Judged.NEVER:
        out.print("It holds from now on: the broker selects them by their headers.")
    elif result.heard.acting and not result.heard.silent:
        out.print(f"It holds from now on: {counted(len(result.heard.acting), 'gateway')} judges events for it.")
    elif not result.heard.silent:
        out.print("No gateway runs with this store now. It holds for what a gateway publishes from its start on.")


def show_one(one: Listed, lag: Lag, now: float) -> None:
    """Tell one subscription."""
    if (subscription := one.subscription) is None:
        out.print(Text(f"The subscription {one.name} cannot be read: {printable(one.problem)}", "red"))
        return
    rows = [
        ("takes", described(subscription.filter)),
        ("to", _goal(subscription)),
        ("selected", _selected(subscription)),
        ("created", f"{full(subscription.created_at)} by {subscription.created_by}"),
    ]
    if subscription.note:
        rows.append(("note", subscription.note))
    rows.append(("waiting", _waiting(lag)))
    if (progress := lag.progress) is not None:
        last = f", the last at {clock(progress.at, now)}" if progress.at else ""
        rows.append(("delivered", f"{counted(progress.delivered, 'event')}{last}"))
        if progress.trouble:
            rows.append(("trouble", progress.trouble))
    if one.ended:
        rows.append(("state", "being deleted; `cimgate subscriptions delete` again ends it"))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for label, text in rows:
        table.add_row(label, Text(printable(text)))
    out.print(Text(one.name, "bold"))
    out.print(table)


def show_lags(found: Sequence[Lag], now: float) -> None:
    """Show in a table how deliveries stand."""
    table = Table(box=None, pad_edge=False)
    for heading in ("subscription", "to"):
        table.add_column(heading)
    for heading in ("waiting", "in hand", "oldest", "consumers", "delivered"):
        table.add_column(heading, justify="right")
    table.add_column("last")
    for lag in found:
        delivery = None if lag.listed.subscription is None else lag.listed.subscription.delivery
        there, progress = lag.waiting, lag.progress
        table.add_row(
            lag.listed.name,
            "" if delivery is None else _kind(delivery),
            "no queue" if there is None else f"{there.events:,}",
            f"{progress.in_hand:,}" if progress else "-",
            roughly(max(now - progress.oldest, 0)) if progress and progress.oldest else "-",
            "" if there is None else f"{there.consumers:,}",
            f"{progress.delivered:,}" if progress else "-",
            clock(progress.at, now) if progress and progress.at else "-",
        )
    out.print(table)
    for lag in found:
        if lag.progress is not None and lag.progress.trouble:
            out.print(Text.assemble(f"\n{lag.listed.name}: ", (printable(lag.progress.trouble), "red")))


def lag_document(lag: Lag) -> dict[str, object]:
    """Give how a delivery stands for JSON; times are seconds since the epoch."""
    document: dict[str, object] = {"name": lag.listed.name, "queue": lag.waiting is not None}
    if lag.waiting is not None:
        document |= {"waiting": lag.waiting.events, "consumers": lag.waiting.consumers}
    if (progress := lag.progress) is not None:
        document |= {"in_hand": progress.in_hand, "delivered": progress.delivered}
        document |= {"oldest_sent_at": progress.oldest} if progress.oldest else {}
        document |= {"last_sent_at": progress.sent, "last_delivered_at": progress.at} if progress.at else {}
        document |= {"trouble": progress.trouble} if progress.trouble else {}
    return document


def json_line(one: Listed, lag: Lag | None = None) -> str:
    """Write one subscription as JSON, with how its delivery stands where that is given."""
    document: dict[str, object] = {"name": one.name, "problem": one.problem}
    if one.subscription is not None:
        document = {**document_of(one.subscription), "queue": one.subscription.queue}
    return json.dumps(document | ({"ended": True} if one.ended else {}) | ({"lag": lag_document(lag)} if lag else {}))


def _kind(delivery: Delivery) -> str:
    match delivery:
        case ToQueue():
            return "queue"
        case ToWebhook():
            return "webhook"
        case ToFile():
            return "file"
        case ToFeed():
            return "feed"


def _place(delivery: Delivery) -> str:
    match delivery:
        case ToWebhook(url=url):
            return shown(url)
        case ToFile(path=path):
            return path
    return _kind(delivery)


def _goal(subscription: Subscription) -> str:
    match subscription.delivery:
        case ToQueue():
            return f"the queue {subscription.queue}"
        case ToWebhook(url=url):
            return f"{shown(url)}, posted by the gateway from the queue {subscription.queue}"
        case ToFile(path=path, daily=daily, most_bytes=size):
            new = [*(["every day"] if daily else []), *([f"after {size:,} bytes"] if size else [])]
            anew = f", a new file {' or '.join(new)}" if new else ""
            return f"the file {path}{anew}, written by the gateway from the queue {subscription.queue}"
        case ToFeed(keep_seconds=kept, keep_bytes=size):
            return f"the stream {subscription.queue}, which keeps them for {roughly(kept)} or up to {size:,} bytes"


def _selected(subscription: Subscription) -> str:
    selected = selection(subscription)
    bindings = f"{counted(len(selected.bindings), 'binding')} at cim.events"
    if selected.judged is Judged.NEVER:
        return f"by the broker, by headers alone: {bindings}"
    mark = f"by the gateway, which marks it with the header {selected.mark[0]}"
    if selected.judged is Judged.WHERE_MORE:
        return f"by the broker, by headers; an event with more types than these tell {mark}: {bindings}"
    return f"{mark}: {bindings}" if not selected.matches else f"partly by headers, partly {mark}: {bindings}"


def _waiting(lag: Lag) -> str:
    if lag.waiting is None:
        return "there is no queue: create it again with the same options, or start the gateway"
    in_hand = f", {lag.progress.in_hand:,} in hand" if lag.progress is not None else ""
    return f"{counted(lag.waiting.events, 'event')}{in_hand}, {counted(lag.waiting.consumers, 'consumer')}"
