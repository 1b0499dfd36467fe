#include "executor/artifact_transfer.h"

#include <curl/curl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "executor/archive_files.h"
#include "executor/preparation.h"
#include "net/address_guard.h"

namespace tiphys::executor {
namespace {

constexpr long kTransferTimeoutSeconds = 300;

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
  // Many stores are in the private network, so that is not refused.
  net::AddressGuard guard{false};

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
  request.guard.set_on(request.easy);
  const CURLcode code = curl_easy_perform(request.easy);
  if (code != CURLE_OK) {
    const std::string& refusal = request.guard.refusal();
    return diag::fail(diag::Code::kIo,
                      refusal.empty() ? fmt::format("{}: {}", url, curl_easy_strerror(code))
                                      : fmt::format("{}: refused to connect: {}", url, refusal));
  }
  long status = 0;
  curl_easy_getinfo(request.easy, CURLINFO_RESPONSE_CODE, &status);
  return status;
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
  const std::string packed = settings.scratch + "/packed.archive";
  const Archive archive = archive_of(artifact);
  if (archive != Archive::kNone) TRY_VOID(write_file(packed, request.answer));
  if (archive == Archive::kZip || (archive == Archive::kTar && is_packed_by_tar(packed))) {
    auto unpacked = unpack(packed, place, settings.scratch, archive);
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
    const std::string packed = settings.scratch + "/packed.archive";
    const Archive archive = archive_of(artifact);
    TRY_VOID(pack(path, packed, archive == Archive::kNone ? Archive::kTar : archive, 0));
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
