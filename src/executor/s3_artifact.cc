#include "executor/s3_artifact.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "executor/archive_files.h"
#include "executor/path_words.h"
#include "executor/s3_server.h"
#include "executor/step_log.h"

namespace tiphys::executor {
namespace {

namespace fs = std::filesystem;

std::unexpected<diag::Error> with_lead(std::string_view lead, const diag::Error& error) {
  return diag::fail(error.code, fmt::format("{}: {}", lead, error.message));
}

diag::Result<S3Location> location_of(const value::Value& artifact,
                                     const TransferSettings& settings) {
  auto location = s3_location(artifact["s3"], settings.name_space, settings.lookup);
  if (!location) return with_lead("failed to create new S3 client", location.error());
  return location;
}

// The key with the artifact's subPath.
std::string key_of(const value::Value& artifact) {
  std::string key(artifact["s3"]["key"].string_or(""));
  const std::string part = clean_path("/" + std::string(artifact["subPath"].string_or("")));
  if (part != "/" && !key.ends_with(part)) key += part;
  return key;
}

std::string folder_key(std::string key) {
  while (key.ends_with('/')) key.pop_back();
  return key.empty() ? key : key + "/";
}

// Keys that end in a slash stand for folders themselves.
diag::Result<std::vector<std::string>> keys_below(S3Server& server, const std::string& key) {
  auto keys = server.list(folder_key(key));
  if (keys) std::erase_if(*keys, [](const std::string& k) { return k.ends_with('/'); });
  return keys;
}

diag::Result<void> fetch_folder(S3Server& server, const std::string& key,
                                const std::vector<std::string>& keys, const std::string& place) {
  for (const std::string& one : keys) {
    // A key may hold `..`, and must not lead out of the place.
    const std::string path = place + clean_path("/" + one.substr(folder_key(key).size()));
    if (!make_folders(parent_path(path))) return diag::fail(diag::Code::kIo, "mkdir " + path);
    auto got = server.get_file(one, path);
    if (!got) return with_lead("failed to get directory", got.error());
  }
  return {};
}

diag::Result<void> fetch_object(S3Server& server, const std::string& key,
                                const value::Value& artifact, const std::string& place,
                                const TransferSettings& settings) {
  const Archive archive = archive_of(artifact);
  if (!make_folders(parent_path(place)) || !make_folders(settings.scratch)) {
    return diag::fail(diag::Code::kIo, "mkdir " + parent_path(place));
  }
  const std::string packed = settings.scratch + "/packed";
  const std::string& to = archive == Archive::kNone ? place : packed;
  auto got = server.get_file(key, to);
  if (!got) {
    if (got.error().code == diag::Code::kNotFound) return got;
    return with_lead("failed to get file", got.error());
  }
  if (archive == Archive::kNone) return {};
  if (archive == Archive::kZip || is_packed_by_tar(packed)) {
    auto unpacked = unpack(packed, place, settings.scratch, archive);
    ::unlink(packed.c_str());
    return unpacked;
  }
  remove_tree(place);
  std::error_code error;
  fs::rename(packed, place, error);
  if (error) fs::copy(packed, place, error);
  ::unlink(packed.c_str());
  return error ? diag::fail(diag::Code::kIo, "rename: " + error.message()) : diag::Result<void>();
}

diag::Result<void> send_folder(S3Server& server, const std::string& key, const std::string& path) {
  std::error_code error;
  for (fs::recursive_directory_iterator it(path, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file(error) || it->is_symlink(error)) continue;
    const std::string file = it->path().string();
    auto put = server.put_file(folder_key(key) + file.substr(path.size() + 1), file);
    if (!put) return with_lead("failed to put directory", put.error());
  }
  if (!error) return {};
  return diag::fail(diag::Code::kIo, fmt::format("failed to put directory: {}", error.message()));
}

S3Leave leave_of(const S3Location& location, const value::Value& artifact,
                 const std::string& method, const std::string& key) {
  const S3Server server(seen_from_pods(location, artifact["s3"]));
  S3Server::Leave leave = server.leave(method, key, kLeaveSeconds);
  return {.below = "",
          .url = std::move(leave.url),
          .headers = std::move(leave.headers),
          .certificates = location.certificates};
}

diag::Result<void> make_wanted_bucket(S3Server& server, const value::Value& artifact,
                                      const std::string& bucket) {
  if (!artifact["s3"]["createBucketIfNotPresent"].is_map()) return {};
  auto made = server.make_bucket();
  if (!made) return with_lead(fmt::format("failed to create bucket {}", bucket), made.error());
  return {};
}

}  // namespace

diag::Result<void> fetch_s3(const value::Value& artifact, const std::string& place,
                            const TransferSettings& settings) {
  TRY(S3Location location, location_of(artifact, settings));
  S3Server server(std::move(location));
  const std::string key = key_of(artifact);
  auto got = fetch_object(server, key, artifact, place, settings);
  if (got || got.error().code != diag::Code::kNotFound) return got;
  auto keys = keys_below(server, key);
  if (!keys) {
    return with_lead(fmt::format("failed to test if {} is a directory", key), keys.error());
  }
  if (keys->empty()) return got;
  return fetch_folder(server, key, *keys, place);
}

diag::Result<void> send_s3(const value::Value& artifact, const std::string& path,
                           const TransferSettings& settings) {
  TRY(S3Location location, location_of(artifact, settings));
  const std::string bucket = location.bucket;
  S3Server server(std::move(location));
  TRY_VOID(make_wanted_bucket(server, artifact, bucket));
  const std::string key(artifact["s3"]["key"].string_or(""));
  const Archive archive = archive_of(artifact);
  std::string file = path;
  if (archive != Archive::kNone) {
    if (!make_folders(settings.scratch))
      return diag::fail(diag::Code::kIo, "mkdir " + settings.scratch);
    file = settings.scratch + "/packed.archive";  // zip adds .zip to a name without a dot
    const auto level = artifact["archive"]["tar"]["compressionLevel"].int_or(0);
    TRY_VOID(pack(path, file, archive, static_cast<int>(level)));
  } else if (fs::is_directory(path)) {
    return send_folder(server, key, path);
  }
  auto put = server.put_file(key, file);
  if (archive != Archive::kNone) ::unlink(file.c_str());
  if (!put) return with_lead("failed to put file", put.error());
  return {};
}

diag::Result<std::vector<std::string>> keys_in_s3(const value::Value& artifact,
                                                  const TransferSettings& settings) {
  TRY(S3Location location, location_of(artifact, settings));
  S3Server server(std::move(location));
  auto keys = keys_below(server, key_of(artifact));
  if (!keys) return with_lead("failed to list directory", keys.error());
  return keys;
}

diag::Result<void> remove_from_s3(const value::Value& artifact, const TransferSettings& settings) {
  TRY(S3Location location, location_of(artifact, settings));
  S3Server server(std::move(location));
  const std::string key = key_of(artifact);
  TRY(std::vector<std::string> keys, server.list(folder_key(key)));
  if (!key.ends_with('/')) keys.push_back(key);
  for (const std::string& one : keys) TRY_VOID(server.remove(one));
  return {};
}

diag::Result<std::vector<S3Leave>> leaves_to_fetch(const value::Value& artifact,
                                                   const TransferSettings& settings) {
  TRY(const S3Location location, location_of(artifact, settings));
  S3Server server(location);
  const std::string key = key_of(artifact);
  auto size = server.size_of(key);
  if (size) {
    S3Leave leave = leave_of(location, artifact, "GET", key);
    leave.size = *size;
    return std::vector{std::move(leave)};
  }
  if (size.error().code != diag::Code::kNotFound) return std::unexpected(size.error());
  TRY(const std::vector<S3Server::Object> objects, server.objects(folder_key(key)));
  std::vector<S3Leave> leaves;
  for (const S3Server::Object& object : objects) {
    if (object.key.ends_with('/')) continue;
    leaves.push_back(leave_of(location, artifact, "GET", object.key));
    // A key may hold `..`, and must not lead out of the place.
    leaves.back().below = clean_path("/" + object.key.substr(folder_key(key).size()));
    leaves.back().size = object.size;
  }
  if (leaves.empty()) return std::unexpected(size.error());
  return leaves;
}

diag::Result<S3Leave> leave_to_send(const value::Value& artifact,
                                    const TransferSettings& settings) {
  TRY(const S3Location location, location_of(artifact, settings));
  S3Server server(location);
  TRY_VOID(make_wanted_bucket(server, artifact, location.bucket));
  return leave_of(location, artifact, "PUT", std::string(artifact["s3"]["key"].string_or("")));
}

}  // namespace tiphys::executor
