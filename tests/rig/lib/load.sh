# Loads the library for a part.
# shellcheck shell=bash
# shellcheck source=rig.sh
. "$(dirname "${BASH_SOURCE[0]}")/rig.sh"
# shellcheck source=process.sh
. "$rig_dir/lib/process.sh"
# shellcheck source=packages.sh
. "$rig_dir/lib/packages.sh"
# shellcheck source=gotools.sh
. "$rig_dir/lib/gotools.sh"
# shellcheck source=bases.sh
. "$rig_dir/lib/bases.sh"
# shellcheck source=buildkitd.sh
. "$rig_dir/lib/buildkitd.sh"
# shellcheck source=buildkit_image.sh
. "$rig_dir/lib/buildkit_image.sh"
