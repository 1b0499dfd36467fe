#include "net/address_guard.h"

#include <sys/socket.h>

#include "net/addresses.h"
#include "net/url.h"

namespace tiphys::net {

void AddressGuard::set_on(CURL* easy) {
  easy_ = easy;
  refusal_.clear();
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &AddressGuard::on_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &AddressGuard::on_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
}

curl_socket_t AddressGuard::on_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& guard = *static_cast<AddressGuard*>(self);
  guard.refusal_ = address_refusal(address->addr, guard.refuses_private_);
  if (!guard.refusal_.empty()) return CURL_SOCKET_BAD;
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int AddressGuard::on_request(void* self, char*, char*, int, int) {
  auto& guard = *static_cast<AddressGuard*>(self);
  const char* url = nullptr;
  curl_easy_getinfo(guard.easy_, CURLINFO_EFFECTIVE_URL, &url);
  guard.refusal_ =
      host_refusal(Url(url == nullptr ? "" : url).part(CURLUPART_HOST), guard.refuses_private_);
  return guard.refusal_.empty() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

}  // namespace tiphys::net
