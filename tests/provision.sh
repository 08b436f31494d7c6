#!/usr/bin/env bash
# What this machine needs before the portal or its tests can run.
#   provision.sh python FOLDER   a virtual environment in FOLDER
#   provision.sh programs        Chromium and PostgreSQL for the tests
# Debian's packages are installed when they are absent and it may; else it says which.
set -euo pipefail

python="${PYTHON:-python3}"

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

may_install() {
  command -v apt-get >/dev/null &&
    { [ "$(id -u)" -eq 0 ] || sudo -n true 2>/dev/null; }
}

# install PACKAGE...: by apt-get, as root or by sudo without a password.
install() {
  local become=()
  if [ "$(id -u)" -ne 0 ]; then become=(sudo -n); fi
  command -v apt-get >/dev/null ||
    fail "Please install by your system's own means: $*"
  if [ "${#become[@]}" -gt 0 ] && ! sudo -n true 2>/dev/null; then
    fail "This needs packages that only root may install. Please run:" \
      "  sudo apt-get install $*"
  fi
  echo "Installing $* ..."
  "${become[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq update ||
    echo "The lists of packages could not be renewed; trying with the old ones." >&2
  "${become[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -qq install -y --no-install-recommends "$@" >/dev/null ||
    fail "Could not install $*. Please install by hand, then try again."
}

make_environment() {
  command -v "$python" >/dev/null || install python3 python3-venv
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed; $python is $("$python" -V 2>&1)." \
      "With another: make PYTHON=/path/to/python3.12 ..."
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    # Debian names the package after the version.
    install "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
  fi
  if ! "$python" -m venv "$1"; then
    rm -rf "$1"
    fail "Could not make a virtual environment in $1."
  fi
}

has_postgresql() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null ||
    command -v initdb >/dev/null
}

has_chromium() {
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
    command -v google-chrome >/dev/null
}

install_programs() {
  local missing=()
  has_chromium || missing+=(chromium fonts-liberation)
  has_postgresql || missing+=(postgresql)
  if [ "${#missing[@]}" -gt 0 ]; then install "${missing[@]}"; fi
  # The same engine without a window does a page's work in half the time. Not every
  # system has it, and nothing but time is lost without.
  if ! command -v chromium-headless-shell >/dev/null && may_install &&
    apt-cache show chromium-headless-shell >/dev/null 2>&1; then
    (install chromium-headless-shell) || true
  fi
}

case "${1:-}" in
  python) make_environment "$2" ;;
  programs) install_programs ;;
  *) fail "Usage: provision.sh python FOLDER | programs" ;;
esac
