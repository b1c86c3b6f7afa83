"""Bad sweep files and bad command lines, drawn by the hundred from a seed; each is wrong in one known way.

A case is a command line and the files that must be there first; all paths are relative to the folder it is run in.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import cycle

from drills.harness import SWEEP

from tic_sweep.config import Rule, field_rules

GOOD = SWEEP.replace("EPOCHS", "2").replace("RATES", "(0.1, 0.2)").replace("SEEDS", "2").lstrip()
RULES = field_rules()
TRIES = 20
"""Draws after which a kind has nothing new."""
INFINITE = ("NaN", "Infinity", "-Infinity")


@dataclass(frozen=True)
class Bad:
    """One bad input."""

    kind: str
    arguments: list[str]
    files: dict[str, bytes] = field(default_factory=dict)


def bad_inputs(count: int, seed: int) -> Iterator[Bad]:
    """Yield so many bad inputs, no two alike, of all kinds in turn as long as a kind has more."""
    draw = random.Random(seed)  # noqa: S311 - inputs, not secrets
    seen = set[str]()
    for name, make in cycle((*FILES.items(), *LINES.items())):
        for _ in range(TRIES):
            bad = _given(name, make(draw), draw)
            if (told := repr((bad.arguments[1:], bad.files))) not in seen:
                seen.add(told)
                yield bad
                break
        if len(seen) == count:
            return


def _given(kind: str, made: list[str] | str | bytes, draw: random.Random) -> Bad:
    """Return a command line as it is, or one that is given a file."""
    if isinstance(made, list):
        return Bad(kind, made)
    content = made if isinstance(made, bytes) else made.encode()
    return Bad(kind, [draw.choice(["run", "plan"]), "bad.py"], {"bad.py": content})


def nonsense(rule: Rule, draw: random.Random) -> str:
    """Return a value, as JSON, that a field does not accept."""
    wrong = ["null", '{"a": 1}', *INFINITE, '[null, "x"]', '"\\u0000"']
    if rule.items is None:
        by_type = {bool: ["0", '"true"'], str: ["1", "true", '"nothing"']}
        wrong += ["[1]", *by_type.get(rule.type, ['"1"', "true", '""'])]
        wrong += ["2.5", "1e30", str(2**63)] if rule.type is int else ["1e400"] if rule.type is float else []
        wrong += [json.dumps(rule.above)] if rule.above is not None else []
        wrong += [json.dumps(rule.at_least - 1)] if rule.at_least is not None else []
        wrong += [json.dumps(rule.at_most + 1)] if rule.at_most is not None else []
    return draw.choice(wrong)


def in_python(text: str) -> str:
    """Return JSON as Python."""
    words = {"null": "None", "true": "True", "false": "False"} | {word: f"float('{word}')" for word in INFINITE}
    for json_word, word in words.items():
        text = text.replace(json_word, word) if '"' not in text or json_word == "null" else text
    return text


# Sweep files ----------------------------------------------------------------------------------------------------------


def cut_short(draw: random.Random) -> str:
    """Return a sweep file that ends inside its sweep."""
    begin = GOOD.index("Sweep(\n")
    return GOOD[: draw.randint(begin + 6, GOOD.rindex(")") - 1)]


def spoilt(draw: random.Random) -> bytes:
    """Return a sweep file with bytes in it that no source file may hold."""
    content = bytearray(GOOD.encode())
    place = draw.randrange(len(content))
    content[place:place] = draw.choice([b"\x00", b"\xff\xfe", b"\x80", b"\xed\xa0\x80"])
    return bytes(content)


def binary(draw: random.Random) -> bytes:
    """Return bytes that are no text."""
    return b"\x00" + draw.randbytes(draw.randint(0, 400))


def raising(draw: random.Random) -> str:
    """Return a file that fails while it is run."""
    how = draw.choice([
        "1 / 0", "raise ValueError('two\\nlines')", "import nowhere_to_be_found", "raise SystemExit(0)", "exit(3)",
        "def f(): f()\nf()", "open('/nowhere')", "raise Exception", "assert False", "raise StopIteration",
        "from tic_sweep.config import Nothing", "undefined", "(1).x", "{}['key']", "[][0]", "int('x')",
    ])  # fmt: skip
    return f"{GOOD}\n{how}\n" if draw.random() < 0.5 else f"{how}\n{GOOD}"


def without_sweep(draw: random.Random) -> str:
    """Return a file that declares no sweep, or something else under its name."""
    what = draw.choice([
        "",
        "SWEEP",
        "3",
        "None",
        "'quickstart'",
        "{}",
        "[SWEEP]",
        "Sweep",
        "lambda: SWEEP",
        "TINY",
        "Scale",
    ])
    return GOOD.replace("SWEEP =", "sweep =") if not what else f"{GOOD}\nSWEEP = {what.replace('SWEEP', 'None')}\n"


def with_call(draw: random.Random) -> str:
    """Return a sweep whose calls have arguments missing, unknown, or of the wrong kind."""
    old, new = draw.choice([
        ('name="drill"', f"name={draw.choice(['3', 'None', repr(''), repr('a/b'), repr('..'), repr('ä')])}"),
        ('name="drill", ', ""), ('question="Does it survive?"', f"question={draw.choice(['3', 'None', '[]'])}"),
        ("laptop=", "desktop="), ("laptop=", "laptop=3 or "), ("laptop=Scale", "laptop=dict"),
        ("base=TINY", "base=None"),
        ("base=TINY", "base={}"), ("base=TINY, ", ""), ("base=TINY", "base=TINY.data"), ("space=", "spaces="),
        ("seeds=", "seed="), ("SWEEP = Sweep(", "SWEEP = Sweep(1, "), ("batch_size", "batchsize"),
        ("DataConfig(name", "DataConfig(nam"), ("timesteps=2", "timesteps=2, timestep=3"), ("fisher=", "fischer="),
    ])  # fmt: skip
    return GOOD.replace(old, new)


def with_value(draw: random.Random) -> str:
    """Return a sweep whose base, or whose grid, has a value out of bounds or of the wrong type."""
    path = draw.choice(list(RULES))
    value = in_python(nonsense(RULES[path], draw)).replace("1e400", "float('inf')")
    if draw.random() < 0.5 and path != "seed":
        after = "Grid((0.1, 0.2))"  # which a rate of our own then replaces, and not the other way round
        return GOOD.replace(after, f"{after}, '{path}': Grid(({value},))")
    return GOOD.replace(
        "SWEEP =", f"from tic_sweep.config import replaced\nTINY = replaced(TINY, {{'{path}': {value}}})\nSWEEP ="
    )


def with_space(draw: random.Random) -> str:
    """Return a sweep whose space makes no sense."""
    ranges = [
        "Uniform(1, 0)", "LogUniform(0, 1)", "LogUniform(-1, 1)", "Uniform(float('nan'), 1)", "IntUniform(1, 2)",
        "IntUniform(0.5, 2)", "Uniform(0.1, float('inf'))", "LogUniform(0.1, 1)", "Uniform('a', 'b')", "Uniform(1)",
    ]  # fmt: skip
    spaces = [f"{{'optimiser.lr': {r}}}" for r in ranges] + [
        "{'optimiser.lr': Grid(())}", "{'optimiser.lr': Grid(3)}", "{'optimiser.lr': Grid('0.1')}", "3", "[1]", "'lr'",
        "{'optimiser.rate': Grid((0.1,))}", "{'lr': Grid((0.1,))}", "{'optimiser.lr': (0.1,)}",
        "{'seed': Grid((1, 2))}",
        "{3: Grid((1,))}", "{'both': Grid(({},))}", "{'both': Grid(({'optimiser.rate': 1},))}", "{None: Grid((1,))}",
        "{'neuron.tau': When('timesteps', 'x', Grid((2,)))}", "{'neuron.tau': When('nothing', 2, Grid((2,)))}",
        "{'neuron.tau': When('timesteps', 2, 3)}", "{'timesteps': Uniform(1, 2)}", "{'both': Uniform(0, 1)}",
        "{'neuron.tau': When('timesteps', 2, Grid((2,))), 'timesteps': Grid((2, 3))}",
        "{'optimiser.lr': Grid([0.001 * i for i in range(1, 2000)]), 'neuron.tau': Grid([1 + i for i in range(2000)])}",
        "{name: Grid(range(1, 999)) for name in ('timesteps', 'optimiser.batch_size', 'fisher.samples')}",
    ]  # fmt: skip
    before = GOOD.replace("import Grid", "import Choice, Grid, IntUniform, LogUniform, Uniform, When")
    return before.replace('space={"optimiser.lr": Grid((0.1, 0.2))}', f"space={draw.choice(spaces)}")


def with_scale(draw: random.Random) -> str:
    """Return a sweep whose seeds, samples, search or race are refused."""
    wrong = draw.choice([
        "seeds=()", "seeds=(1, 1)", "seeds=(-1,)", "seeds=('a',)", "seeds=(0.5,)", "seeds=3", "seeds='01'",
        "seeds=None",
        f"seeds=({2**70},)", "samples=-1", "samples=1.5", "samples='x'", "samples=None", "samples=True", "samples=3",
        "searcher='grid'", "searcher='tpe'", "searcher=None", "objective='loss'", "objective=None", "scheduler='fast'",
        "scheduler=None", "scheduler='hybrid', budget=0", "scheduler='hybrid', budget=2", "budget=float('nan')",
        "budget='half'", "holdout=-1", "holdout=float('nan')", "grace=1", "grace=-0.1",
        "scheduler='first_turn', grace=0.5",
        "seeds=range(2000000)",
    ])  # fmt: skip
    return GOOD.replace("seeds=tuple(range(2))", wrong)


FILES: dict[str, Callable[[random.Random], str | bytes]] = {
    "file cut short": cut_short, "file with foreign bytes": spoilt, "binary file": binary, "file that raises": raising,
    "file without SWEEP": without_sweep, "file with a wrong call": with_call, "file with a wrong value": with_value,
    "file with a wrong space": with_space, "file with a wrong scale": with_scale,
}  # fmt: skip

# Command lines --------------------------------------------------------------------------------------------------------

WRONG = {
    "--scale": ["huge", "", "LAPTOP"], "--seeds": ["", "a", "1,", "1.5", "1,1", "-1", "1e3", str(2**70)],
    "--samples": ["x", "1.5", "-1", "3", "nan", ""], "--scheduler": ["fast", "", "None"],
    "--budget": ["x", "0.5", "nan", "0", "-1", "2", "inf"], "--holdout": ["x", "0.5", "nan", "-1"],
    "--grace": ["x", "nan", "1"],
    "--cpus": ["0", "-1", "x", "1.5", "nan", ""], "--cpus-per-trial": ["0", "x", "-2"],
    "--gpus-per-trial": ["-1", "nan", "inf", "x", "1.5", "-0.1"], "--max-concurrent": ["0", "x", "-1"],
    "--retries": ["-1", "x", "0.5"], "--epoch-seconds": ["0", "-1", "nan", "inf", "x"], "--device": ["tpu", "", "CPU"],
    "--precision": ["float16", ""], "--fisher-chunk": ["0", "x", "-1"], "--checkpoint-seconds": ["-1", "x"],
    "--wandb": ["on", "", "Online"],
    "--address": ["here", "ray://head:1", ":0", "127.0.0.1:1", "a:b", "127.0.0.1:99999"],
}  # fmt: skip
PLANNED = (
    "--scale",
    "--seeds",
    "--samples",
    "--scheduler",
    "--budget",
    "--holdout",
    "--grace",
    "--cpus",
    "--cpus-per-trial",
)


def wrong_value(draw: random.Random) -> list[str]:
    """Return an option with a value that it does not take."""
    command = draw.choice(["run", "run", "plan"])
    option = draw.choice(PLANNED if command == "plan" else [name for name in WRONG if name != "--address"])
    return [command, "quickstart", option, draw.choice(WRONG[option])]


def wrong_address(draw: random.Random) -> list[str]:
    """Return an address that nobody answers at, or that is none."""
    return ["run", "quickstart", "--address", draw.choice(WRONG["--address"])]


def wrong_field(draw: random.Random) -> list[str]:
    """Return a field with a value that it does not take, or one that there is not."""
    path = draw.choice(list(RULES))
    change = draw.choice([
        f"{path}={nonsense(RULES[path], draw)}", f"{path}={nonsense(RULES[path], draw)}", path, f"={path}", "=",
        f"{path}x=1", f"{path.upper()}=1", f"{path}.more=1", "data=1", "nothing=1",
    ])  # fmt: skip
    return [draw.choice(["run", "plan"]), "quickstart", "--set", change]


def contradiction(draw: random.Random) -> list[str]:
    """Return options that contradict each other."""
    return ["run", "quickstart", *draw.choice([
        ["--in-process", "--address", "auto"], ["--device", "cpu", "--gpus-per-trial", "1"], ["--device", "cuda"],
        ["--in-process", "--epoch-seconds", "60"], ["--samples", "5"], ["--grace", "0.1"], ["--holdout", "0.1"],
        ["--set", "optimiser.epochs=0", "--scheduler", "hybrid"],
        ["--set", "fisher.every=0", "--scheduler", "transition"],
        ["--set", "task=xor"], ["--set", "toy.problems=3"], ["--set", "optimiser.lr=0.1", "--scheduler", "hybrid"],
        ["--device", "cuda", "--in-process", "--address", "x:1"],
    ])]  # fmt: skip


def wrong_words(draw: random.Random) -> list[str]:
    """Return commands, options and arguments that there are not, or one too many or too few."""
    word = "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(3, 9)))
    return draw.choice([
        [f"x{word}"], ["run"], ["plan"], ["resume"], ["status"], ["run", f"x{word}"], ["plan", f"x{word}"],
        ["run", "quickstart", f"--x{word}"], ["run", "quickstart", f"--x{word}", "1"],
        ["run", "quickstart", f"x{word}"],
        ["resume", "a", "b"], ["list", f"x{word}"], ["fields", f"x{word}"], ["run", f"x{word}.py"],
        ["run", "folder.py"],
        ["run", "quickstart", "--seeds"], ["compare", "a"], ["query"], ["export", "a"], ["run", ""], ["run", "."],
        ["run", "quickstart", "--results"], [f"--x{word}"], ["run", "../quickstart"], ["run", "_x"], ["watch"],
        ["run", ".py"],
    ])  # fmt: skip


def wrong_folder(draw: random.Random) -> list[str]:
    """Return a command that looks for results where there are none."""
    place = draw.choice(["nowhere", "foreign", "letter.txt", "damaged", "newer", "odd", "empty", "letter.txt/x"])
    command = draw.choice([
        "status",
        "watch",
        "claims",
        "report",
        "figures",
        "effects",
        "resume",
        "wandb",
        "compact",
        "query",
    ])
    return draw.choice([
        [command, place], [command, place], ["compare", place, place], ["query", place, "SELECT * FROM trials"],
        ["export", place, "out.zip"],
    ])  # fmt: skip


def wrong_place(draw: random.Random) -> list[str]:
    """Return a results folder that cannot be made, or is something else."""
    place = draw.choice([
        "letter.txt",
        "letter.txt/r",
        "foreign",
        "damaged",
        "newer",
        "odd",
        "/dev/null",
        "/dev/null/r",
    ])
    return ["run", "quickstart", "--results", place]


def wrong_question(draw: random.Random) -> list[str]:
    """Return a question for a learning rate that makes no sense."""
    return ["tune-lr", *draw.choice([
        ["--low", "0"], ["--low", "nan"], ["--low", "2", "--high", "1"], ["--high", "inf"], ["--rates", "0"],
        ["--rates", "x"],
        ["--rates", "-3"], ["--budget", "0"], ["--budget", "-5"], ["--budget", "nan"], ["--epochs", "-1"],
        ["--epochs", "0"],
        ["--dataset", "mnist"], ["--arch", "vgg"], ["--timesteps", "0"], ["--tau", "0.5"], ["--tau", "nan"],
        ["--seeds", "1,1"],
        ["--searcher", "grids"], ["--policy", "fast"], ["--set", "optimiser.rate=1"], ["--set", "neuron.tau=0"],
        ["--json", "x"],
        ["--low", "x"], ["--seeds", ""], ["--cpus", "0"], ["--device", "cuda"],
    ])]  # fmt: skip


def wrong_url(draw: random.Random) -> list[str]:
    """Return an address of a store that is none, or holds a secret."""
    url = draw.choice([
        "s3://", "s3://key:secret@bucket/r", "ftp://host/r", "s4://bucket/r", "s3://bucket/r?password=x", "gs://",
        "http://x/r",
        "file:///nowhere", "://", "s3:/",
    ])  # fmt: skip
    return [draw.choice(["status", "claims", "report", "query", "effects"]), url]


LINES: dict[str, Callable[[random.Random], list[str]]] = {
    "wrong value of an option": wrong_value, "address without a cluster": wrong_address, "wrong field": wrong_field,
    "contradicting options": contradiction, "wrong words": wrong_words, "no results there": wrong_folder,
    "no place for results": wrong_place, "question for a learning rate": wrong_question, "wrong URL": wrong_url,
}  # fmt: skip
