#include "executor/s3_server.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "executor/s3_xml.h"
#include "net/http_text.h"

namespace tiphys::executor {
namespace {

constexpr std::int64_t kPartsMax = 10'000;  // of S3
constexpr long kConnectSeconds = 10;
constexpr long kSilentSeconds = 60;  // without a byte: the connection is dead
constexpr const char* kUnsigned = "UNSIGNED-PAYLOAD";

/// Part of a file that is being sent or hashed.
struct FileRange {
  int fd = -1;
  std::int64_t at = 0;
  std::int64_t end = 0;

  // Up to `max` bytes; 0 at the end, -1 for an error.
  ssize_t read(char* to, std::size_t max) {
    const auto wanted = std::min(static_cast<std::int64_t>(max), end - at);
    if (wanted <= 0) return 0;
    ssize_t n = 0;
    while ((n = ::pread(fd, to, static_cast<std::size_t>(wanted), at)) < 0 && errno == EINTR) {
    }
    if (n > 0) at += n;
    return n;
  }
};

class File {
 public:
  File(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

std::string sha256_hex_of(FileRange range) {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
  std::vector<char> buffer(1 << 16);
  for (ssize_t n = 0; (n = range.read(buffer.data(), buffer.size())) > 0;) {
    EVP_DigestUpdate(context, buffer.data(), static_cast<std::size_t>(n));
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  unsigned size = 0;
  EVP_DigestFinal_ex(context, digest.data(), &size);
  EVP_MD_CTX_free(context);
  std::string text;
  for (unsigned i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

std::size_t on_read(char* to, std::size_t size, std::size_t count, void* range) {
  const ssize_t n = static_cast<FileRange*>(range)->read(to, size * count);
  return n < 0 ? CURL_READFUNC_ABORT : static_cast<std::size_t>(n);
}

/// Where an answer's body goes: a good one to the file, if there is one, everything else to memory.
struct Sink {
  CURL* easy = nullptr;
  int fd = -1;
  std::string text;
  int error = 0;  // errno of a write
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* to) {
  constexpr std::size_t kTextMax = 16U << 20U;
  Sink& sink = *static_cast<Sink*>(to);
  const std::size_t bytes = size * count;
  long status = 0;
  curl_easy_getinfo(sink.easy, CURLINFO_RESPONSE_CODE, &status);
  if (sink.fd < 0 || status < 200 || status > 299) {
    if (sink.text.size() + bytes > kTextMax) return 0;
    sink.text.append(data, bytes);
    return bytes;
  }
  for (std::size_t done = 0; done < bytes;) {
    const ssize_t n = ::write(sink.fd, data + done, bytes - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      sink.error = errno;
      return 0;
    }
    done += static_cast<std::size_t>(n);
  }
  return bytes;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* etag) {
  const auto found = net::header_value({data, size * count}, "etag");
  if (found && !found->empty()) *static_cast<std::string*>(etag) = *found;
  return size * count;
}

std::string stamp_now() {
  return fmt::format(
      "{:%Y%m%dT%H%M%SZ}",
      fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

diag::Result<std::int64_t> size_of_file(int fd, const std::string& path) {
  struct stat st = {};
  if (fd >= 0 && ::fstat(fd, &st) == 0) return st.st_size;
  return diag::fail(diag::Code::kIo, fmt::format("open {}: {}", path, std::strerror(errno)));
}

}  // namespace

struct S3Server::Call {
  std::string method;
  std::string key;
  SignedRequest::Pairs query = {};
  SignedRequest::Pairs headers = {};
  FileRange body = {};    // sent if it has a file
  std::string text = {};  // sent if there is no file
  int to = -1;            // a file for the answer's body
};

struct S3Server::Answer {
  std::string body;
  std::string etag;
  std::int64_t length = -1;  // that the server has told
};

S3Server::S3Server(S3Location location, Settings settings)
    : location_(std::move(location)), settings_(settings), easy_(curl_easy_init()) {}

S3Server::~S3Server() { curl_easy_cleanup(easy_); }

std::string S3Server::path_of(const std::string& key) const {
  if (location_.has_virtual_host) return "/" + key;
  return fmt::format("/{}{}{}", location_.bucket, key.empty() ? "" : "/", key);
}

SignedRequest::Pairs S3Server::encryption_headers() const {
  SignedRequest::Pairs headers;
  if (!location_.encryption.empty()) {
    headers.emplace_back("x-amz-server-side-encryption", location_.encryption);
  }
  if (!location_.kms_key.empty()) {
    headers.emplace_back("x-amz-server-side-encryption-aws-kms-key-id", location_.kms_key);
  }
  if (!location_.kms_context.empty()) {
    headers.emplace_back("x-amz-server-side-encryption-context", location_.kms_context);
  }
  return headers;
}

SignedRequest S3Server::signed_request(const Call& call, const std::string& time) const {
  SignedRequest request{.method = call.method,
                        .path = path_of(call.key),
                        .query = call.query,
                        .headers = call.headers,
                        .payload_hash = kUnsigned};
  const bool has_file = call.body.fd >= 0;
  if (!has_file) request.payload_hash = sha256_hex(call.text);
  // TLS keeps the bytes whole already.
  if (has_file && location_.scheme != "https") request.payload_hash = sha256_hex_of(call.body);
  request.headers.emplace_back("host", location_.host);
  request.headers.emplace_back("x-amz-content-sha256", request.payload_hash);
  request.headers.emplace_back("x-amz-date", time);
  const std::string& token = location_.credentials.session_token;
  if (!token.empty()) request.headers.emplace_back("x-amz-security-token", token);
  return request;
}

curl_slist* S3Server::header_lines(const SignedRequest& request, const std::string& time) const {
  curl_slist* lines = nullptr;
  const auto add = [&](const std::string& text) { lines = curl_slist_append(lines, text.c_str()); };
  for (const auto& [name, v] : request.headers) add(name + ": " + v);
  if (!location_.credentials.access_key.empty()) {
    add("Authorization: " + authorization(request, location_.credentials, location_.region, time));
  }
  for (const char* none : {"Expect:", "Content-Type:", "Accept:", "Transfer-Encoding:"}) add(none);
  return lines;
}

void S3Server::set_common_options(const SignedRequest& request) {
  std::string url = fmt::format("{}://{}{}", location_.scheme, location_.host,
                                net::uri_encoded(request.path, true));
  if (!request.query.empty()) url += "?" + query_text(request.query);
  curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy_, CURLOPT_PATH_AS_IS, 1L);
  guard_.set_on(easy_);
  curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, kSilentSeconds);
  if (location_.certificates.empty()) return;
  curl_blob trusted = {.data = location_.certificates.data(),
                       .len = location_.certificates.size(),
                       .flags = CURL_BLOB_COPY};
  curl_easy_setopt(easy_, CURLOPT_CAINFO_BLOB, &trusted);
}

diag::Result<S3Server::Answer> S3Server::perform_once(const Call& call, bool& may_try_again) {
  const std::string time = stamp_now();
  const SignedRequest request = signed_request(call, time);
  curl_slist* const lines = header_lines(request, time);
  FileRange range = call.body;
  Sink sink{.easy = easy_, .fd = call.to, .text = {}, .error = 0};
  Answer answer;
  curl_easy_reset(easy_);
  set_common_options(request);
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, lines);
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &sink);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, &answer.etag);
  if (call.body.fd >= 0) {
    curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &on_read);
    curl_easy_setopt(easy_, CURLOPT_READDATA, &range);
    curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE,
                     static_cast<curl_off_t>(range.end - range.at));
  } else if (call.method == "PUT" || call.method == "POST") {
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.text.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, call.text.data());
  }
  if (call.method == "HEAD") curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, call.method.c_str());
  const CURLcode code = curl_easy_perform(easy_);
  curl_slist_free_all(lines);
  may_try_again = false;
  if (sink.error != 0) {
    return diag::fail(diag::Code::kIo, fmt::format("write: {}", std::strerror(sink.error)));
  }
  if (code != CURLE_OK) {
    const std::string& refusal = guard_.refusal();
    may_try_again =
        code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_URL_MALFORMAT && refusal.empty();
    return diag::fail(
        diag::Code::kIo,
        fmt::format("{}://{}: {}", location_.scheme, location_.host,
                    refusal.empty() ? curl_easy_strerror(code) : "refused to connect: " + refusal));
  }
  answer.body = std::move(sink.text);
  curl_off_t length = 0;
  curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  answer.length = length;
  return judge(call, std::move(answer), may_try_again);
}

