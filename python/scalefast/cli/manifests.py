"""`--manifest` and `--repeat`: what a command was made of, written to a file, and the same run made again from it.

In: what is typed. Out: a command that adds both options to itself. A run repeated from its manifest gives the same bytes,
or is refused where a file that it reads is another one than before. `fit` has a manifest of its own, which holds the
specification and a hash of the bound columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scalefast import DataError, LawError, SettingsError

from . import errors, output

if TYPE_CHECKING:
    import scalefast as sf

#: Parameters that change nothing in what is found: they are not recorded, and may stand beside `--repeat`.
ABOUT_THE_RUN = {
    *("manifest_file", "repeat", "threads", "progress", "timeout_s", "on_interrupt", "strict", "force", "quiet"),
    *("format_", "output_file", "law_file", "residuals_file", "influence_file", "draws_to", "draws_out"),
}
#: What says how to read a file may differ where the file is stored otherwise.
BESIDE_REPEAT = ABOUT_THE_RUN | {"input_format"}
#: Where a command in progress keeps what it reads, in the context of click.
_KEY = "scalefast.inputs"


def manifest_options(expose: bool) -> list[click.Option]:
    """`--repeat FILE` and `--manifest FILE`; `expose` says whether the command takes them as arguments."""
    return [
        click.Option(
            ["--manifest", "manifest_file"],
            metavar="FILE",
            type=click.Path(path_type=Path, dir_okay=False),
            expose_value=expose,
            help="Write the manifest here, as JSON: version, settings, seed, hashes of what was read, kernel.",
        ),
        click.Option(
            ["--repeat"],
            metavar="MANIFEST",
            type=click.Path(path_type=Path, dir_okay=False),
            expose_value=expose,
            help="Run again as this manifest says, with the same settings on the same data. Gives the same bytes.",
        ),
    ]


class Recorded(click.Command):
    """A command with `--manifest` and `--repeat`; `inputs` names the parameters that may hold files to read."""

    #: Whether the command takes both options itself.
    expose = False

    def __init__(self, *args: Any, inputs: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.inputs = tuple(inputs)
        place = next(i for i, p in enumerate(self.params) if p.name == "force")
        self.params[place:place] = manifest_options(self.expose)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the recorded options in the place of those that are not typed."""
        typed, order = self.as_typed(ctx, args)
        manifest = None
        if "repeat" in typed:
            refuse_settings(order)
            manifest = self.read_manifest(Path(typed["repeat"]))
        if manifest is not None:
            if not any(str(p.name) in typed for p in self.params if isinstance(p, click.Argument)):
                args = [*args, "--", *manifest.arguments]
            args = [*tokens(manifest.options), *args]
            typed, _ = self.as_typed(ctx, args)
        ctx.meta[_KEY] = Inputs(self, typed, manifest)
        return super().parse_args(ctx, args)

    def as_typed(self, ctx: click.Context, args: list[str]) -> tuple[dict[str, Any], list[click.Parameter]]:
        """Names of parameters to what was typed for them, texts not yet converted; and the parameters in order."""
        values, _, order = self.make_parser(ctx).parse_args(list(args))
        # What was not typed is None, empty, or a mark of click's own.
        typed = {
            name: value for name, value in values.items() if isinstance(value, str | bool | list | tuple) and value
        }
        return typed, order

    def read_manifest(self, path: Path) -> sf.CommandManifest | None:
        """The manifest, which must be of this command."""
        import scalefast as sf

        found = sf.CommandManifest.read(path)
        name = click.get_current_context().command_path.removeprefix("scalefast ")
        if found.command != name:
            hint = f"scalefast {found.command} --repeat {path}"
            message = f"`{path.name}` is a manifest of `scalefast {found.command:.40}`, not of `scalefast {name}`"
            raise LawError(message, code="foreign-manifest", hint=hint)
        tell_version(found.version)
        return found

    def records(self, ctx: click.Context) -> bool:
        """Whether this run is recorded as a command."""
        return True

    def invoke(self, ctx: click.Context) -> Any:
        """Run, then write the manifest; a run whose check failed has one too."""
        inputs: Inputs = ctx.meta[_KEY]
        if not self.records(ctx):
            return super().invoke(ctx)
        target: Path | None = inputs.target
        if target is not None:
            output.check_writable(target, inputs.force)
        inputs.read_files(ctx)
        try:
            result = super().invoke(ctx)
        except errors.CheckFailed:
            inputs.write(ctx)
            raise
        inputs.write(ctx)
        return result


