#!/bin/sh
# Measures one file. Its path stands on stdin, as it is; the arguments are the folders that it may
# lie in. Answers its lines, bytes and CRC (of POSIX cksum) as JSON. Any POSIX shell will do.

fail() {
  printf '%s: %s\n' "$file" "$1" >&2
  exit 66 # EX_NOINPUT: another try would end the same way
}

# The dot keeps newlines at the path's end, which $(…) would take away.
file=$(cat && printf .) || exit 1
file=${file%.}
case $file in
  /*) ;;
  *) fail 'not an absolute path' ;;
esac

# Paths come with tasks, so none may lead out of the folders, nor may a link.
is_inside() (
  cd -P -- "$1" || exit
  top=${PWD%/}
  cd -P -- "${file%/*}/" || exit
  case $PWD/ in
    "$top"/*) ;;
    *) exit 1 ;;
  esac
)
for folder; do
  if is_inside "$folder" 2>/dev/null; then
    [ -f "$file" ] && [ ! -L "$file" ] || fail 'no file'
    lines=$(wc -l <"$file") && sum=$(cksum <"$file") || fail 'can’t be read'
    # shellcheck disable=SC2086 # Split on purpose: the CRC, the bytes.
    set -- $lines $sum
    printf '{"lines":%s,"bytes":%s,"crc":%s}\n' "$1" "$3" "$2"
    exit
  fi
done
fail 'outside of the folders'
