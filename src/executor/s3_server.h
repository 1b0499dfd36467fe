// Objects of one bucket of an S3 server: put, get, list, delete.
//
// Bytes go from and to files; nothing that a user chooses the size of is held in memory. A file is
// sent in parts once it is large, and each request is tried again for a while when the server or
// the connection fails. Blocks its thread. Errors carry the server's own message; secrets never.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "diag/error.h"
#include "executor/s3_location.h"
#include "net/address_guard.h"

namespace tiphys::executor {

class S3Server {
 public:
  struct Settings {
    std::int64_t part_size = std::int64_t{16} << 20;  // a file that is larger is sent in parts
    int tries = 5;
    int first_pause_ms = 200;  // doubled each time
  };

  explicit S3Server(S3Location location) : S3Server(std::move(location), Settings()) {}
  S3Server(S3Location location, Settings settings);
  ~S3Server();
  S3Server(const S3Server&) = delete;
  S3Server& operator=(const S3Server&) = delete;

  /// Sends a file. Errors: kIo.
  [[nodiscard]] diag::Result<void> put_file(const std::string& key, const std::string& path);
  /// Writes the object to a file, which may be there. Errors: kNotFound (NoSuchKey), kIo.
  [[nodiscard]] diag::Result<void> get_file(const std::string& key, const std::string& path);
  /// How many bytes the object has. Errors: kNotFound, kIo.
  [[nodiscard]] diag::Result<std::int64_t> size_of(const std::string& key);
  /// An address by which anybody may do `method` with the object, GET or PUT, for `seconds`; with
  /// the headers that have to be sent. Asks nobody.
  struct Leave {
    std::string url;
    std::vector<std::string> headers;  // `name: value`
  };
  [[nodiscard]] Leave leave(const std::string& method, const std::string& key, int seconds) const;
  struct Object {
    std::string key;
    std::int64_t size = 0;
  };
  /// All objects whose keys begin with `prefix`, in order. Errors: kIo.
  [[nodiscard]] diag::Result<std::vector<Object>> objects(const std::string& prefix);
  /// Their keys.
  [[nodiscard]] diag::Result<std::vector<std::string>> list(const std::string& prefix);
  /// An object that is not there is no error.
  [[nodiscard]] diag::Result<void> remove(const std::string& key);
  /// A bucket that is there already is no error.
  [[nodiscard]] diag::Result<void> make_bucket();

 private:
  struct Call;
  struct Answer;
  [[nodiscard]] diag::Result<Answer> perform(const Call& call);
  [[nodiscard]] diag::Result<Answer> perform_once(const Call& call, bool& may_try_again);
  [[nodiscard]] std::string path_of(const std::string& key) const;
  [[nodiscard]] SignedRequest::Pairs encryption_headers() const;
  [[nodiscard]] SignedRequest signed_request(const Call& call, const std::string& time) const;
  [[nodiscard]] curl_slist* header_lines(const SignedRequest& request,
                                         const std::string& time) const;
  void set_common_options(const SignedRequest& request);
  [[nodiscard]] diag::Result<Answer> judge(const Call& call, Answer answer, bool& may_try_again);
  [[nodiscard]] diag::Result<void> put_parts(const std::string& key, const std::string& path,
                                             std::int64_t size);
  [[nodiscard]] diag::Result<std::string> put_each_part(const std::string& key,
                                                        const std::string& path, std::int64_t size,
                                                        const std::string& upload);

  S3Location location_;
  Settings settings_;
  CURL* easy_;
  net::AddressGuard guard_{false};  // many are in the private network
};

}  // namespace tiphys::executor