diag::Result<S3Server::Answer> S3Server::judge(const Call& call, Answer answer,
                                               bool& may_try_again) {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  // An upload in parts may fail after its 200 has been sent: the body tells.
  const std::string code = xml_text(answer.body, "Code");
  const bool is_good = status >= 200 && status <= 299;
  if (is_good && (code.empty() || call.method == "GET")) return answer;
  may_try_again = status >= 500 || status == 429 || code == "SlowDown" || is_good;
  const std::string region = xml_text(answer.body, "Region");
  if (code == "AuthorizationHeaderMalformed" && !region.empty() && region != location_.region) {
    location_.region = region;
    may_try_again = true;
  }
  if (code == "NoSuchKey" || (code.empty() && status == 404)) {
    return diag::fail(diag::Code::kNotFound, "The specified key does not exist.");
  }
  std::string message = xml_text(answer.body, "Message");
  if (message.empty()) message = fmt::format("{} answered with status {}", location_.host, status);
  const bool is_known = code == "BucketAlreadyExists" || code == "BucketAlreadyOwnedByYou";
  return diag::fail(is_known ? diag::Code::kAlreadyExists : diag::Code::kIo, message);
}

diag::Result<S3Server::Answer> S3Server::perform(const Call& call) {
  int pause = settings_.first_pause_ms;
  for (int i = 1;; ++i) {
    bool may_try_again = false;
    auto answer = perform_once(call, may_try_again);
    if (answer || !may_try_again || i >= settings_.tries) return answer;
    if (call.to >= 0 && (::ftruncate(call.to, 0) != 0 || ::lseek(call.to, 0, SEEK_SET) != 0)) {
      return answer;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(pause));
    pause *= 2;
  }
}

