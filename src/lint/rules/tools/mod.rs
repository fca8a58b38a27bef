//! Rules about tools that write archives, programs and lists.

pub(super) mod ar_mode;
pub(super) mod c_paths;
pub(super) mod dotnet_deterministic;
pub(super) mod fs_image;
pub(super) mod go_paths;
pub(super) mod gzip_name;
pub(super) mod hash_seed;
pub(super) mod host_probe;
pub(super) mod jar_date;
pub(super) mod locale_sort;
pub(super) mod native_cpu;
pub(super) mod parallel_order;
pub(super) mod profile_guided;
pub(super) mod random_build_name;
pub(super) mod rust_paths;
pub(super) mod tar_flags;
pub(super) mod threaded_compressor;
pub(super) mod unsorted_list;
pub(super) mod zip_flags;
