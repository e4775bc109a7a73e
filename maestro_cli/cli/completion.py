"""Completion in bash, zsh and fish: the scripts, where each shell looks for them, and which shell asks.

Invariant: a script runs the program that was typed, so that a maestro that is not on the path completes
too; where maestro has nothing to offer, the shell offers files.
"""

from __future__ import annotations

import os
from pathlib import Path

from maestro_cli.core.errors import UsageError
from maestro_cli.core.files import write_atomically

DETECT = "auto"

_BASH = """\
_maestro_completion() {
    local IFS=$'\\n'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" \\
                   _MAESTRO_COMPLETE=complete_bash "${1/#\\~/$HOME}" ) )
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace 2>/dev/null
    fi
    return 0
}
complete -o default -F _maestro_completion maestro
"""

_ZSH = """\
#compdef maestro
_maestro_completion() {
    eval $(env _TYPER_COMPLETE_ARGS="${words[1,$CURRENT]}" _MAESTRO_COMPLETE=complete_zsh ${~words[1]})
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _maestro_completion "$@"
else
    compdef _maestro_completion maestro
fi
"""

_FISH = """\
function __maestro_completion
    set -l words (commandline -opc)
    set -l program (string replace -r '^~/' "$HOME/" -- $words[1])
    set -l offered (env _TYPER_COMPLETE_ARGS=(commandline -cp | string collect) \\
        _TYPER_COMPLETE_FISH_ACTION=get-args _MAESTRO_COMPLETE=complete_fish $program)
    if string length -q -- $offered
        printf '%s\\n' $offered
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command maestro --no-files --arguments '(__maestro_completion)'
"""

SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def script(shell: str) -> str:
    """What the shell has to run; raises UsageError for another shell."""
    found = _detected() if shell == DETECT else shell
    if found not in SCRIPTS:
        what = f"{found!r} is not a shell maestro completes in" if found else "the shell cannot be told"
        raise UsageError(what, why=f"there are scripts for {', '.join(SCRIPTS)}", fix="name one of them")
    return SCRIPTS[found]


def install(shell: str) -> Path:
    """Put the script where the shell finds it, and have its start file load it; returns where it is.

    Raises UsageError as `script` does, and OSError.
    """
    text = script(shell)
    home = Path.home()
    if text is _FISH:
        base = os.environ.get("XDG_CONFIG_HOME", "")
        config = Path(base) if base.startswith("/") else home / ".config"
        place = config / "fish" / "completions" / "maestro.fish"
    elif text is _ZSH:
        place = home / ".zfunc" / "_maestro"
        start = Path(os.environ.get("ZDOTDIR") or home) / ".zshrc"
        _have_line(start, "fpath+=~/.zfunc; autoload -Uz compinit; compinit")
    else:
        place = home / ".bash_completions" / "maestro.sh"
        _have_line(home / ".bashrc", f"source '{place}'")
    write_atomically(place, text)
    return place


def _have_line(file: Path, line: str) -> None:
    """Add the line at the end unless the file has it; a link stays a link."""
    file = file.resolve()
    text = file.read_text(encoding="utf-8", errors="surrogateescape") if file.exists() else ""
    if line not in text.splitlines():
        text += f"{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n"
        write_atomically(file, text.encode("utf-8", "surrogateescape"), keeps_mode=True, durable=True)


def _detected() -> str:
    """The shell that runs this, by its process, else by $SHELL."""
    from typer._completion_shared import _get_shell_name

    return _get_shell_name() or Path(os.environ.get("SHELL", "")).name