diag::Result<void> S3Server::put_file(const std::string& key, const std::string& path) {
  const File file(path, O_RDONLY);
  TRY(const std::int64_t size, size_of_file(file.fd(), path));
  if (size > settings_.part_size) return put_parts(key, path, size);
  TRY_VOID(perform({.method = "PUT",
                    .key = key,
                    .headers = encryption_headers(),
                    .body = {.fd = file.fd(), .at = 0, .end = size}}));
  return {};
}

diag::Result<std::string> S3Server::put_each_part(const std::string& key, const std::string& path,
                                                  std::int64_t size, const std::string& upload) {
  const File file(path, O_RDONLY);
  TRY_VOID(size_of_file(file.fd(), path));
  const std::int64_t part_size = std::max(settings_.part_size, (size + kPartsMax - 1) / kPartsMax);
  std::string list = "<CompleteMultipartUpload>";
  int number = 1;
  for (std::int64_t at = 0; at < size; at += part_size, ++number) {
    TRY(const Answer part,
        perform({.method = "PUT",
                 .key = key,
                 .query = {{"partNumber", std::to_string(number)}, {"uploadId", upload}},
                 .body = {.fd = file.fd(), .at = at, .end = std::min(at + part_size, size)}}));
    list += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number,
                        xml_escaped(part.etag));
  }
  return list + "</CompleteMultipartUpload>";
}

