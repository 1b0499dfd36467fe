#include "notify/hmac.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "diag/error.h"

namespace tiphys::notify {

std::string hmac_sha256(std::string_view key, std::string_view message) {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const unsigned char* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), out, &size);
  CHECK(done != nullptr);
  return {reinterpret_cast<const char*>(out), size};
}

}  // namespace tiphys::notify