class Inputs:
    """What a run was asked for, as typed, and the hash of each file that it reads."""

    def __init__(self, command: Recorded, typed: dict[str, Any], manifest: sf.CommandManifest | None) -> None:
        self.command, self.typed = command, typed
        self.expected = None if manifest is None else [digest for _, digest in manifest.inputs]
        self.found: dict[str, str] = {}
        self.target = Path(typed["manifest_file"]) if "manifest_file" in typed else None
        self.force = bool(typed.get("force"))

    def names(self) -> Iterator[str]:
        """What is typed where files may stand."""
        for parameter in self.command.params:
            value = self.typed.get(str(parameter.name))
            if value is not None and parameter.name in self.command.inputs:
                for text in [value] if isinstance(value, str) else value:
                    # A file may stand behind a word, as in `residuals:FILE`.
                    _, _, behind = text.partition(":")
                    yield behind if behind and Path(behind).is_file() else text

    def read_files(self, ctx: click.Context) -> None:
        """Hash every regular file; what comes through a pipe is hashed when it is read."""
        import hashlib

        for name in self.names():
            if Path(name).is_file():
                with Path(name).open("rb") as file:
                    self.add(name, hashlib.file_digest(file, "sha256").hexdigest())
            elif name == "-" or Path(name).is_fifo():
                self.found[name] = ""
        if self.expected is not None and len(self.found) != len(self.expected):
            raise other(f"{len(self.found)} files are read, not {len(self.expected)}")

    def add(self, name: str, digest: str) -> None:
        """Take down a hash, and compare it with that of the run which is repeated."""
        self.found[name] = f"sha256:{digest}"
        place = list(self.found).index(name)
        if self.expected is not None and self.expected[place : place + 1] != [self.found[name]]:
            raise other(f"`{name}` is not what was read before: its hash is {self.found[name][:20]}…")

    def write(self, ctx: click.Context) -> None:
        """Write the manifest where one is asked for."""
        if self.target is None:
            return
        import scalefast as sf

        manifest = sf.CommandManifest(
            ctx.command_path.removeprefix("scalefast "),
            dict(self.options()),
            tuple(self.arguments()),
            tuple(self.found.items()),
        )
        with output.replacing(self.target, self.force) as temporary:
            manifest.save(temporary)

    def options(self) -> Iterator[tuple[str, Any]]:
        """What was typed after each option; a flag switched off stands under the name that does so."""
        for parameter in self.recorded(click.Option):
            value = self.typed[str(parameter.name)]
            yield (parameter.secondary_opts[0], True) if value is False else (parameter.opts[0], value)

    def arguments(self) -> Iterator[str]:
        """What was typed without an option, in order."""
        for parameter in self.recorded(click.Argument):
            value = self.typed[str(parameter.name)]
            yield from ([value] if isinstance(value, str) else value)

    def recorded(self, kind: type[click.Parameter]) -> Iterator[click.Parameter]:
        """Parameters that were typed and change what is found."""
        for parameter in self.command.params:
            name = str(parameter.name)
            if isinstance(parameter, kind) and name in self.typed and name not in ABOUT_THE_RUN:
                yield parameter


def other(message: str) -> DataError:
    """The data are not those of the manifest."""
    return DataError(message, code="other-data", hint="repeat with the files of the first run")


def was_read(name: str, content: bytes) -> None:
    """Called with what came through a pipe: stdin, or a named one."""
    import hashlib

    inputs = click.get_current_context().meta.get(_KEY)
    if inputs is not None and name in inputs.found:
        inputs.add(name, hashlib.sha256(content).hexdigest())


def tokens(options: Any) -> list[str]:
    """Recorded options as they are typed."""
    found: list[str] = []
    for name, value in options.items():
        if value is True:
            found.append(name)
        else:
            found += [token for entry in ([value] if isinstance(value, str) else value) for token in (name, str(entry))]
    return found


def refuse_settings(given: Sequence[click.Parameter]) -> None:
    """Nothing that changes the result may stand beside `--repeat`."""
    names = [p.opts[0] for p in given if isinstance(p, click.Option) and p.name not in BESIDE_REPEAT]
    if names:
        raise SettingsError(
            f"--repeat takes everything from the manifest, and {names[0]} is given too",
            code="repeat-with-settings",
            hint=f"leave out {', '.join(dict.fromkeys(names))}",
        )


def tell_version(version: str) -> None:
    """Another version may compute other numbers, where its changelog says so."""
    import scalefast as sf

    if version != sf.__version__:
        output.warn(f"the manifest is of scalefast {version}, this is {sf.__version__}: see its numerical changes")