diag::Result<void> S3Server::put_parts(const std::string& key, const std::string& path,
                                       std::int64_t size) {
  TRY(const Answer begun, perform({.method = "POST",
                                   .key = key,
                                   .query = {{"uploads", ""}},
                                   .headers = encryption_headers()}));
  const std::string upload = xml_text(begun.body, "UploadId");
  auto list = put_each_part(key, path, size, upload);
  if (list) {
    auto done = perform({.method = "POST",
                         .key = key,
                         .query = {{"uploadId", upload}},
                         .headers = {},
                         .body = {},
                         .text = *list});
    if (done) return {};
    list = std::unexpected(done.error());
  }
  // The parts would be kept, and paid for, until somebody takes them away.
  (void)perform({.method = "DELETE", .key = key, .query = {{"uploadId", upload}}});
  return std::unexpected(list.error());
}

diag::Result<void> S3Server::get_file(const std::string& key, const std::string& path) {
  const File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (file.fd() < 0) {
    return diag::fail(diag::Code::kIo, fmt::format("open {}: {}", path, std::strerror(errno)));
  }
  Call call{.method = "GET", .key = key};
  call.to = file.fd();
  auto got = perform(call);
  if (got) return {};
  ::unlink(path.c_str());
  return std::unexpected(got.error());
}

diag::Result<std::int64_t> S3Server::size_of(const std::string& key) {
  TRY(const Answer answer, perform({.method = "HEAD", .key = key}));
  return answer.length;
}

S3Server::Leave S3Server::leave(const std::string& method, const std::string& key,
                                int seconds) const {
  SignedRequest request{.method = method, .path = path_of(key), .payload_hash = ""};
  Leave leave;
  if (method == "PUT") request.headers = encryption_headers();
  for (const auto& [name, v] : request.headers) leave.headers.push_back(name + ": " + v);
  leave.url = fmt::format("{}://{}{}", location_.scheme, location_.host,
                          net::uri_encoded(request.path, true));
  if (location_.credentials.access_key.empty()) return leave;
  request.headers.emplace_back("host", location_.host);
  leave.url +=
      "?" + presigned_query(request, location_.credentials, location_.region, stamp_now(), seconds);
  return leave;
}

diag::Result<std::vector<std::string>> S3Server::list(const std::string& prefix) {
  TRY(std::vector<Object> all, objects(prefix));
  std::vector<std::string> keys;
  for (Object& one : all) keys.push_back(std::move(one.key));
  return keys;
}

diag::Result<std::vector<S3Server::Object>> S3Server::objects(const std::string& prefix) {
  std::vector<Object> all;
  std::string next;
  do {
    Call call{.method = "GET", .key = "", .query = {{"list-type", "2"}, {"prefix", prefix}}};
    if (!next.empty()) call.query.emplace_back("continuation-token", next);
    TRY(const Answer page, perform(call));
    const std::vector<std::string> sizes = xml_texts(page.body, "Size");
    std::size_t i = 0;
    for (std::string& key : xml_texts(page.body, "Key")) {
      const std::int64_t size = i < sizes.size() ? std::strtoll(sizes[i].c_str(), nullptr, 10) : 0;
      all.push_back({.key = std::move(key), .size = size});
      ++i;
    }
    next = xml_text(page.body, "IsTruncated") == "true"
               ? xml_text(page.body, "NextContinuationToken")
               : "";
  } while (!next.empty());
  return all;
}

diag::Result<void> S3Server::remove(const std::string& key) {
  auto done = perform({.method = "DELETE", .key = key});
  if (done || done.error().code == diag::Code::kNotFound) return {};
  return std::unexpected(done.error());
}

diag::Result<void> S3Server::make_bucket() {
  Call call{.method = "PUT", .key = ""};
  if (location_.region != "us-east-1") {
    call.text = fmt::format(
        "<CreateBucketConfiguration><LocationConstraint>{}</LocationConstraint>"
        "</CreateBucketConfiguration>",
        xml_escaped(location_.region));
  }
  auto done = perform(call);
  if (done || done.error().code == diag::Code::kAlreadyExists) return {};
  return std::unexpected(done.error());
}

}  // namespace tiphys::executor
