#!/usr/bin/env bash
# Makes .venv at the root of the repository, with everything that training and the tests need.
#
#     bash script/machine_setup.sh                    # from any directory
#     PYTHON=python3.12 bash script/machine_setup.sh  # with an interpreter of your choice
#
# Run it as often as you like: it returns at once while the requirement files and Python are those of
# the last set-up, and starts afresh if the last set-up was cut short. pip's own settings (index,
# find-links, proxy, ...) apply as ever; your index decides which build of torch you get.
set -euo pipefail

readonly root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
readonly venv="$root/.venv"
readonly stamp="$venv/.setup-stamp"             # what the finished set-up was made of
readonly unfinished="$venv/.setup-unfinished"   # there while a set-up is under way
readonly script="$root/script/machine_setup.sh"
# Apart from the requirement files: see the head of requirements.txt.
readonly allennlp="allennlp==2.10.1"
# The pip that comes with some Pythons (3.10's) cannot build what has no wheel (seqeval).
readonly pip="pip==26.2.1"
readonly again="then run this again: bash script/machine_setup.sh"

# Where this is set, an installation without bytecode would double the start-up time of every command.
unset PYTHONDONTWRITEBYTECODE

fail() {
    printf '\nmachine_setup: %s\n' "$*" >&2
    exit 1
}

say() {
    printf 'machine_setup: %s\n' "$*"
}

version_of() {
    "$1" -I -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null
}

is_supported() {
    case "$1" in 3.10.* | 3.11.* | 3.12.*) return 0 ;; *) return 1 ;; esac
}

has_pip() {
    "$venv/bin/python" -I -c 'import pip' 2>/dev/null
}

# The fingerprint of a set-up: the version of Python, and all that decides what is installed.
fingerprint() {
    "$1" -I -S -c '
import hashlib, sys
digest = hashlib.sha256()
for name in sys.argv[1:]:
    with open(name, "rb") as file:
        digest.update(file.read())
print("%d.%d.%d" % sys.version_info[:3], digest.hexdigest())
' "$root/requirements.txt" "$root/requirements-dev.txt" "$script"
}

# With PYTHON unset, an existing .venv keeps the Python that it has.
is_wanted() {
    [[ -z "${PYTHON:-}" || "$(version_of "$PYTHON")" == "$1" ]]
}

is_current() {
    [[ -f "$stamp" && ! -e "$unfinished" ]] || return 1
    [[ "$(fingerprint "$venv/bin/python" 2>/dev/null)" == "$(<"$stamp")" ]] || return 1
    is_wanted "$(version_of "$venv/bin/python")"
}

# Sets $python to the interpreter to build on.
choose_python() {
    local candidate version tried="" candidates=(python3 python3.12 python3.11 python3.10)
    if [[ -n "${PYTHON:-}" ]]; then candidates=("$PYTHON"); fi
    for candidate in "${candidates[@]}"; do
        version="$(version_of "$candidate")" || version="not found"
        if is_supported "$version"; then
            python="$candidate"
            return
        fi
        tried+="${tried:+, }$candidate ($version)"
    done
    fail "needs Python 3.10, 3.11 or 3.12; tried $tried. Install one of them, or name one:" \
        "PYTHON=/path/to/python3.11 bash script/machine_setup.sh"
}

# Makes $venv, unless there is a sound one, of the wanted Python, that no set-up left half-done.
make_venv() {
    local found
    found="$(version_of "$venv/bin/python")" || found="no working Python"
    if [[ ! -e "$unfinished" ]] && is_supported "$found" && is_wanted "$found" && has_pip; then
        say "bringing .venv (Python $found) up to date"
        : >"$unfinished"
        # Or pip would report its forbidding metadata as an error, which is no news.
        "$venv/bin/python" -m pip uninstall --yes -qq "${allennlp%%=*}"
        return
    fi

    choose_python
    if [[ -e "$unfinished" ]]; then
        say "the last set-up was cut short: starting .venv afresh"
    elif [[ -e "$venv" ]]; then
        say "replacing .venv ($found)"
    fi
    say "making .venv with Python $(version_of "$python") ($(command -v "$python"))"
    "$python" -m venv --clear "$venv" ||
        fail "Python could not make $venv. On Debian and Ubuntu its venv module is a package of its" \
            "own: apt install python3-venv; $again"
    : >"$unfinished"
}

install() {
    say "installing $*"
    "$venv/bin/python" -m pip install --disable-pip-version-check --compile "$@" ||
        fail "pip could not install $* (its message is above). If it is not about the network, your" \
            "package index or a full disk, please report it; otherwise mend that, $again"
}

describe() {
    "$venv/bin/python" -c '
import platform, torch
device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
print(f"Python {platform.python_version()}, torch {torch.__version__}, {device}")
' || fail "torch is installed but does not load (its message is above)"
}

main() {
    is_current && return

    # Two set-ups at once would tread on each other; the lock goes with the process, whatever ends it.
    if command -v flock >/dev/null; then
        exec 9<"$script"
        flock --nonblock 9 || { say "waiting for another set-up of this checkout" && flock 9; }
        is_current && return
    fi

    trap 'fail "interrupted; to start afresh, run: bash script/machine_setup.sh"' INT TERM HUP
    make_venv
    install "$pip"
    install -r "$root/requirements.txt" -r "$root/requirements-dev.txt"
    install --no-deps "$allennlp"
    local description
    description="$(describe)"
    fingerprint "$venv/bin/python" >"$stamp"
    rm "$unfinished"
    say "ready after $SECONDS s: $description"
}

main
