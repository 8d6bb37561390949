#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
#
# Shows that the pure rooms import no input or output, clock, lock, log or environment, and that the
# packet rooms do not throw: tests/purity.sh LIBMAPPING.a LIBWIRE.a LIBSIIT.a
set -euo pipefail
export LC_ALL=C

[ $# -eq 3 ] || { echo "usage: purity.sh MAPPING WIRE SIIT" >&2; exit 64; }
command -v nm >/dev/null || { echo "purity.sh: nm is missing (package binutils)" >&2; exit 1; }

# C symbols as they are; C++ ones by a piece of their demangled name.
impure_c='open|openat|creat|close|read|write|pread|pwrite|readv|writev|recv.*|send.*|socket.*|bind'
impure_c+='|connect|accept.*|listen|poll|ppoll|select|epoll_.*|eventfd|ioctl|fcntl|mmap|munmap'
impure_c+='|stat|fstat|lstat|access|unlink|rename|opendir|readdir|glob|syscall|fork|execv.*|kill'
impure_c+='|signal|sigaction|clock_gettime|gettimeofday|time|localtime.*|nanosleep|usleep|sleep'
impure_c+='|getenv|secure_getenv|getrandom|rand|random|getpid|sched_yield|sysconf|syslog|system'
impure_c+='|f?printf|v?f?printf|__v?f?printf_chk|puts|fputs|putchar|fputc|fwrite|fread|fopen.*|fgets'
impure_c+='|std(in|out|err)|pthread_.*|sem_.*|__errno_location|exit|_exit|dl(open|sym)'
impure_cpp='std::(cout|cerr|clog|cin|ios_base::Init|basic_[io]?fstream|basic_filebuf|filesystem'
impure_cpp+='|random_device|thread|mutex|condition_variable|chrono::_V2|this_thread)|spdlog|fmt::'
throwing='__cxa_throw|__cxa_rethrow|__cxa_begin_catch|std::__throw_.*'

bad=0
# refuse LIBRARY PATTERN WHY: prints the imported symbols whose whole name matches.
refuse() {
    local found
    found=$(imports "$1" | grep -E "^($2)$" || true)
    [ -z "$found" ] && return
    printf '%s imports %s:\n%s\n' "$(basename "$1")" "$3" "$found" >&2
    bad=1
}
imports() {
    nm --undefined-only --demangle "$1" | awk '$1 == "U" { $1 = ""; print substr($0, 2) }' |
        sed -E 's/@.*//' | sort -u
}

for library; do
    [ -n "$(imports "$library")" ] || { echo "$library: no symbols, nothing shown" >&2; exit 1; }
    refuse "$library" "$impure_c" "what a pure room must not use"
    refuse "$library" "($impure_cpp).*" "what a pure room must not use"
done
# The mapping room loads files with yaml-cpp, which throws; packets are handled without.
refuse "$2" "$throwing.*" "exceptions"
# std::vector's growth check, in constructors, is the only thrower of siit.
refuse "$3" "__cxa_throw|__cxa_rethrow" "exceptions"
refuse "$2" "malloc|free|operator (new|delete).*" "memory allocation"
exit $bad
