"""`beforehand dead`: what the services could not take, and another try."""

import json
from pathlib import Path

import click

from beforehand.errors import UsageError
from beforehand.letters import Letter, LetterBox
from contracts.kafka import kafka_client
from contracts.times import format_time

DEFAULT_KAFKA = "127.0.0.1:9092"


@click.group()
@click.option(
    "--kafka",
    metavar="HOST:PORT",
    envvar="BEFOREHAND_KAFKA",
    help=f"The broker. Without it, that of a running `beforehand up` in --data, else {DEFAULT_KAFKA}.",
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("var"),
    show_default=True,
    help="The data folder of `beforehand up`.",
)
@click.option(
    "--topic-prefix",
    default="",
    envvar="BEFOREHAND_TOPIC_PREFIX",
    help="Put before each topic's name, where installations share a broker.",
)
@click.pass_context
def dead(context: click.Context, kafka: str | None, data: Path, topic_prefix: str) -> None:
    """Look at dead letters, and send them again.

    A record that a service can't take goes to its topic's dead letters, as it came, with the reason, and the stream
    goes on. When the cause is mended, replay it: the same bytes go to the same topic under the same key.

    \b
    beforehand dead list
    beforehand dead show signals.dead:0:17
    beforehand dead replay signals.dead:0:17
    beforehand dead replay --all
    """  # noqa: D301 - click wants a real backspace
    try:
        client = kafka_client(kafka or _running_kafka(data))
    except ValueError as error:
        raise UsageError(str(error)) from None
    context.obj = context.with_resource(LetterBox(client, topic_prefix))


@dead.command("list")
@click.option("--topic", help="Only what was meant for this topic, such as events.")
@click.option("--format", "form", type=click.Choice(["text", "ndjson"]), default="text", show_default=True)
@click.pass_obj
def list_letters(box: LetterBox, topic: str | None, form: str) -> None:
    """List dead letters with their reasons, oldest first within a partition."""
    letters = list(box.letters(topic))
    for letter in letters:
        if form == "ndjson":
            click.echo(json.dumps(_as_json(letter), ensure_ascii=False))
        else:
            replayed = "  (replayed)" if letter.replayed else ""
            told = letter.told
            click.echo(f"{letter.id}  {format_time(told.at)}  {told.rejected_by}: {told.reason}{replayed}")
    if form == "text" and not letters:
        click.echo("no dead letters")


@dead.command()
@click.argument("letter_id", metavar="ID")
@click.pass_obj
def show(box: LetterBox, letter_id: str) -> None:
    """Show one dead letter: why, where it was, its key, its headers and its bytes."""
    letter = box.letter(letter_id)
    for name, value in _as_json(letter).items():
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
        click.echo(f"{click.style(name + ':', bold=True)} {text}")


@dead.command()
@click.argument("letter_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that were not replayed with --all before.")
@click.option("--topic", help="With --all: only what was meant for this topic.")
@click.pass_obj
def replay(box: LetterBox, letter_ids: tuple[str, ...], everything: bool, topic: str | None) -> None:
    """Send dead letters to the topics that they were meant for, as they came.

    What still can't be taken comes back as a new dead letter.
    """
    if bool(letter_ids) == everything:
        raise UsageError(
            "name the dead letters to replay (`beforehand dead list` has their ids), or say --all"
        )
    if topic is not None and not everything:
        raise UsageError("--topic goes with --all")
    if everything:
        sent = box.replay_new(topic)
    else:
        sent = box.replay([box.letter(letter_id) for letter_id in letter_ids])
    click.echo(f"replayed {sent} dead letter{'' if sent == 1 else 's'}")


def _as_json(letter: Letter) -> dict[str, object]:
    return {
        "id": letter.id,
        "reason": letter.told.reason,
        "rejected_by": letter.told.rejected_by,
        "at": format_time(letter.told.at),
        "was": f"{letter.told.topic}:{letter.told.partition}:{letter.told.offset}",
        "replayed": letter.replayed,
        "key": _text(letter.key),
        "headers": {name: _text(value) for name, value in letter.headers},
        "value": _text(letter.value),
    }


def _text(content: bytes | None) -> str | None:
    """As text if it is text, else as Python writes bytes."""
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return repr(content)


def _running_kafka(data: Path) -> str:
    try:
        return str(json.loads((data / "endpoints.json").read_text())["kafka"])
    except (OSError, ValueError, KeyError):
        return DEFAULT_KAFKA
