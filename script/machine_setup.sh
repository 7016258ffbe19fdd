#!/usr/bin/env bash
# Makes .venv at the root of the repository, with everything that training and the tests need.
#
#     bash script/machine_setup.sh                    # from any directory
#     PYTHON=python3.12 bash script/machine_setup.sh  # with an interpreter of your choice
#     TORCH=cpu bash script/machine_setup.sh          # with a build of torch by the name that PyTorch's index
#                                                     # gives it (cpu, cu128, ...)
#
# Run it as often as you like: it returns at once while the requirement files, Python and torch's build are
# those of the last set-up, and starts afresh if the last set-up was cut short. It installs with uv if that is
# there, else with the pip that comes with Python. pip's own settings (index, find-links, proxy, ...) apply as
# ever; without TORCH your index decides which build of torch you get.
set -euo pipefail

readonly root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
readonly venv="$root/.venv"
readonly stamp="$venv/.setup-stamp"             # what the finished set-up was made of
readonly unfinished="$venv/.setup-unfinished"   # there while a set-up is under way
readonly script="$root/script/machine_setup.sh"
# Apart from the requirement files: see the head of requirements.txt.
readonly allennlp="allennlp==2.10.1"
readonly torch_index="https://download.pytorch.org/whl"
# The newest first.
readonly pythons=(python3.14 python3.13 python3.12 python3.11 python3.10 python3)
readonly again="then run this again: bash script/machine_setup.sh"

# Where this is set, an installation without bytecode would double the start-up time of every command.
unset PYTHONDONTWRITEBYTECODE
# Of what has no wheel (seqeval) the pip of Python 3.10 would run setup.py, which setuptools no longer takes.
export PIP_USE_PEP517=1 PIP_DISABLE_PIP_VERSION_CHECK=1

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
    case "$1" in 3.10.* | 3.11.* | 3.12.* | 3.13.* | 3.14.*) return 0 ;; *) return 1 ;; esac
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

# Which build of torch is there, as TORCH names it; nothing where it does not say, or where there is none.
torch_build() {
    local installed
    installed="$(compgen -G "$venv/lib/python*/site-packages/torch-*+*.dist-info")" || return 0
    installed="${installed##*+}"
    printf '%s' "${installed%.dist-info}"
}

pinned_torch() {
    sed -n 's/^torch==\([0-9.]*\).*/\1/p' "$root/requirements.txt"
}

has_pinned_torch() {
    local pinned
    pinned="$(pinned_torch)"
    compgen -G "$venv/lib/python*/site-packages/torch-$pinned[+-]*" >/dev/null ||
        compgen -G "$venv/lib/python*/site-packages/torch-$pinned.dist-info" >/dev/null
}

# With PYTHON and TORCH unset, an existing .venv keeps what it has.
is_wanted() {
    [[ -z "${PYTHON:-}" || "$(version_of "$PYTHON")" == "$1" ]] || return 1
    [[ -z "${TORCH:-}" || "$(torch_build)" == "$TORCH" ]]
}

has_packages() {
    [[ -f "$stamp" && ! -e "$unfinished" ]] || return 1
    [[ "$(fingerprint "$venv/bin/python" 2>/dev/null)" == "$(<"$stamp")" ]] || return 1
    is_wanted "$(version_of "$venv/bin/python")"
}

# Where there is no project yet, as in the first layer of a container, there is nothing to install of it.
has_project() {
    [[ ! -f "$root/pyproject.toml" || "$venv/bin/hmtl" -nt "$root/pyproject.toml" ]]
}

