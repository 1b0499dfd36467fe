// One attempt on a libcurl handle: an HTTP request or a mail.
//
// Used by the courier's thread.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <string>
#include <vector>

#include "notify/channel.h"

namespace tiphys::notify {

class Transfer {
 public:
  struct Limits {
    clock::Duration timeout;
    bool refuses_private = false;
  };

  Transfer(std::string id, HttpRequest request, Limits limits);
  Transfer(std::string id, MailRequest request, Limits limits);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  [[nodiscard]] CURL* handle() const { return easy_; }
  [[nodiscard]] const std::string& id() const { return id_; }
  /// Why it must not even begin; "" when it may.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }
  /// The transfer is over, or has been refused.
  [[nodiscard]] Answer answer(CURLcode code);
  clock::Instant begun_at = {};

 private:
  static constexpr std::size_t kBodyMax = 64U << 10U;

  static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t on_read(char* data, std::size_t size, std::size_t count, void* self);
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);

  void set_up(bool skips_verification);
  [[nodiscard]] std::string reason_of(CURLcode code) const;
  [[nodiscard]] std::string reply_with(long status) const;

  std::string id_;
  Limits limits_;
  CURL* easy_;
  curl_slist* lines_ = nullptr;
  char error_[CURL_ERROR_SIZE] = "";
  std::string out_;  // the body, or the mail
  std::size_t sent_ = 0;
  std::string refusal_;  // of an address
  bool is_mail_ = false;
  std::size_t read_ = 0;              // of the answer's body
  bool is_left_ = false;              // there is more of it
  std::vector<std::string> replies_;  // of an SMTP server, a line each
  Answer answer_;
};

}  // namespace tiphys::notify
