#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Tokyo and Osaka: two or more translators, real OSPF, all in network namespaces that touch nothing
# else and go at the end. Installs what is needed and builds. As root on Debian 12:
#
#   run.sh [--nodes N] [--variant equal-cost|preferred-site] [--seconds S]      a live view
#   run.sh gaps [OPTIONS]      measures what a user notices of each accident; --help tells more
set -Eeuo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

program=view.py
if [ "${1:-}" = gaps ]; then
    program=gaps.py
    shift
fi
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$root/tests/integration
export XLAT646D=${XLAT646D:-$root/build/bin/xlat646d}
case " $* " in *" --help "* | *" -h "*) exec /usr/bin/python3 "$here/$program" --help ;; esac
if [ "$(id -u)" -ne 0 ]; then
    echo "tokyo-osaka: network namespaces need root" >&2
    exit 77
fi
"$root/packaging/dependencies.sh" build demo routing
cmake -S "$root" -B "$root/build" -G Ninja >/dev/null
cmake --build "$root/build" --target xlat646d xlat646
exec /usr/bin/python3 "$here/$program" "$@"
