// Keeps one curl handle away from addresses that nothing is to be sent to, wherever its URL, a name
// or a redirect leads: see addresses.h.
#pragma once

#include <curl/curl.h>

#include <string>

namespace tiphys::net {

/// Outlives the transfers of the handles that it is set on.
class AddressGuard {
 public:
  explicit AddressGuard(bool refuses_private) : refuses_private_(refuses_private) {}
  AddressGuard(const AddressGuard&) = delete;
  AddressGuard& operator=(const AddressGuard&) = delete;

  /// From now on the handle asks before it connects, and before each request, also one that follows
  /// a redirect: a proxy would go there for us.
  void set_on(CURL* easy);
  /// Why the last transfer was not made: `169.254.169.254 is link-local`; "" for another reason.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  static curl_socket_t on_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_request(void* self, char* ip, char* local_ip, int port, int local_port);

  bool refuses_private_;
  CURL* easy_ = nullptr;
  std::string refusal_;
};

}  // namespace tiphys::net
