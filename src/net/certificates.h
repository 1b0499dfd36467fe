// Which authorities certificates of servers may be signed by.
#pragma once

#include <curl/curl.h>

namespace tiphys::net {

/// Authorities are the system's, or those of SSL_CERT_FILE (a file of PEM certificates) and
/// SSL_CERT_DIR (a folder as `openssl rehash` makes it), as for Go's programs; libcurl by itself
/// reads neither. Call it for each handle before its transfer.
void set_authorities(CURL* easy);

}  // namespace tiphys::net
