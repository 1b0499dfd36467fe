// A new store file, made beside its place and linked there whole: it costs one sync instead of the
// eight that SQLite spends on making one in place, and no other process ever sees half of it.
//
// I/O; any thread.
#pragma once

#include <string>

namespace tiphys::store {

/// Makes `path` with the newest schema if there is no such file; the mode is its owner's alone.
/// Best effort: what hinders it (a folder that is read-only, a full disk, a file system without
/// links) leaves no file, and is told when the store is opened in the ordinary way.
void make_new_store(const std::string& path);

}  // namespace tiphys::store
