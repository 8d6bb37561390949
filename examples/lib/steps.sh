# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034
#
# How the demo talks: numbered steps, the commands they run, and a summary.

steps=0
failed=()
if [ -t 1 ]; then
    bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
    bold='' dim='' red='' green='' plain=''
fi

say() { printf '%s\n' "$@"; }

# show ROLE COMMAND...: prints the command as one would type it there, runs it, indents what it says.
show() {
    local role=$1
    shift
    printf '  %s%s$ %s%s\n' "$dim" "$role" "$*" "$plain"
    on "$role" "$@" 2>&1 | sed 's/^/      /'
}

# step TITLE FUNCTION EXPLANATION...: runs the function; its status decides.
step() {
    local title=$1 function=$2
    shift 2
    steps=$((steps + 1))
    printf '\n%s%d. %s%s\n' "$bold" "$steps" "$title" "$plain"
    [ $# -eq 0 ] || printf '   %s\n' "$@"
    if "$function"; then
        printf '   %s[ok]%s\n' "$green" "$plain"
    else
        printf '   %s[FAILED]%s\n' "$red" "$plain"
        failed+=("$steps. $title")
    fi
}

# Returns 1 if any step failed.
summary() {
    echo
    if [ ${#failed[@]} -eq 0 ]; then
        say "${green}${bold}all $steps steps passed${plain}"
        return 0
    fi
    say "${red}${bold}${#failed[@]} of $steps steps failed:${plain}"
    printf '  %s\n' "${failed[@]}"
    return 1
}
