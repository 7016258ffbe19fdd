#!/usr/bin/env bash
# Fetches the word vectors that the configs of the 2018 code name: GloVe 6B (100 dimensions) and ELMo.
#
#     bash script/data_setup.sh                       # all that script/data_files.tsv lists, to data/
#     bash script/data_setup.sh --only glove --only elmo-original
#     bash script/data_setup.sh --dry-run             # only say what would be done
#
# What was cut short goes on where it stopped; what is there already is left alone. A file has its name only once
# its size, checksum and content were found right (see the head of data_files.tsv).
set -euo pipefail
export LC_ALL=C

readonly root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
readonly lock_name="data_files.lock"
readonly hdf5_signature="894844460d0a1a0a"
# Seconds without any progress after which a connection is given up.
readonly patience=60
# Exit codes of curl.
readonly curl_http_error=22 curl_cannot_write=23 curl_no_range=33

list="$root/script/data_files.tsv"
target="$root/data"
only=()
dry_run=""
curl_process=""
answers=""
attempts=5
wait=2

usage() {
    cat <<USAGE
usage: data_setup.sh [--only NAME]... [--to DIR] [--list FILE] [--attempts N] [--wait SECONDS] [--dry-run]

Fetches pretrained word vectors (GloVe, ELMo), checks them and puts them in place.

  --only NAME     fetch only what has this name in the list; may be repeated
  --to DIR        the folder to put them in (default: data/ of this checkout)
  --list FILE     what to fetch (default: script/data_files.tsv, which says what a list looks like)
  --attempts N    how often to try each file while the network fails (default: $attempts)
  --wait SECONDS  before the second attempt; twice as long before each further one (default: $wait)
  --dry-run       only say what would be done
  -h, --help      show this
USAGE
}

fail() {
    printf 'data_setup: %s\n' "$*" >&2
    exit 1
}

stopped() {
    # It ignores Ctrl-C where it runs in the background, and with it gone its partial file stays as it is.
    if [[ -n "$curl_process" ]]; then kill "$curl_process" 2>/dev/null || true; fi
    rm -f "$answers"
    printf 'data_setup: stopped; run this again, and it goes on where it was\n' >&2 || true
    exit "$1"
}

misused() {
    usage >&2
    printf 'data_setup: %s\n' "$*" >&2
    exit 2
}

say() {
    printf 'data_setup: %s\n' "$*"
}

parse_arguments() {
    while (($#)); do
        case "$1" in
        -h | --help) usage && exit 0 ;;
        --dry-run) dry_run=yes && shift && continue ;;
        --only | --to | --list | --attempts | --wait) ;;
        *) misused "unknown argument: $1" ;;
        esac
        [[ -n "${2:-}" ]] || misused "$1 needs a value"
        case "$1" in
        --only) only+=("$2") ;;
        --to) target="$2" ;;
        --list) list="$2" ;;
        --attempts) [[ "$2" =~ ^[1-9][0-9]*$ ]] || misused "--attempts $2: give a number from 1" && attempts="$2" ;;
        --wait) [[ "$2" =~ ^[0-9]+$ ]] || misused "--wait $2: give a number of seconds" && wait="$2" ;;
        esac
        shift 2
    done
    [[ -f "$list" ]] || misused "--list $list: there is no such file"
}

