// The parts of a URL, as libcurl reads them.
#pragma once

#include <curl/curl.h>

#include <string>

namespace tiphys::net {

/// A URL that can be taken apart, and followed; of any scheme.
class Url {
 public:
  explicit Url(const std::string& text) : url_(curl_url()) { is_ok_ = go_to(text); }
  ~Url() { curl_url_cleanup(url_); }
  Url(const Url&) = delete;
  Url& operator=(const Url&) = delete;

  [[nodiscard]] bool ok() const { return is_ok_; }
  /// Goes on to `location`, which may be relative. False when it is no URL.
  [[nodiscard]] bool go_to(const std::string& location) {
    return curl_url_set(url_, CURLUPART_URL, location.c_str(), CURLU_NON_SUPPORT_SCHEME) ==
           CURLUE_OK;
  }
  void drop(CURLUPart part) { curl_url_set(url_, part, nullptr, 0); }
  /// "" when the URL has no such part, or is none.
  [[nodiscard]] std::string part(CURLUPart part) const {
    char* text = nullptr;
    if (curl_url_get(url_, part, &text, 0) != CURLUE_OK || text == nullptr) return {};
    std::string copy = text;
    curl_free(text);
    return copy;
  }

 private:
  CURLU* url_;
  bool is_ok_ = false;
};

}  // namespace tiphys::net
