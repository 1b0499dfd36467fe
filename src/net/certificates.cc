#include "net/certificates.h"

#include <cstdlib>

namespace tiphys::net {

void set_authorities(CURL* easy) {
  if (const char* file = std::getenv("SSL_CERT_FILE"); file != nullptr && *file != '\0') {
    curl_easy_setopt(easy, CURLOPT_CAINFO, file);
  }
  if (const char* folder = std::getenv("SSL_CERT_DIR"); folder != nullptr && *folder != '\0') {
    curl_easy_setopt(easy, CURLOPT_CAPATH, folder);
  }
}

}  // namespace tiphys::net