# Reads the list into $rows, those that are wanted, checked.
read_list() {
    local line number=0 known="" name path format bytes sha256 url rest
    rows=()
    while IFS= read -r line || [[ -n "$line" ]]; do
        number=$((number + 1))
        line="${line%$'\r'}"
        [[ -z "$line" || "$line" == \#* ]] && continue
        IFS=$'\t' read -r name path format bytes sha256 url rest <<<"$line"
        [[ -n "$url" && -z "$rest" ]] || malformed "$number" "expected six columns parted by tabs"
        [[ "$path" != /* && "/$path/" != */../* ]] || malformed "$number" "the path '$path' leaves the folder"
        [[ "$format" =~ ^(json|hdf5|any|zip:.+)$ ]] || malformed "$number" "unknown format '$format'"
        [[ "$bytes" =~ ^(-|[0-9]+)$ ]] || malformed "$number" "the size '$bytes' is no number, nor -"
        [[ "$sha256" =~ ^(-|[0-9a-f]{64})$ ]] || malformed "$number" "the checksum '$sha256' is none, nor -"
        [[ " $known " == *" $name "* ]] || known="$known${known:+ }$name"
        is_wanted "$name" && rows+=("$line")
    done <"$list"
    for name in ${only[@]+"${only[@]}"}; do
        [[ " $known " == *" $name "* ]] || misused "--only $name: $list has ${known:-nothing}"
    done
    ((${#rows[@]})) || fail "$list lists nothing"
}

malformed() {
    fail "$list:$1: $2; see the head of script/data_files.tsv"
}

is_wanted() {
    local name
    ((${#only[@]})) || return 0
    for name in "${only[@]}"; do
        if [[ "$name" == "$1" ]]; then return 0; fi
    done
    return 1
}

check_tools() {
    command -v curl >/dev/null || fail "needs curl, which is not installed"
    command -v sha256sum >/dev/null || command -v shasum >/dev/null ||
        fail "needs sha256sum (or shasum), which is not installed"
    [[ "${rows[*]}" != *$'\t'zip:* ]] || command -v unzip >/dev/null ||
        fail "needs unzip, which is not installed"
}

size_of() {
    local size
    size="$(wc -c <"$1")"
    printf '%d' "$size"
}

sha256_of() {
    if command -v sha256sum >/dev/null; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -c 1-64
}

# The unsigned number of eight bytes, little-endian, at an offset of a file.
number_at() {
    od -An -t u1 -j "$2" -N 8 "$1" |
        awk '{ for (i = NF; i > 0; i--) value = value * 256 + $i } END { printf "%.0f", value }'
}

# The digest that the lock holds of a download (by address) or of a file (by path); nothing if it holds none.
locked() {
    [[ ! -f "$target/$lock_name" ]] || awk -F '\t' -v key="$1" '$1 == key { print $3 }' "$target/$lock_name"
}

# Notes the size and the digest of a file, in place of what the lock said of it.
record() {
    local key="$1" file="$2" digest="$3" lock="$target/$lock_name"
    {
        if [[ -f "$lock" ]]; then awk -F '\t' -v key="$key" '$1 != key' "$lock"; fi
        printf '%s\t%s\t%s\n' "$key" "$(size_of "$file")" "$digest"
    } >"$target/.$lock_name.part"
    mv -f "$target/.$lock_name.part" "$lock"
}

# Says on standard output what is wrong with the content of a file; nothing if it is as its format asks.
fault_in() {
    local file="$1" format="$2" end
    case "$format" in
    zip:*)
        unzip -tqq "$file" >/dev/null 2>&1 || { printf 'is no sound zip archive' && return; }
        # Not grep -q, which would stop listening: unzip would then fail, and with it the pipe.
        unzip -Z1 "$file" | grep -xF -- "${format#zip:}" >/dev/null || printf 'does not hold %s' "${format#zip:}"
        ;;
    hdf5)
        if [[ "$(od -An -t x1 -N 8 "$file" | tr -d ' \n')" != "$hdf5_signature" ]]; then
            printf 'is no HDF5 file'
            return
        fi
        # HDF5 File Format Specification, II.A: the end-of-file address in superblocks of version 0, and of 2 and 3.
        case "$(od -An -t u1 -j 8 -N 1 "$file" | tr -d ' ')" in
        0) end="$(number_at "$file" 40)" ;;
        2 | 3) end="$(number_at "$file" 28)" ;;
        *) end=0 ;;
        esac
        [[ "$(size_of "$file")" -ge "$end" ]] || printf 'is an HDF5 file cut short (of %s bytes)' "$end"
        ;;
    json)
        [[ "$(tr -d ' \t\r\n' <"$file" | head -c 1)" == "{" && "$(tr -d ' \t\r\n' <"$file" | tail -c 1)" == "}" ]] ||
            printf 'is no JSON object'
        ;;
    esac
}

# Sets $digest to that of a download; says what is wrong with it as fault_in does, in $fault.
check_download() {
    local file="$1" format="$2" bytes="$3" sha256="$4" url="$5" size expected="$4" whose="the list"
    size="$(size_of "$file")"
    fault="$(fault_in "$file" "$format")"
    if [[ -n "$fault" ]]; then return; fi
    if [[ "$bytes" != - && "$size" != "$bytes" ]]; then
        fault="has $size bytes; expected $bytes"
        return
    fi
    digest="$(sha256_of "$file")"
    if [[ "$sha256" == - ]]; then
        expected="$(locked "$url")"
        whose="$target/$lock_name"
    fi
    if [[ -n "$expected" && "$digest" != "$expected" ]]; then
        fault="has the SHA-256 $digest; $whose says $expected"
    fi
}

# Lets $part grow to the whole of a download, or fails. Sets $resumed if it began with bytes of before.
download() {
    local url="$1" part="$2" attempt pause="$wait" code answer status reason
    answers="$part.answer"
    for ((attempt = 1; ; attempt++)); do
        resumed=""
        if [[ -s "$part" ]]; then resumed=yes; fi
        code=0
        # In the background, so that this script can be stopped meanwhile.
        curl --location --fail "${progress[@]}" --connect-timeout 30 --speed-limit 1 \
            --speed-time "$patience" --continue-at - --output "$part" \
            --write-out '%{http_code} %{errormsg}' "$url" >"$answers" &
        curl_process=$!
        wait "$curl_process" || code=$?
        curl_process=""
        answer="$(<"$answers")"
        rm -f "$answers"
        # It is also 0 where there was nothing left to fetch (416, Range Not Satisfiable).
        if ((code == 0)); then return; fi
        status="${answer%% *}" reason="${answer#* }"
        if ((code == curl_no_range)) && [[ -n "$resumed" ]]; then
            say "the server cannot go on where it stopped: from the beginning"
            rm -f "$part"
            continue
        fi
        if ((code == curl_cannot_write)); then
            fail "cannot write $part: ${reason:-is the disk full?} Free space, then run this again."
        fi
        if ((attempt >= attempts)) || { ((code == curl_http_error)) && [[ "$status" == 4?? ]]; }; then
            fail "could not fetch $url: ${reason:-curl ended with code $code} (attempt $attempt of $attempts)." \
                "Check the connection, the proxy (https_proxy) and the address, then run this again: it goes" \
                "on where it stopped."
        fi
        say "${reason:-curl ended with code $code}; next attempt in $pause s"
        sleep "$pause"
        pause=$((pause * 2))
    done
}

# Puts a checked download, or the member of it that is wanted, in place of nothing.
put_in_place() {
    local part="$1" final="$2" format="$3" partial
    if [[ "$format" != zip:* ]]; then
        mv "$part" "$final"
        return
    fi
    partial="$(dirname "$final")/.$(basename "$final").unpacking"
    say "unpacking ${format#zip:}"
    if [[ "$final" == *.gz ]]; then
        unzip -p "$part" "${format#zip:}" | gzip -n >"$partial"
    else
        unzip -p "$part" "${format#zip:}" >"$partial"
    fi || { rm -f "$partial" && fail "cannot unpack ${format#zip:} to $final: is the disk full?"; }
    mv "$partial" "$final"
    rm -f "$part"
}

# Returns 0 if the file that a line of the list is about is there; fails if it is another.
is_there() {
    local final="$1" path="$2" format="$3" bytes="$4" sha256="$5" fault="" expected
    [[ -e "$final" ]] || return 1
    if [[ -n "$dry_run" ]]; then return; fi
    expected="$(locked "$path")"
    if [[ "$format" != zip:* ]]; then
        fault="$(fault_in "$final" "$format")"
        if [[ "$sha256" != - ]]; then expected="$sha256"; fi
        if [[ -z "$fault" && "$bytes" != - && "$(size_of "$final")" != "$bytes" ]]; then
            fault="has $(size_of "$final") bytes; expected $bytes"
        fi
    fi
    if [[ -z "$fault" && -n "$expected" && "$(sha256_of "$final")" != "$expected" ]]; then
        fault="does not have the SHA-256 $expected"
    fi
    [[ -z "$fault" ]] || fail "$final is there, but $fault. Move it away, then run this again."
}

fetch() {
    local name="$1" path="$2" format="$3" bytes="$4" sha256="$5" url="$6"
    local final="$target/$path" part digest="" fault="" resumed="" size="$bytes bytes"
    if [[ "$bytes" == - ]]; then size="size not known"; fi
    if is_there "$final" "$path" "$format" "$bytes" "$sha256"; then
        say "$name: $final is there"
        return
    fi
    if [[ -n "$dry_run" ]]; then
        say "$name: would fetch $url ($size) for $final"
        return
    fi
    mkdir -p "$(dirname "$final")" || fail "cannot make the folder of $final"
    part="$(dirname "$final")/.$(basename "$final").download"
    say "$name: fetching $url ($size)"
    while true; do
        download "$url" "$part"
        check_download "$part" "$format" "$bytes" "$sha256" "$url"
        if [[ -z "$fault" ]]; then break; fi
        rm -f "$part"
        # The file may have changed since its first bytes came.
        [[ -n "$resumed" ]] || fail "what came from $url $fault. It was thrown away." \
            "Is there a page to log in to between you and the network, or has the file changed?"
        say "the file put together from two downloads $fault; fetching it anew"
    done
    say "SHA-256 $digest ($([[ "$sha256" == - ]] && printf 'recorded in %s' "$lock_name" || printf 'as listed'))"
    record "$url" "$part" "$digest"
    put_in_place "$part" "$final" "$format"
    if [[ "$format" == zip:* ]]; then digest="$(sha256_of "$final")"; fi
    record "$path" "$final" "$digest"
    say "$name: $final is ready ($(size_of "$final") bytes)"
}

main() {
    local row
    parse_arguments "$@"
    read_list
    if [[ -z "$dry_run" ]]; then
        check_tools
        mkdir -p "$target" || fail "cannot make the folder $target"
        # Two at once would write to one file; the lock goes with the process.
        if command -v flock >/dev/null; then
            exec 9<"$target"
            flock --nonblock 9 || fail "another data_setup is at work in $target"
        fi
    fi
    trap 'stopped 130' INT
    trap 'stopped 143' TERM
    trap 'stopped 129' HUP
    progress=(--silent)
    if [[ -t 2 ]]; then progress=(--progress-bar); fi
    for row in "${rows[@]}"; do
        IFS=$'\t' read -r name path format bytes sha256 url <<<"$row"
        fetch "$name" "$path" "$format" "$bytes" "$sha256" "$url"
    done
}

main "$@"