# Sets $python to the interpreter to build on.
choose_python() {
    local candidate version tried="" candidates=("${pythons[@]}")
    if [[ -n "${PYTHON:-}" ]]; then candidates=("$PYTHON"); fi
    for candidate in "${candidates[@]}"; do
        version="$(version_of "$candidate")" || version="not found"
        if is_supported "$version"; then
            python="$candidate"
            return
        fi
        tried+="${tried:+, }$candidate ($version)"
    done
    fail "needs a Python from 3.10 to 3.14; tried $tried. Install one of them, or name one:" \
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
        # Where the torch there is the pinned one, none is downloaded; else it is one of the same build.
        has_pinned_torch || TORCH="${TORCH:-$(torch_build)}"
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

# Says what a machine without a GPU can save, before it is downloaded.
offer_cpu_build() {
    [[ "$(uname -s)" == Linux && -z "${TORCH:-}" && ! -e /dev/nvidiactl && ! -e /dev/kfd ]] || return 0
    say "there is no GPU here, and the torch of PyPI brings CUDA along: some 4 GB to download, unless your" \
        "pip is set to another. For the CPU build (0.2 GB) stop this (Ctrl-C) and run:" \
        "TORCH=cpu bash script/machine_setup.sh"
}

# uv reads none of pip's settings.
pass_settings_to_uv() {
    local pair of_pip of_uv
    for pair in FIND_LINKS:FIND_LINKS INDEX_URL:DEFAULT_INDEX EXTRA_INDEX_URL:INDEX; do
        of_pip="PIP_${pair%:*}" of_uv="UV_${pair#*:}"
        if [[ -n "${!of_pip:-}" && -z "${!of_uv:-}" ]]; then export "$of_uv=${!of_pip}"; fi
    done
}

# Installs what it is given, and says what could not be installed.
install() {
    say "installing $*"
    run_installer "$@" || fail "could not install $* (the reason is above). If it is not about the network, your" \
        "package index or a full disk, please report it; otherwise mend that, $again"
}

run_installer() {
    if command -v uv >/dev/null; then
        pass_settings_to_uv
        uv pip install --python "$venv/bin/python" --compile-bytecode "$@"
    else
        "$venv/bin/python" -m pip install --compile "$@"
    fi
}

# By itself, and by its whole version: where PyTorch's index cannot be reached, an installer would take
# the build that the usual one has, which brings CUDA along.
install_torch() {
    local address="$torch_index/$TORCH" build
    build="torch==$(pinned_torch)+$TORCH"
    say "installing $build from $address"
    # Or from a folder of wheels, first and by itself: where the index is closed, uv would not look there.
    if [[ -n "${PIP_FIND_LINKS:-}${UV_FIND_LINKS:-}" ]] && run_installer "$build" 2>/dev/null; then return; fi
    PIP_RETRIES=1 run_installer --extra-index-url "$address" "$build" ||
        fail "could not get $build for Python $(version_of "$venv/bin/python") (the reason is above). Is there" \
            "such a build at $address, and does this machine reach that? PIP_FIND_LINKS names a folder that" \
            "holds its wheel. Without TORCH you get the build that your own index has"
}

describe() {
    "$venv/bin/python" -c '
import platform, torch
device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
print(f"Python {platform.python_version()}, torch {torch.__version__}, {device}")
' || fail "torch is installed but does not load (its message is above)"
}

main() {
    # There is but one build for macOS, and it has no name.
    if [[ "$(uname -s)" == Darwin ]]; then TORCH=""; fi
    has_packages && has_project && return

    # Two set-ups at once would tread on each other; the lock goes with the process, whatever ends it.
    if command -v flock >/dev/null; then
        exec 9<"$root"
        flock --nonblock 9 || { say "waiting for another set-up of this checkout" && flock 9; }
        has_packages && has_project && return
    fi

    trap 'fail "interrupted; to start afresh, run: bash script/machine_setup.sh"' INT TERM HUP
    if ! has_packages; then
        make_venv
        offer_cpu_build
        if [[ -n "${TORCH:-}" ]]; then install_torch; fi
        install -r "$root/requirements.txt" -r "$root/requirements-dev.txt"
        install --no-deps "$allennlp"
        local description
        description="$(describe)"
        fingerprint "$venv/bin/python" >"$stamp"
        rm "$unfinished"
        say "ready after $SECONDS s: $description"
    fi
    # The command `hmtl` and spaCy's entry point, from where the project lies; setuptools comes with spaCy.
    has_project || install --quiet --no-deps --no-build-isolation --editable "$root"
}

main
