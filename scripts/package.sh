#!/usr/bin/env bash
# scripts/package.sh: builds and makes build/release/epione_VERSION_ARCHITECTURE.deb, for the Debian release of this machine.
. "$(dirname "$0")/lib.sh"

ensure_packages
build release epione epione_documentation
cd "$epione_root/build/release"
rm -f epione_*.deb
cpack -G DEB >&2
package=$(ls epione_*.deb)
dpkg-deb --field "$package" Package Version Architecture Installed-Size Depends >&2
say "made build/release/$package"
