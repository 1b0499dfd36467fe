#include "executor/artifact_transfer.h"

#include <curl/curl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include <fmt/format.h>

#include "executor/path_words.h"
#include "executor/preparation.h"
#include "executor/step_log.h"

extern char** environ;  // NOLINT: posix_spawn wants it

namespace tiphys::executor {
namespace {

constexpr long kTransferTimeoutSeconds = 300;

bool run_tar(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, "tar", &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = -1;
  if (error != 0) return false;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::size_t append(char* data, std::size_t size, std::size_t count, void* text) {
  static_cast<std::string*>(text)->append(data, size * count);
  return size * count;
}

diag::Result<std::string> secret_of(const value::Value& ref, const TransferSettings& settings) {
  if (!ref.is_map()) return std::string();
  if (!settings.lookup.secret) return diag::fail(diag::Code::kIo, "no secrets here");
  return settings.lookup.secret(settings.name_space, std::string(ref["name"].string_or("")),
                                std::string(ref["key"].string_or("")));
}

struct Request {
  CURL* easy = curl_easy_init();
  curl_slist* headers = nullptr;
  std::string answer;

  Request() = default;
  Request(const Request&) = delete;
  Request& operator=(const Request&) = delete;
  ~Request() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
};

diag::Result<long> perform(const value::Value& http, Request& request,
                           const TransferSettings& settings) {
  const std::string url(http["url"].string_or(""));
  const value::Value& basic = http["auth"]["basicAuth"];
  TRY(const std::string user, secret_of(basic["usernameSecret"], settings));
  TRY(const std::string password, secret_of(basic["passwordSecret"], settings));
  for (const value::Value& header : http["headers"].list()) {
    const std::string line =
        fmt::format("{}: {}", header["name"].string_or(""), header["value"].string_or(""));
    request.headers = curl_slist_append(request.headers, line.c_str());
  }
  request.headers = curl_slist_append(request.headers, "Expect:");
  request.headers = curl_slist_append(request.headers, "Content-Type:");
  curl_easy_setopt(request.easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(request.easy, CURLOPT_HTTPHEADER, request.headers);
  if (!user.empty()) curl_easy_setopt(request.easy, CURLOPT_USERNAME, user.c_str());
  if (!password.empty()) curl_easy_setopt(request.easy, CURLOPT_PASSWORD, password.c_str());
  curl_easy_setopt(request.easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(request.easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(request.easy, CURLOPT_TIMEOUT, kTransferTimeoutSeconds);
  curl_easy_setopt(request.easy, CURLOPT_WRITEFUNCTION, &append);
  curl_easy_setopt(request.easy, CURLOPT_WRITEDATA, &request.answer);
  const CURLcode code = curl_easy_perform(request.easy);
  if (code != CURLE_OK) {
    return diag::fail(diag::Code::kIo, fmt::format("{}: {}", url, curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(request.easy, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

// Argo packs one entry, named as the path's last part; unpacked, that entry becomes the artifact.
diag::Result<void> unpack(const std::string& packed, const std::string& place,
                          const TransferSettings& settings) {
  const std::string folder = settings.scratch + "/unpacked";
  remove_tree(folder);
  if (!make_folders(folder)) return diag::fail(diag::Code::kIo, "mkdir " + folder);
  if (!run_tar({"tar", "-xf", packed, "-C", folder})) {
    return diag::fail(diag::Code::kInvalidManifest, "not an archive");
  }
  std::error_code error;
  std::vector<std::filesystem::path> entries;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    entries.push_back(entry.path());
  }
  remove_tree(place);
  std::filesystem::rename(entries.size() == 1 ? entries[0] : std::filesystem::path(folder), place,
                          error);
  if (error) return diag::fail(diag::Code::kIo, "rename: " + error.message());
  return {};
}

bool looks_packed(std::string_view bytes) {
  return bytes.starts_with("\x1f\x8b") || (bytes.size() > 262 && bytes.substr(257, 5) == "ustar");
}

}  // namespace

diag::Result<void> fetch_artifact(const value::Value& artifact, const std::string& place,
                                  const TransferSettings& settings) {
  Request request;
  curl_easy_setopt(request.easy, CURLOPT_FOLLOWLOCATION, 1L);
  TRY(const long status, perform(artifact["http"], request, settings));
  if (status == 404) return diag::fail(diag::Code::kNotFound, "not found");
  if (status < 200 || status > 299) {
    return diag::fail(diag::Code::kIo, fmt::format("loading file from {} failed with reason: {}",
                                                   artifact["http"]["url"].string_or(""), status));
  }
  if (artifact["archive"]["none"].is_null() && looks_packed(request.answer)) {
    const std::string packed = settings.scratch + "/packed";
    TRY_VOID(write_file(packed, request.answer));
    auto unpacked = unpack(packed, place, settings);
    ::unlink(packed.c_str());
    if (unpacked || unpacked.error().code != diag::Code::kInvalidManifest) return unpacked;
  }
  return write_file(place, request.answer);
}

diag::Result<void> send_artifact(const value::Value& artifact, const std::string& path,
                                 bool is_archived, const TransferSettings& settings) {
  std::string bytes;
  struct stat st = {};
  const bool is_folder = ::stat(path.c_str(), &st) == 0 && S_ISDIR(st.st_mode);
  if (is_archived || is_folder) {
    const std::string packed = settings.scratch + "/packed";
    const std::string name = path.substr(path.rfind('/') + 1);
    if (!run_tar({"tar", "-czf", packed, "-C", parent_path(path), name})) {
      return diag::fail(diag::Code::kIo, "tar failed");
    }
    TRY(bytes, read_file(packed));
    ::unlink(packed.c_str());
  } else {
    TRY(bytes, read_file(path));
  }
  Request request;
  curl_easy_setopt(request.easy, CURLOPT_CUSTOMREQUEST, "PUT");
  curl_easy_setopt(request.easy, CURLOPT_POSTFIELDSIZE_LARGE,
                   static_cast<curl_off_t>(bytes.size()));
  curl_easy_setopt(request.easy, CURLOPT_POSTFIELDS, bytes.data());
  TRY(const long status, perform(artifact["http"], request, settings));
  if (status >= 200 && status < 300) return {};
  return diag::fail(diag::Code::kIo,
                    fmt::format("saving file {} to {} failed with reason: {}", path,
                                artifact["http"]["url"].string_or(""), status));
}

}  // namespace tiphys::executor
